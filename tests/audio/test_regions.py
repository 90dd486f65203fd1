"""Speech is found where it was put, tones and noise are not speech, and levels are right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from callanalysis.audio.levels import HOP_SECONDS, LevelMeter, envelope
from callanalysis.audio.reader import open_recording
from callanalysis.audio.regions import RegionOptions, speech_probabilities, speech_regions, speech_spans
from callanalysis.audio.tones import tone_regions
from callanalysis.schema import SpeechRegion

from .conftest import chirps

WriteWav = Callable[..., Path]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
SENTENCES = {
    "zh": ("您好，请问是张先生吗？我是还款提醒专员。", "zh-1"),
    "en": ("Good morning, am I speaking with Mister Brown?", "en-2"),
}


@pytest.fixture(scope="module", params=sorted(SENTENCES))
def sentence(request: pytest.FixtureRequest) -> np.ndarray:
    from callanalysis.speech.voices import VOICES, speak

    text, voice = SENTENCES[request.param]
    return speak(text, VOICES[voice])


def timeline(
    sound: np.ndarray, starts: tuple[float, ...], seconds: float, hiss: float = 0.0005
) -> np.ndarray:
    line = np.random.default_rng(1).normal(0, hiss, round(seconds * 16000)).astype(np.float32)
    for start in starts:
        first = round(start * 16000)
        line[first : first + len(sound)] += sound
    return line


def within(regions: list[SpeechRegion], expected: list[tuple[float, float]], tolerance: float = 0.25) -> bool:
    joined: list[tuple[float, float]] = []
    for region in regions:
        if joined and region.start - joined[-1][1] < 0.6:  # a pause at a comma
            joined[-1] = (joined[-1][0], region.end)
        else:
            joined.append((region.start, region.end))
    return len(joined) == len(expected) and np.allclose(joined, expected, atol=tolerance)


@needs_espeak
@pytest.mark.parametrize("gain", [1.0, 0.03])  # -26 dB, and a very quiet speaker at -56 dB
def test_speech_is_found_where_it_was_put(write_wav: WriteWav, sentence: np.ndarray, gain: float) -> None:
    length = len(sentence) / 16000
    left = timeline(sentence, (1.0, 20.0), 40) * gain
    right = timeline(sentence, (10.5, 30.0), 40) * gain
    with open_recording(write_wav(left, right, rate=16000)) as recording:
        regions = speech_regions(recording)
    for channel, starts in ((0, (1.0, 20.0)), (1, (10.5, 30.0))):
        found = [region for region in regions if region.channel == channel]
        assert within(found, [(start, start + length) for start in starts]), found
    assert list(regions) == sorted(regions, key=lambda region: region.start)


@needs_espeak
def test_a_tone_before_the_call_is_no_speech(write_wav: WriteWav, sentence: np.ndarray) -> None:
    time = np.arange(20 * 16000) / 16000
    ring = 0.2 * np.sin(2 * np.pi * 450 * time) * (time % 5 < 1) * (time < 11)
    line = ring + timeline(sentence, (11.8,), 20)
    with open_recording(write_wav(line, rate=16000)) as recording:
        tones = tone_regions(recording.levels)
        regions = speech_regions(recording)
    pulses = [(tone.start, tone.end) for tone in tones if tone.kind == "progress"]
    np.testing.assert_allclose(pulses[:3], [(0, 1), (5, 6), (10, 11)], atol=0.12)
    assert regions
    assert min(region.start for region in regions) > 11.5


@pytest.mark.parametrize(
    "sound", [chirps(10, 16000), 0.05 * np.random.default_rng(2).standard_normal(160000)]
)
def test_noise_is_no_speech(write_wav: WriteWav, sound: np.ndarray) -> None:
    with open_recording(write_wav(sound, rate=16000)) as recording:
        assert speech_regions(recording) == ()


@needs_espeak
def test_blocks_make_no_difference(write_wav: WriteWav, sentence: np.ndarray) -> None:
    """The same probabilities as the wheel's own loop gives, one 32 ms chunk after the other."""
    silero_vad = pytest.importorskip("silero_vad")
    import torch

    sound = timeline(sentence, (1.0, 15.0, 22.0), 36)
    with open_recording(write_wav(sound, rate=16000)) as recording:
        ours = speech_probabilities(recording, 0)
        heard = torch.from_numpy(recording.samples(0, 0, 36))
        gain = 10 ** (np.clip(-23 - recording.levels.loudness(0), 0, 30) / 20)
    model = silero_vad.load_silero_vad(onnx=True)
    theirs = [float(model(chunk * gain, 16000)) for chunk in heard.split(512) if len(chunk) == 512]
    np.testing.assert_allclose(ours[: len(theirs)], theirs, atol=0.005)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([], []),
        ([0.1] * 50, []),
        ([0.9] * 50, [(0.0, 1.6)]),
        ([0.1] * 20 + [0.9] * 20 + [0.1] * 20, [(0.59, 1.33)]),
        ([0.9] * 10 + [0.1] * 3 + [0.9] * 10, [(0.0, 0.736)]),  # 0.1 s is no pause
        ([0.9] * 10 + [0.1] * 10 + [0.9] * 10, [(0.0, 0.37), (0.59, 0.96)]),
        ([0.1] * 9 + [0.9] * 3 + [0.1] * 9, []),  # 0.1 s is no speech
        (
            [0.4] * 20 + [0.6] + [0.4] * 20 + [0.1] * 9,
            [(0.59, 1.362)],
        ),  # once begun, the lower threshold holds
    ],
)
def test_spans(probabilities: list[float], expected: list[tuple[float, float]]) -> None:
    spans = speech_spans(np.array(probabilities), len(probabilities) * 0.032, RegionOptions())
    assert len(spans) == len(expected)
    assert np.allclose(spans, expected, atol=0.001)


