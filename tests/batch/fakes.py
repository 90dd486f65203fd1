"""Small models behind the interfaces of the real ones, and sound to give them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from callanalysis.errors import RecordingError
from callanalysis.pipeline import Stages
from callanalysis.schema import CallTags, SpeechRegion, Transcript, Utterance, UtteranceTags
from callanalysis.settings import Settings
from callanalysis.speech.engines import Failed, SpeechJob

RATE = 8000
LINES = ("您好，请问是王建国先生吗？", "是我，我下个月十五号还三千五百元。", "好的，再见。", "再见。")


def write_call(path: Path, seed: int, channels: int = 2, seconds: float = 4.0) -> Path:
    """Noise in turns on the channels, different for every seed: what is heard in it, the fakes decide."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (int(RATE * seconds), channels))
    times = np.arange(len(noise)) / RATE
    if channels == 2:
        noise[times % 2 < 1, 1] *= 0.001
        noise[times % 2 >= 1, 0] *= 0.001
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise, RATE, subtype="PCM_16")
    return path


class FakeTranscriber:
    """Hears LINES in every recording, `ahead` calls behind the one it reads."""

    name = "fake 1"

    def __init__(self, ahead: int = 0) -> None:
        self.ahead = ahead
        self.heard: list[str] = []

    def transcribe(self, jobs: Iterable[SpeechJob]) -> Iterator[Transcript | Failed]:
        waiting: list[Transcript | Failed] = []
        for job in jobs:
            waiting.append(self.listen(job))
            while len(waiting) > self.ahead:
                yield waiting.pop(0)
        yield from waiting

    def listen(self, job: SpeechJob) -> Transcript | Failed:
        call_id = job.metadata.call_id
        self.heard.append(call_id)
        assert np.abs(job.recording.samples(0, 0, 1)).max() > 0
        if call_id.startswith("mute"):
            return Failed(
                call_id, RecordingError(job.recording.sound.path, "no speech", "Listen", "no_speech")
            )
        if call_id.startswith("bomb"):
            raise RuntimeError("a decoder that nobody foresaw")
        if call_id.startswith("kill"):
            os._exit(9)
        if call_id.startswith("slow"):
            time.sleep(0.3)
        channels = job.recording.channels
        utterances = tuple(
            Utterance(i, f"channel {i % channels}", float(i), i + 0.9, text) for i, text in enumerate(LINES)
        )
        regions = tuple(SpeechRegion(i % channels, float(i), i + 0.9) for i in range(len(LINES)))
        return Transcript(call_id, "zh", utterances, self.name, regions)


@dataclass(frozen=True)
class FakeTaggedCall:
    utterances: tuple[Utterance, ...]
    tags: tuple[UtteranceTags, ...]
    call: CallTags


class FakeTagger:
    """Takes who says 还 for the debtor, and fails on 爆."""

    version = "fake tagger 1"

    def tag_call(self, utterances: Sequence[Utterance]) -> FakeTaggedCall:
        debtors = {u.speaker for u in utterances if "还" in u.text}
        known = tuple(
            replace(u, role="debtor" if u.speaker in debtors else "collector", role_confidence=0.9)
            if u.role == "unknown"
            else u
            for u in utterances
        )
        if any("爆" in u.text for u in utterances):
            raise RuntimeError("a tagger that nobody foresaw")
        tags = tuple(UtteranceTags(u.index, ("other",), (), {"other": 0.9}) for u in known)
        return FakeTaggedCall(known, tags, CallTags("high", 0.8, "able", "ability", (1,)))


def open_fakes(settings: Settings) -> Stages:
    """What the batch opens instead of the models; a name of the speech model changes how they are."""
    if settings.speech.model == "broken":
        raise RuntimeError("the weights cannot be opened")
    return Stages(FakeTagger(), FakeTranscriber(), settings.audio)
