"""Sound files opened by their content, whatever they are called; it decodes nothing.

The FFmpeg libraries that PyAV brings along do the reading. Only the container formats listed here are tried,
so that a playlist under a sound file's name cannot make the reader open other files or addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from callanalysis.audio.completeness import has_mp4_index, is_mp4
from callanalysis.audio.faults import recording_error
from callanalysis.errors import RecordingError

# FFmpeg's demuxer: extensions that fit it
FORMATS: dict[str, frozenset[str]] = {
    "wav": frozenset({".wav", ".wave"}),
    "w64": frozenset({".w64"}),
    "flac": frozenset({".flac"}),
    "mp3": frozenset({".mp3", ".mp2", ".mpga"}),
    "aac": frozenset({".aac"}),
    "mov,mp4,m4a,3gp,3g2,mj2": frozenset({".m4a", ".mp4", ".mov", ".3gp", ".3g2", ".aac", ".m4b"}),
    "amr": frozenset({".amr", ".awb"}),
    "ogg": frozenset({".ogg", ".oga", ".opus", ".spx"}),
    "matroska,webm": frozenset({".webm", ".mka", ".mkv", ".weba"}),
    "asf": frozenset({".wma", ".asf"}),
    "aiff": frozenset({".aif", ".aiff", ".aifc"}),
    "au": frozenset({".au", ".snd"}),
    "caf": frozenset({".caf"}),
}
# Files without a header: extension: (demuxer, sample rate). Nothing but the name tells what they are.
HEADERLESS: dict[str, tuple[str, int]] = {
    ".ul": ("mulaw", 8000),
    ".ulaw": ("mulaw", 8000),
    ".al": ("alaw", 8000),
    ".alaw": ("alaw", 8000),
    ".gsm": ("gsm", 8000),
}
_OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A sound file opened for reading, with the track that is decoded."""

    path: Path
    container: InputContainer
    stream: AudioStream

    @property
    def header_duration(self) -> float | None:
        """Seconds according to the header, None where it does not say."""
        if self.stream.duration is not None and self.stream.time_base is not None:
            return float(self.stream.duration * self.stream.time_base)
        if self.container.duration is not None:
            return self.container.duration / av.time_base
        return None

    @property
    def extension_fits(self) -> bool:
        """Whether the name's extension is one of the content's format."""
        suffix = self.path.suffix.lower()
        fitting = FORMATS.get(self.container.format.name)
        return suffix in HEADERLESS if fitting is None else suffix in fitting


@contextmanager
def open_file(path: Path) -> Iterator[OpenFile]:
    """Yield the file with its first sound track; raises RecordingError for what cannot be opened."""
    check_readable(path)
    try:
        container = _open(path)
    except (FFmpegError, ValueError) as error:
        raise _unreadable(path) from error
    with container:
        if not container.streams.audio:
            raise recording_error(path, "no_sound_track")
        stream = container.streams.audio[0]
        _check_codec(path, stream)
        yield OpenFile(path, container, stream)


def check_readable(path: Path) -> None:
    """Raise RecordingError unless the path is a file with something in it that may be read."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
            raise recording_error(path, "unreadable")
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise os_fault(path, error) from error
    if empty:
        raise recording_error(path, "zero_length", found="0 bytes")


def os_fault(path: Path, error: OSError) -> RecordingError:
    """Return the fault behind what the operating system answered."""
    codes: dict[type[OSError], str] = {
        FileNotFoundError: "missing",
        NotADirectoryError: "missing",
        IsADirectoryError: "directory",
        PermissionError: "permission",
    }
    return recording_error(path, codes.get(type(error), "unreadable"))


def _open(path: Path) -> InputContainer:
    url = f"file:{path}"  # a name with a colon in it is not taken for an address
    try:
        return av.open(url, options=dict(_OPTIONS), metadata_errors="ignore")
    except FFmpegError:
        headerless = HEADERLESS.get(path.suffix.lower())
        if headerless is None:
            raise
        demuxer, rate = headerless
        options = {"protocol_whitelist": "file", "sample_rate": str(rate)}
        return av.open(url, format=demuxer, options=options)


def _unreadable(path: Path) -> RecordingError:
    with path.open("rb") as file:
        if is_mp4(file) and not has_mp4_index(file):
            return recording_error(path, "truncated", found="the first part", promised="an MP4 file")
    return recording_error(path, "unreadable")


def _check_codec(path: Path, stream: AudioStream) -> None:
    context = stream.codec_context
    if context is None:  # FFmpeg has no decoder for the track
        raise recording_error(path, "codec", codec="an unknown codec")
    try:
        context.open(strict=False)
    except FFmpegError as error:
        raise recording_error(path, "codec", codec=context.name) from error
    if stream.sample_rate <= 0 or stream.channels <= 0:
        raise recording_error(path, "unreadable")
