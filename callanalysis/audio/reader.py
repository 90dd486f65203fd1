"""One reader for all sound files: what a file is (`probe`), and its sound at 16 kHz (`open_recording`).

Every fault of faults.py that concerns one file is found here or below; speech is not looked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from callanalysis.audio.channels import find_sides
from callanalysis.audio.container import OpenFile, check_readable, open_file
from callanalysis.audio.decode import DecodeReport, decode_blocks
from callanalysis.audio.faults import recording_error
from callanalysis.audio.integrity import GUESSED_LENGTH, check_whole
from callanalysis.audio.levels import SAMPLE_RATE, LevelMeter, Levels
from callanalysis.audio.pcm import PcmStore
from callanalysis.audio.tones import only_tones
from callanalysis.schema import Sound
from callanalysis.settings import AudioSettings

_MOST_CHANNELS = 16  # more is no recording of a call, and would only fill the disk


@dataclass(frozen=True, slots=True)
class Recording:
    """The sound of one call, decoded; a context manager that gives its memory or temporary file back.

    `sound.channels` and `channels` count the sides of the call that were kept: 1 for a stereo file whose
    channels are identical.
    """

    sound: Sound
    levels: Levels
    _pcm: PcmStore
    _kept: tuple[int, ...]

    @property
    def channels(self) -> int:
        """How many sides of the call there are, 1 or 2."""
        return len(self._kept)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.sound.duration

    def samples(self, channel: int, start: float, end: float) -> np.ndarray:
        """Return float32 samples at 16 kHz of one side between two times in seconds."""
        return self._pcm.read(self._kept[channel], round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))

    def close(self) -> None:
        """Give memory and temporary file back; no sound can be read afterwards."""
        self._pcm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def probe(path: Path) -> Sound:
    """Return what the header and the bytes of a file tell, without decoding it.

    `channels` are those of the file. Raises RecordingError for a file that cannot be opened.
    """
    with open_file(path) as source:
        duration = source.header_duration
        if duration is None or source.container.format.name in GUESSED_LENGTH:
            duration = _packet_seconds(source)
        notes = () if source.extension_fits else ("extension",)
        return _sound(source, duration, source.stream.channels, notes)


def open_recording(path: Path, limits: AudioSettings | None = None) -> Recording:
    """Return the decoded recording; raises RecordingError whose `code` is a key of faults.FAULTS.

    The file is decoded once, block by block; what is held in memory does not grow with its length.
    """
    limits = limits or AudioSettings()
    with open_file(path) as source:
        _check_before(source, limits)
        pcm = PcmStore(source.stream.channels)
        try:
            return _decoded(source, limits, pcm)
        except BaseException:
            pcm.close()
            raise


def content_hash(path: Path) -> str:
    """Return the SHA-256 of the file in hexadecimal."""
    check_readable(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decoded(source: OpenFile, limits: AudioSettings, pcm: PcmStore) -> Recording:
    report, meter, length = DecodeReport(), LevelMeter(), 0
    for block in decode_blocks(source, SAMPLE_RATE, report):
        length += block.shape[1]
        _check_length(source.path, length / SAMPLE_RATE, limits)
        meter.add(block)
        pcm.append(block)
    if not length and not report.broken_off and not report.bad_packets:
        raise recording_error(source.path, "zero_length", found="a header and no samples")
    notes = check_whole(source, report, length / SAMPLE_RATE)
    pcm.finish()
    levels = meter.levels()
    sides = find_sides(levels)
    _check_content(source.path, levels, sides.kept)
    sound = _sound(source, length / SAMPLE_RATE, len(sides.kept), (*notes, *sides.notes))
    return Recording(sound, levels.of(sides.kept), pcm, sides.kept)


def _check_before(source: OpenFile, limits: AudioSettings) -> None:
    if source.stream.channels > _MOST_CHANNELS:
        raise recording_error(source.path, "channels", count=source.stream.channels)
    if source.container.format.name not in GUESSED_LENGTH:
        _check_length(source.path, source.header_duration or 0.0, limits)


def _check_length(path: Path, seconds: float, limits: AudioSettings) -> None:
    if seconds > limits.max_hours * 3600:
        raise recording_error(path, "too_long", hours=seconds / 3600, limit=limits.max_hours)


def _check_content(path: Path, levels: Levels, kept: tuple[int, ...]) -> None:
    if not kept:
        raise recording_error(path, "silence")
    if len(kept) > 2:
        raise recording_error(path, "channels", count=len(kept))
    if only_tones(levels.of(kept)):
        raise recording_error(path, "tones_only")


def _sound(source: OpenFile, duration: float, channels: int, notes: tuple[str, ...]) -> Sound:
    rate, codec = source.stream.sample_rate, source.stream.codec_context.name
    digest = content_hash(source.path)
    return Sound(str(source.path), digest, duration, channels, rate, codec, notes)


def _packet_seconds(source: OpenFile) -> float:
    base = source.stream.time_base or 0
    return float(sum(packet.duration or 0 for packet in source.container.demux(source.stream)) * base)