@pytest.mark.skipif(not DATA.exists(), reason="the public recordings are not here")
def test_a_real_telephone_call_against_its_reference() -> None:
    folder = DATA / "en_pyannote_2spk_phone"
    fields = [line.split() for line in (folder / "sample.rttm").read_text().splitlines()]
    truth = np.zeros(3000, dtype=bool)  # 10 ms
    for field in fields:
        start, length = float(field[3]), float(field[4])
        truth[round(start * 100) : round((start + length) * 100)] = True
    found = np.zeros(3000, dtype=bool)
    with open_recording(folder / "sample.wav") as recording:
        for region in speech_regions(recording):
            found[round(region.start * 100) : round(region.end * 100)] = True
    missed, wrong = (truth & ~found).sum() / truth.sum(), (found & ~truth).sum() / truth.sum()
    assert missed < 0.05
    assert wrong < 0.10


def test_levels_are_in_decibels_of_full_scale() -> None:
    time = np.arange(16000) / 16000
    meter = LevelMeter()
    for part in np.split((0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), 10):
        meter.add(part[None])
    levels = meter.levels()
    assert levels.decibels.shape == (1, pytest.approx(1 / HOP_SECONDS, abs=2))
    assert np.median(levels.decibels) == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.2)
    assert np.median(levels.centre) == pytest.approx(1000, abs=2)
    assert np.median(levels.tonality) > 0.99


def test_envelope_shows_the_peaks(write_wav: WriteWav) -> None:
    left, right = np.zeros(80000), np.zeros(80000)
    left[20000:28000] = chirps(1, 8000)
    right[60000:68000] = 0.5 * chirps(1, 8000, 3)
    with open_recording(write_wav(left, right)) as recording:
        peaks = envelope(recording, 10)
    assert peaks.shape == (2, 10)
    assert peaks.dtype == np.float32
    assert set(np.flatnonzero(peaks[0] > 0.05)) == {2, 3}
    assert set(np.flatnonzero(peaks[1] > 0.05)) == {7, 8}
