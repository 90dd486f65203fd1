"""Each fault of a sound file has its own code, and stops that file only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from callanalysis.audio.container import os_fault
from callanalysis.audio.faults import FAULTS, NOTES
from callanalysis.audio.reader import open_recording, probe
from callanalysis.errors import RecordingError
from callanalysis.settings import AudioSettings

from .conftest import chirps, encode

WriteWav = Callable[..., Path]
RATE = 8000
STEREO = np.stack([chirps(6, RATE, 1), chirps(6, RATE, 2)])


def fault_of(path: Path, limits: AudioSettings | None = None) -> str:
    with pytest.raises(RecordingError) as caught:
        open_recording(path, limits)
    assert str(path) in str(caught.value)
    assert caught.value.code in FAULTS
    assert caught.value.remedy
    return caught.value.code


def notes_of(path: Path) -> tuple[str, ...]:
    with open_recording(path) as recording:
        assert set(recording.sound.notes) <= NOTES.keys()
        return recording.sound.notes


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.wav", b"", "zero_length"),
        ("text.wav", b"this is a letter, not a recording\n" * 50, "unreadable"),
        ("zeros.flac", bytes(5000), "unreadable"),
        ("noise.mp3", np.random.default_rng(0).bytes(20_000), "unreadable"),
        ("page.m4a", b"<html><body>404</body></html>" * 30, "unreadable"),
    ],
)
def test_files_that_are_no_sound(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert fault_of(tmp_path / name) == code
    with pytest.raises(RecordingError):
        probe(tmp_path / name)


@pytest.mark.parametrize("name", ["call.wav", "call.m3u8", "call.mp3"])
@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"],
)
def test_a_playlist_opens_no_other_file(tmp_path: Path, name: str, playlist: str) -> None:
    soundfile.write(tmp_path / "other.wav", STEREO.T, RATE)
    (tmp_path / name).write_text(playlist.format("other.wav"))
    assert fault_of(tmp_path / name) == "unreadable"


def test_what_is_no_file(tmp_path: Path) -> None:
    assert fault_of(tmp_path / "nothing.wav") == "missing"
    (tmp_path / "folder.wav").mkdir()
    assert fault_of(tmp_path / "folder.wav") == "directory"
    os.mkfifo(tmp_path / "pipe.wav")
    assert fault_of(tmp_path / "pipe.wav") == "unreadable"


def test_a_file_that_may_not_be_read(write_wav: WriteWav) -> None:
    path = write_wav(*STEREO)
    assert os_fault(path, PermissionError(13, "Permission denied")).code == "permission"
    if os.geteuid() != 0:  # nothing is forbidden to root
        path.chmod(0)
        assert fault_of(path) == "permission"


def test_header_without_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "call.wav", np.zeros((0, 2)), RATE)
    assert fault_of(tmp_path / "call.wav") == "zero_length"


CUT = [
    ("pcm_s16le", "wav", "wav", 2),
    ("adpcm_ms", "wav", "wav", 2),
    ("flac", "flac", "flac", 2),
    ("libmp3lame", "mp3", "mp3", 2),
    ("aac", "ipod", "m4a", 2),
    ("aac", "adts", "aac", 2),
    ("libopencore_amrnb", "amr", "amr", 1),
    ("libopus", "ogg", "ogg", 2),
    ("libopus", "webm", "webm", 2),
]


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(("codec", "container", "extension", "channels"), CUT)
def test_a_cut_file(
    tmp_path: Path, codec: str, container: str, extension: str, channels: int, share: float
) -> None:
    rate = 48000 if codec == "libopus" else 16000 if codec == "aac" else RATE
    sound = np.stack([chirps(6, rate, seed) for seed in range(channels)])
    path = encode(tmp_path / f"call.{extension}", sound, rate, codec, container)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share) + 1])
    assert fault_of(path) == "truncated"


@pytest.mark.parametrize(
    ("codec", "container", "extension", "code"),
    [("aac", "ipod", "m4a", "damaged"), ("flac", "flac", "flac", "truncated")],
)
def test_a_file_with_a_hole(tmp_path: Path, codec: str, container: str, extension: str, code: str) -> None:
    path = encode(tmp_path / f"call.{extension}", STEREO, RATE, codec, container)
    content = bytearray(path.read_bytes())
    third, length = len(content) // 3, len(content) // 5
    content[third : third + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(content)
    assert fault_of(path) == code


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", bytes(4), b"\x00\xf0\xff\x7f"])
def test_a_wav_that_was_not_closed_is_read_to_its_end(write_wav: WriteWav, length: bytes) -> None:
    path = write_wav(*STEREO)
    content = bytearray(path.read_bytes())
    place = content.find(b"data") + 4
    content[place : place + 4] = length
    path.write_bytes(content)
    with open_recording(path) as recording:
        assert recording.duration == pytest.approx(6)
        assert recording.sound.notes == ("open_ended",)


def test_sound_under_another_name(tmp_path: Path) -> None:
    path = encode(tmp_path / "call.ogg", STEREO.repeat(6, axis=1), 48000, "libopus", "ogg")
    for name in ("call.wav", "call.txt", "call"):
        shutil.copy(path, tmp_path / name)
        assert notes_of(tmp_path / name) == ("extension",)
        assert probe(tmp_path / name).notes == ("extension",)
    shutil.copy(path, tmp_path / "CALL.OGG")
    assert notes_of(tmp_path / "CALL.OGG") == ()


def test_too_long(write_wav: WriteWav) -> None:
    assert fault_of(write_wav(*STEREO), AudioSettings(max_hours=5 / 3600)) == "too_long"
    path = write_wav(*STEREO, name="unclosed.wav")
    content = path.read_bytes()
    place = content.find(b"data") + 4
    path.write_bytes(
        content[:place] + bytes(4) + content[place + 4 :]
    )  # the header says nothing of the length
    assert fault_of(path, AudioSettings(max_hours=5 / 3600)) == "too_long"


def test_a_film_without_sound(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            film.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        film.mux(stream.encode(None))
    assert fault_of(tmp_path / "film.mp4") == "no_sound_track"


def test_a_codec_without_a_decoder(write_wav: WriteWav) -> None:
    path = write_wav(*STEREO)
    content = bytearray(path.read_bytes())
    content[20:22] = (0x1234).to_bytes(2, "little")  # a format tag that belongs to nobody
    path.write_bytes(content)
    assert fault_of(path) == "codec"


A, B, C = (chirps(6, RATE, seed) for seed in (1, 5, 9))
NOTHING = np.zeros_like(A)
HISS = np.random.default_rng(3).normal(0, 0.0004, len(A)).astype(np.float32)  # -68 dB: an idle line


@pytest.mark.parametrize(
    ("sound", "kept", "notes"),
    [
        ([A], 1, ()),
        ([A, B], 2, ()),
        ([A, A], 1, ("identical_channels",)),
        ([A, -0.5 * A], 1, ("identical_channels",)),
        ([A, A + HISS], 1, ("identical_channels",)),
        ([A, NOTHING], 2, ("dead_channel",)),
        ([HISS, B], 2, ("dead_channel",)),
        ([A, 0.05 * A + HISS], 2, ("dead_channel",)),  # cross-talk only
        ([A, NOTHING, B, HISS], 2, ("extra_channels",)),
        ([A, B, A, B], 2, ("extra_channels",)),
        ([A, A, A], 1, ("identical_channels",)),
    ],
)
def test_channels(write_wav: WriteWav, sound: list[np.ndarray], kept: int, notes: tuple[str, ...]) -> None:
    with open_recording(write_wav(*sound)) as recording:
        assert (recording.channels, recording.sound.channels) == (kept, kept)
        assert recording.sound.notes == notes
        if kept == 2 and len(sound) == 4:
            other = next(channel for channel in sound[1:] if channel is B)
            np.testing.assert_allclose(recording.samples(1, 1, 2)[::2], other[8000:16000], atol=0.03)


def test_too_many_sides(write_wav: WriteWav) -> None:
    path = write_wav(A, B, C)
    with pytest.raises(RecordingError, match="3 channels"):
        open_recording(path)
    assert fault_of(path) == "channels"


@pytest.mark.parametrize("sound", [[NOTHING], [HISS, HISS[::-1]], [NOTHING + 0.3]])
def test_silence(write_wav: WriteWav, sound: list[np.ndarray]) -> None:
    assert fault_of(write_wav(*sound)) == "silence"


@pytest.mark.parametrize(
    ("hertz", "on", "off"),
    [
        ((450,), 1, 4),  # ring-back, China
        ((440, 480), 2, 4),  # ring-back, North America
        ((400, 450), 0.4, 0.2),  # ring-back, Britain
        ((450,), 0.35, 0.35),  # busy, China
        ((480, 620), 0.5, 0.5),  # busy, North America
        ((1000,), 0.8, 9),  # the beep of a voicemail box, and then nothing
        ((440,), 20, 1),  # a hold tone
    ],
)
@pytest.mark.parametrize("codec", ["PCM_16", "ULAW"])
def test_tones_only(write_wav: WriteWav, hertz: tuple[int, ...], on: float, off: float, codec: str) -> None:
    time = np.arange(20 * RATE) / RATE
    tone = sum(0.1 * np.sin(2 * np.pi * f * time) for f in hertz) * (time % (on + off) < on)
    hiss = np.random.default_rng(3).normal(0, 0.0003, len(time))
    assert fault_of(write_wav(tone + hiss, subtype=codec)) == "tones_only"
    assert fault_of(write_wav(tone + hiss, hiss[::-1], subtype=codec)) == "tones_only"
    mixed = np.where(time < 10, tone, 0.2 * chirps(20, RATE))
    assert "tones_only" not in notes_of(write_wav(mixed, hiss, subtype=codec))
