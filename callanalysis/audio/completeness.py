"""Whether a sound file is whole, read from its bytes: what the header promises against what is there.

FFmpeg decodes what it finds and reports a cut file as a shorter one; hence these checks. They know the layout
of the containers and decode nothing.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

_OGG_TAIL = 65_307  # bytes, the largest Ogg page
_OPEN_ENDED_WAV = 0x7FFF_F000  # sizes from here on are what recorders write when they cannot know better
_MP3_HEAD = 16_384  # bytes in which the first frame with its Xing, Info or VBRI header lies


@dataclass(frozen=True, slots=True)
class WavSize:
    """Bytes of sound that a WAV header promises and that are there; `promised` is None if open-ended.

    Open-ended are files written to a pipe or by a recorder that was stopped: length 0 or near the largest.
    """

    promised: int | None
    found: int

    @property
    def promised_share(self) -> float:
        """How many times what is there is promised; 1 for a whole file."""
        return max(1.0, (self.promised or 0) / max(1, self.found))


def wav_size(file: BinaryIO) -> WavSize | None:
    """Return the sizes of a RIFF/WAVE file's data chunk, None for another file."""
    size = _length(file)
    if file.read(4) not in (b"RIFF", b"RF64"):
        return None
    file.seek(12)
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        body = file.tell()
        if name == b"data":
            open_ended = length == 0 or length >= _OPEN_ENDED_WAV
            return WavSize(None if open_ended else length, size - body)
        file.seek(body + length + length % 2)
    return None


def is_cut_ogg(file: BinaryIO) -> bool:
    """Whether an Ogg file ends inside a page."""
    size = _length(file)
    if file.read(4) != b"OggS":
        return False
    start = max(0, size - 2 * _OGG_TAIL)
    file.seek(start)
    tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 27:
        return True
    segments = tail[last + 26]
    table = tail[last + 27 : last + 27 + segments]
    return bool(len(table) < segments or last + 27 + segments + sum(table) > len(tail))


def has_mp3_length(file: BinaryIO) -> bool:
    """Whether an MP3 file states its number of frames; else its duration is a guess from the bit rate."""
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3":
        file.seek(10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)))
    else:
        file.seek(0)
    start = file.read(_MP3_HEAD)
    return any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))


def is_mp4(file: BinaryIO) -> bool:
    """Whether the file begins as MP4, M4A, MOV and 3GP files do."""
    file.seek(4)
    return bool(file.read(4) == b"ftyp")


def has_mp4_index(file: BinaryIO) -> bool:
    """Whether the box that says where the sound lies (moov) is there; it often stands last."""
    size = _length(file)
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if name == b"moov":
            return bool(position + length <= size)
        if length < 8:
            return False
        position += length
    return False


def _length(file: BinaryIO) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size
