"""Every format that a recorder may write comes out as the same sound at 16 kHz."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from callanalysis.audio.pcm import PcmStore
from callanalysis.audio.playback import wav_for_browser, write_wav_for_browser
from callanalysis.audio.reader import open_recording, probe

from .conftest import chirps, encode

# codec, container, extension, sample rate, channels
FORMATS = [
    ("pcm_u8", "wav", "wav", 8000, 1),
    ("pcm_s16le", "wav", "wav", 8000, 2),
    ("pcm_s24le", "wav", "wav", 44100, 2),
    ("pcm_s32le", "wav", "wav", 48000, 2),
    ("pcm_f32le", "wav", "wav", 16000, 2),
    ("pcm_mulaw", "wav", "wav", 8000, 2),
    ("pcm_alaw", "wav", "wav", 8000, 2),
    ("adpcm_ms", "wav", "wav", 8000, 2),
    ("adpcm_ima_wav", "wav", "wav", 8000, 1),
    ("flac", "flac", "flac", 22050, 2),
    ("libmp3lame", "mp3", "mp3", 8000, 2),
    ("libmp3lame", "mp3", "mp3", 44100, 1),
    ("aac", "ipod", "m4a", 16000, 2),
    ("aac", "mp4", "mp4", 44100, 1),
    ("aac", "adts", "aac", 16000, 2),
    ("libopencore_amrnb", "amr", "amr", 8000, 1),
    ("libopus", "ogg", "opus", 48000, 2),
    ("libopus", "webm", "webm", 48000, 2),
]
_FRAME = 400  # samples, 25 ms: envelopes are compared, since coders change the phase


@pytest.mark.parametrize(("codec", "container", "extension", "rate", "channels"), FORMATS)
def test_sound_survives_the_format(
    tmp_path: Path, codec: str, container: str, extension: str, rate: int, channels: int
) -> None:
    original = np.stack([chirps(5, rate, seed) for seed in range(channels)])
    path = encode(tmp_path / f"call.{extension}", original, rate, codec, container)
    with open_recording(path) as recording:
        assert (recording.channels, recording.sound.sample_rate) == (channels, rate)
        assert recording.sound.notes == ()
        assert recording.duration == pytest.approx(5, abs=0.15)
        assert probe(path).duration == pytest.approx(recording.duration, abs=0.1)
        for channel in range(channels):
            heard = recording.samples(channel, 0, 5)
            assert heard.dtype == np.float32
            assert _likeness(heard, soxr.resample(original[channel], rate, 16000)) > 0.95


def test_gsm_is_decoded_as_by_libsndfile(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, chirps(5, 8000), 8000, subtype="GSM610")
    expected, _ = soundfile.read(path)
    with open_recording(path) as recording:
        assert recording.sound.codec == "gsm_ms"
        np.testing.assert_allclose(recording.samples(0, 0, 4.9)[::2], expected[:39200], atol=0.02)


def test_headerless_mulaw_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "call.ulaw"
    soundfile.write(path, chirps(5, 8000), 8000, format="RAW", subtype="ULAW")
    with open_recording(path) as recording:
        assert recording.duration == pytest.approx(5)
        assert recording.sound.notes == ()


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_resampling_keeps_pitch_and_level(write_wav: Callable[..., Path], rate: int) -> None:
    time = np.arange(rate * 3) / rate
    sound = (0.3 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    with open_recording(write_wav(sound, chirps(3, rate), rate=rate, subtype="FLOAT")) as recording:
        heard = recording.samples(0, 0.5, 2.5)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    strongest = int(spectrum.argmax())
    assert strongest * 16000 / len(heard) == pytest.approx(1000, abs=1)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.02)
    spectrum[strongest - 3 : strongest + 4] = 0
    assert spectrum.max() < 0.002 * len(heard) * 0.3 / 4  # images and aliases 54 dB down


def test_channels_and_times_are_kept(write_wav: Callable[..., Path]) -> None:
    left, right = chirps(4, 8000, 1), chirps(4, 8000, 2)
    with open_recording(write_wav(left, right)) as recording:
        heard = recording.samples(1, 1.0, 2.0)
        assert len(heard) == 16000
        np.testing.assert_allclose(heard[::2][10:-10], right[8000:16000][10:-10], atol=0.02)
        assert len(recording.samples(0, -1, 99)) == 64000
        assert len(recording.samples(0, 3, 2)) == 0


def test_long_sound_is_kept_in_a_file_without_a_name() -> None:
    blocks = [np.stack([chirps(1, 16000, n), chirps(1, 16000, n + 9)]) for n in range(6)]
    short, long = PcmStore(channels=2), PcmStore(channels=2, in_memory=100_000)
    before = set(Path(tempfile.gettempdir()).iterdir())
    for store in (short, long):
        for block in blocks:
            store.append(block)
        store.finish()
    assert not [
        path for path in Path(tempfile.gettempdir()).iterdir() if path not in before and path.is_file()
    ]
    assert len(short) == len(long) == 96000
    np.testing.assert_array_equal(long.read(1, 30_000, 70_000), short.read(1, 30_000, 70_000))
    np.testing.assert_allclose(long.read(0, 16_000, 32_000), blocks[1][0], atol=1 / 32768)
    long.close()
    with pytest.raises(ValueError, match="closed"):
        long.read(0, 0, 1)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    minutes = 120
    with soundfile.SoundFile(tmp_path / "call.wav", "w", 8000, 2) as wav:
        for minute in range(minutes):
            wav.write(np.stack([chirps(60, 8000, minute), chirps(60, 8000, minute + 1)], axis=1))
    code = (
        "import resource, sys; from pathlib import Path; "
        "from callanalysis.audio.reader import open_recording; "
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "recording = open_recording(Path(sys.argv[1])); print(recording.duration, "
        "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "call.wav")]
    duration, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert float(duration) == minutes * 60
    assert int(grown) < 250_000  # kilobytes; the samples alone are 460,000


def test_the_browser_gets_a_wav_of_all_channels(tmp_path: Path) -> None:
    original = np.stack([chirps(5, 8000, 1), chirps(5, 8000, 2)])
    source = encode(tmp_path / "call.mp3", original, 8000, "libmp3lame", "mp3")
    target = tmp_path / "played.wav"
    write_wav_for_browser(source, target)
    assert target.read_bytes() == wav_for_browser(source)
    played, rate = soundfile.read(target)
    assert (rate, played.shape) == (8000, (pytest.approx(40000, abs=1500), 2))
    assert soundfile.info(target).subtype == "PCM_16"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_a_name_with_a_colon_is_no_address(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    path = tmp_path / "http:call 你好.wav"
    shutil.copy(write_wav(chirps(3, 8000)), path)
    assert probe(path).duration == pytest.approx(3)


def _likeness(heard: np.ndarray, original: np.ndarray) -> float:
    """Correlation of the loudness over time, at the best delay up to 0.1 s."""
    a, b = _loudness(heard), _loudness(original)
    count = min(len(a), len(b)) - 4
    return max(float(np.corrcoef(a[lag : lag + count], b[:count])[0, 1]) for lag in range(5))


def _loudness(samples: np.ndarray) -> np.ndarray:
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)))
