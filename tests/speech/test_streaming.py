"""A stream of calls: order, times, sides, shared batches, languages, and one bad call among good ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from callanalysis.audio.reader import open_recording
from callanalysis.audio.regions import speech_regions
from callanalysis.schema import CallMetadata, Transcript, Word
from callanalysis.settings import SpeechSettings
from callanalysis.speech.decoder import Decoded, Heard
from callanalysis.speech.engines import Failed, SpeechJob
from callanalysis.speech.hearing import language_code
from callanalysis.speech.streaming import OPEN_CALLS, StreamTranscriber

from .conftest import needs_espeak

pytestmark = needs_espeak
MakeCall = Callable[..., Path]
TWO_SIDES = ([(0.5, "hello"), (8.0, "yes")], [(3.5, "pay")])


class FakeDecoder:
    """Hears how long a window is; a window longer than `fails_at` seconds breaks it."""

    name = "fake"

    def __init__(self, fails_at: float = 99.0) -> None:
        self.batches: list[tuple[str, int]] = []
        self.encoded, self.fails_at = 0, fails_at

    def knows(self, language: str) -> bool:
        return language in ("zh", "en")

    def encode(self, samples: np.ndarray) -> float:
        self.encoded += 1
        return len(samples) / 16000

    def language_probabilities(self, features: Sequence[float]) -> list[dict[str, float]]:
        return [{"ja": 0.6, "zh": 0.4} if seconds > 2 else {"zh": 0.1, "en": 0.2} for seconds in features]

    def decode(self, batch: Sequence[Heard], language: str) -> list[Decoded]:
        self.batches.append((language, len(batch)))
        if any(heard.seconds > self.fails_at for heard in batch):
            raise RuntimeError("out of memory")
        word = [Word("w", -1.0, heard.seconds + 1) for heard in batch]
        return [Decoded(f"{h.seconds:.2f}", -0.2, (w,)) for h, w in zip(batch, word, strict=True)]


def stream(paths: Sequence[Path], languages: Sequence[str | None] = ()) -> Iterator[SpeechJob]:
    """As the pipeline does it: a recording is closed when the next job is asked for."""
    for index, path in enumerate(paths):
        with open_recording(path) as recording:
            language = languages[index] if index < len(languages) else "zh"
            yield SpeechJob(CallMetadata(f"{path.stem}-{index}", language=language), recording)


def run(
    decoder: FakeDecoder, jobs: Iterator[SpeechJob], batch: int = 4, **settings: str
) -> list[Transcript | Failed]:
    return list(StreamTranscriber(decoder, SpeechSettings(batch=batch, **settings)).transcribe(jobs))  # type: ignore[arg-type]


def test_utterances_have_the_side_and_the_time_of_their_speech(make_call: MakeCall) -> None:
    path = make_call("a", *TWO_SIDES)
    (transcript,) = run(FakeDecoder(), stream([path]))
    assert isinstance(transcript, Transcript)
    with open_recording(path) as recording:
        assert transcript.talk_regions == speech_regions(recording)
    assert [utterance.index for utterance in transcript.utterances] == [0, 1, 2]
    assert [utterance.speaker for utterance in transcript.utterances] == [
        "channel 0",
        "channel 1",
        "channel 0",
    ]
    for utterance, start in zip(transcript.utterances, (0.5, 3.5, 8.0), strict=True):
        assert utterance.start == pytest.approx(start, abs=0.2)
        assert utterance.start is not None
        assert utterance.end is not None
        assert float(utterance.text) == pytest.approx(utterance.end - utterance.start + 0.4, abs=0.02)
        assert utterance.role == "unknown"
        assert utterance.mean_log_probability == -0.2
        assert (utterance.words[0].start, utterance.words[0].end) == (utterance.start, utterance.end)


def test_on_one_channel_a_short_pause_may_be_a_change_of_speaker(
    make_call: MakeCall, spoken: dict[str, np.ndarray]
) -> None:
    first = len(spoken["yes"]) / 16000
    line = [(0.5, "yes"), (0.5 + first + 0.35, "hello")]
    (mono,) = run(FakeDecoder(), stream([make_call("mono", line)]))
    (stereo,) = run(FakeDecoder(), stream([make_call("stereo", line, [(12.0, "pay")])]))
    assert isinstance(mono, Transcript)
    assert isinstance(stereo, Transcript)
    after = 0.5 + first + 0.2  # the second speaker's first word
    assert any(utterance.start is not None and utterance.start > after for utterance in mono.utterances)
    assert [utterance.speaker for utterance in stereo.utterances] == ["channel 0", "channel 1"]


def test_batches_are_shared_and_results_keep_the_order(make_call: MakeCall) -> None:
    paths = [make_call(f"call{n}", *TWO_SIDES) for n in range(4)]  # 12 windows
    decoder = FakeDecoder()
    results = run(decoder, stream(paths), batch=5)
    assert decoder.batches == [("zh", 5), ("zh", 5), ("zh", 2)]
    assert [result.call_id for result in results] == [f"call{n}-{n}" for n in range(4)]
    alone = [run(FakeDecoder(), stream([path]))[0] for path in paths]
    for result, single in zip(results, alone, strict=True):
        assert isinstance(result, Transcript)
        assert isinstance(single, Transcript)
        assert result.utterances == single.utterances


def test_a_full_batch_gives_its_results_before_the_next_call_is_asked_for(make_call: MakeCall) -> None:
    asked: list[int] = []

    def watched() -> Iterator[SpeechJob]:
        for index, job in enumerate(stream([make_call(f"call{n}", *TWO_SIDES) for n in range(6)])):
            asked.append(index)
            yield job

    results = StreamTranscriber(FakeDecoder(), SpeechSettings(batch=3)).transcribe(watched())
    next(results)
    assert asked == [0]


def test_waiting_calls_are_bounded(make_call: MakeCall) -> None:
    path = make_call("short", [(0.3, "yes")])
    count, asked = OPEN_CALLS + 4, 0

    def watched() -> Iterator[SpeechJob]:
        nonlocal asked
        for asked, job in enumerate(stream([path] * count), 1):  # noqa: B007, read below
            yield job

    results = StreamTranscriber(FakeDecoder(), SpeechSettings(batch=1000)).transcribe(watched())
    next(results)
    assert asked == OPEN_CALLS + 1
    assert len(list(results)) == count - 1


def test_a_stream_that_was_broken_off_leaves_nothing_behind(make_call: MakeCall) -> None:
    path = make_call("short", [(0.3, "yes")])
    decoder = FakeDecoder()
    transcriber = StreamTranscriber(decoder, SpeechSettings(batch=100))

    def broken() -> Iterator[SpeechJob]:
        yield from stream([path, path])
        raise OSError("the share is gone")

    with pytest.raises(OSError, match="share"):
        list(transcriber.transcribe(broken()))
    assert [result.call_id for result in transcriber.transcribe(stream([path]))] == ["short-0"]
    assert decoder.batches == [("zh", 1)]


def test_languages_do_not_share_a_batch(make_call: MakeCall) -> None:
    path = make_call("a", *TWO_SIDES)
    decoder = FakeDecoder()
    results = run(decoder, stream([path] * 4, ["zh-CN", "English", None, "中文"]), batch=100)
    assert sorted(decoder.batches) == [("en", 3), ("zh", 9)]
    assert [result.language for result in results if isinstance(result, Transcript)] == [
        "zh",
        "en",
        "zh",
        "zh",
    ]
    assert decoder.encoded == 12  # what was heard for the language is not encoded again


def test_language_of_the_settings_and_of_short_calls(make_call: MakeCall) -> None:
    path = make_call("short", [(0.3, "yes")])
    (by_setting,) = run(FakeDecoder(), stream([path], [None]), language="zh")
    (detected,) = run(FakeDecoder(), stream([path], [None]))
    assert isinstance(by_setting, Transcript)
    assert isinstance(detected, Transcript)
    assert (by_setting.language, detected.language) == ("zh", "en")


def test_bad_calls_stop_no_others(make_call: MakeCall) -> None:
    good = make_call("good", *TWO_SIDES)
    noise = make_call("noise", [(0.5, "yes")])
    rng = np.random.default_rng(0)
    import soundfile

    soundfile.write(noise, rng.normal(0, 0.05, 32000), 16000)
    results = run(FakeDecoder(), stream([good, noise, good, good], ["zh", "zh", "tlh", "zh"]), batch=100)
    assert [type(result) for result in results] == [Transcript, Failed, Failed, Transcript]
    codes = [result.error.code for result in results if isinstance(result, Failed)]
    assert codes == ["no_speech", "language"]


def test_a_recording_that_breaks_while_it_is_read(make_call: MakeCall) -> None:
    path = make_call("good", *TWO_SIDES)

    def jobs() -> Iterator[SpeechJob]:
        for index, job in enumerate(stream([path] * 3)):
            if index == 1:
                job.recording.close()
            yield job

    results = run(FakeDecoder(), jobs(), batch=100)
    assert [type(result) for result in results] == [Transcript, Failed, Transcript]
    assert isinstance(results[1], Failed)
    assert results[1].error.code == "speech_failed"


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_a_window_that_breaks_the_network_costs_its_call_only(make_call: MakeCall, batch: int) -> None:
    short = make_call("short", [(0.5, "yes")])
    long = make_call("long", [(0.5, "yes"), (3.0, "pay"), (10.0, "yes")])
    decoder = FakeDecoder(fails_at=4.0)
    results = run(decoder, stream([short, long, short, long, short]), batch=batch)
    assert [type(result) for result in results] == [Transcript, Failed, Transcript, Failed, Transcript]


def test_counts_and_dropped_text(make_call: MakeCall) -> None:
    class Subtitles(FakeDecoder):
        def decode(self, batch: Sequence[Heard], language: str) -> list[Decoded]:
            said = ["谢谢观看", "好的 请不吝点赞 订阅", "", "好 的"]
            return [Decoded(text, -0.5, attempts=index + 1) for index, text in enumerate(said[: len(batch)])]

    path = make_call("a", [(0.5, "yes"), (3.0, "yes"), (6, "yes"), (9, "yes")])
    transcriber = StreamTranscriber(Subtitles(), SpeechSettings(batch=4))
    (result,) = transcriber.transcribe(stream([path]))
    assert isinstance(result, Transcript)
    assert [utterance.text for utterance in result.utterances] == ["好的", "好的"]
    assert dict(transcriber.counts) == {
        "windows": 4,
        "decoded again": 3,
        "empty": 1,
        "invented": 2,
        "looped": 0,
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zh", "zh"),
        ("zh_CN", "zh"),
        ("ZH-Hans", "zh"),
        ("Mandarin", "zh"),
        ("en-GB", "en"),
        ("英语", "en"),
        ("ja", "ja"),
        (None, None),
        ("  ", None),
    ],
)
def test_language_codes(name: str | None, code: str | None) -> None:
    assert language_code(name) == code
