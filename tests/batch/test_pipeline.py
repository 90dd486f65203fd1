from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callanalysis.errors import CheckpointError, StoreError
from callanalysis.pipeline import RecordingJob, Stages, TranscriptJob, analyse
from callanalysis.roles import with_roles
from callanalysis.schema import CallAnalysis, CallMetadata, Failure, Transcript, Utterance
from callanalysis.settings import AudioSettings

from .fakes import LINES, FakeTaggedCall, FakeTagger, FakeTranscriber, write_call

AT = datetime(2026, 6, 11, tzinfo=UTC)


def stages(transcriber=None, tagger=None) -> Stages:
    return Stages(tagger or FakeTagger(), transcriber or FakeTranscriber(), AudioSettings(), lambda: AT)


def recording(folder: Path, name: str, seed: int | None = None, **listed) -> RecordingJob:
    path = folder / f"{name}.wav"
    if seed is not None:
        write_call(path, seed)
    return RecordingJob(str(path), CallMetadata(name, **listed), path)


def imported(name: str, *lines: str, role: str = "unknown") -> TranscriptJob:
    utterances = tuple(
        Utterance(i, f"speaker {i % 2}", None, None, x, role=role) for i, x in enumerate(lines)
    )
    return TranscriptJob(
        f"t.jsonl:{name}", CallMetadata(name), Transcript(name, "zh", utterances, "imported"), name
    )


def test_a_recording_goes_through_all_stages(tmp_path):
    (call,) = analyse([recording(tmp_path, "C-1", 1, team="一组")], stages())
    assert isinstance(call, CallAnalysis)
    assert call.metadata.team == "一组"
    assert [u.text for u in call.transcript.utterances] == list(LINES)
    assert [u.role for u in call.transcript.utterances] == ["collector", "debtor"] * 2
    assert len(call.tags) == len(LINES)
    assert call.call_tags
    assert call.call_tags.willingness == "high"
    assert call.sound
    assert call.identity_hash == call.sound.content_hash
    assert (call.versions.speech, call.versions.tags, call.versions.measures) == (
        "fake 1",
        "fake tagger 1",
        "1",
    )
    measures = {measure.name: measure.value for measure in call.measures}
    assert measures["talk_share"] == pytest.approx(0.5)


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_every_job_has_its_result_in_its_place(tmp_path, ahead):
    missing, mute = recording(tmp_path, "missing"), recording(tmp_path, "mute", 3)
    jobs = [
        missing,
        recording(tmp_path, "C-1", 1),
        imported("T-1", "您好", "我还钱"),
        mute,
        recording(tmp_path, "C-2", 2),
        replace(missing, source="again"),
        imported("T-2", "爆"),
        recording(tmp_path, "C-3", 4),
    ]
    results = list(analyse(iter(jobs), stages(FakeTranscriber(ahead))))
    names = [
        r.metadata.call_id if isinstance(r, CallAnalysis) else (r.call_id, r.stage, r.code) for r in results
    ]
    assert names == [
        ("missing", "audio", "missing"),
        "C-1",
        "T-1",
        ("mute", "speech", "no_speech"),
        "C-2",
        ("missing", "audio", "missing"),
        ("T-2", "tags", "unexpected"),
        "C-3",
    ]
    assert all(
        r.source == job.source and r.remedy
        for r, job in zip(results, jobs, strict=True)
        if isinstance(r, Failure)
    )


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_an_exception_in_the_transcriber_costs_one_call(tmp_path, ahead):
    names = ["C-1", "C-2", "bomb", "missing", "C-3", "C-4"]
    jobs = [recording(tmp_path, x, None if x == "missing" else i) for i, x in enumerate(names)]
    results = list(analyse(iter(jobs), stages(FakeTranscriber(ahead))))
    assert [r.metadata.call_id if isinstance(r, CallAnalysis) else r.call_id for r in results] == names
    failed = {r.call_id for r in results if isinstance(r, Failure)}
    assert failed == {"bomb", "missing"}


@pytest.mark.parametrize(
    "error", [CheckpointError("x", "y", "z"), StoreError("x", "y", "z"), KeyError("jobs")]
)
def test_what_concerns_all_calls_is_raised(tmp_path, error):
    def jobs():
        yield recording(tmp_path, "C-1", 1)
        raise error

    with pytest.raises(type(error)):
        list(analyse(jobs(), stages(FakeTranscriber(3))))


def test_the_stream_is_lazy(tmp_path):
    asked = []

    def jobs():
        for i in range(50):
            asked.append(i)
            yield recording(tmp_path, f"C-{i}", 0)

    results = analyse(jobs(), stages(FakeTranscriber(2)))
    next(results)
    assert len(asked) <= 5
    results.close()


def test_the_channel_in_the_list_stands(tmp_path):
    (call,) = analyse([recording(tmp_path, "C-1", 1, collector_channel=1)], stages())
    assert [u.role for u in call.transcript.utterances] == ["debtor", "collector"] * 2


def test_mono_roles_are_the_taggers(tmp_path):
    path = write_call(tmp_path / "C-1.wav", 1, channels=1)
    (call,) = analyse([RecordingJob(str(path), CallMetadata("C-1"), path)], stages())
    assert {u.role for u in call.transcript.utterances} == {"debtor"}
    assert {m.reason for m in call.measures if m.name == "talk_share"} == {"mono"}


class Judge:
    """Says of each speaker what it was told, with a confidence."""

    def __init__(self, first: str, confidence: float) -> None:
        self.first, self.confidence = first, confidence

    def tag_call(self, utterances):
        other = "debtor" if self.first == "collector" else "collector"
        judged = (self.first if u.speaker == "channel 0" else other for u in utterances)
        told = tuple(
            replace(u, role=r, role_confidence=self.confidence)
            for u, r in zip(utterances, judged, strict=True)
        )
        return FakeTaggedCall(told, (), None)


@pytest.mark.parametrize(
    ("judge", "lines", "channel", "swapped"),
    [
        (Judge("debtor", 0.9999), 8, None, True),
        (Judge("debtor", 0.99), 8, None, False),  # not certain enough
        (Judge("debtor", 0.9999), 4, None, False),  # two lines a side
        (Judge("debtor", 0.9999), 8, 0, False),  # the list says so
        (Judge("collector", 0.9999), 8, None, False),
    ],
)
def test_swapped_channels(judge, lines, channel, swapped):
    from callanalysis.schema import Sound

    utterances = tuple(Utterance(i, f"channel {i % 2}", float(i), i + 0.9, "话") for i in range(lines))
    sound = Sound("/c.wav", "hash", 60.0, 2, 8000, "pcm_mulaw")
    metadata = CallMetadata("C-1", collector_channel=channel)
    given = with_roles(utterances, metadata, sound, AudioSettings(), judge)
    assert given.swapped == swapped
    assert given.utterances[0].role == ("debtor" if swapped else "collector")
    assert given.utterances[0].role_confidence == (0.9999 if swapped else None)
