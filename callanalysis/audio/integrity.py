"""Whether a decoded file was whole: what the header promised against what came out."""

from __future__ import annotations

import math

from callanalysis.audio.completeness import has_mp3_length, is_cut_ogg, wav_size
from callanalysis.audio.container import OpenFile
from callanalysis.audio.decode import DecodeReport
from callanalysis.audio.faults import recording_error

_TOLERANCE = 0.3  # seconds that coders add or drop at the ends
_BAD_SHARE = 0.01  # of the packets; more that cannot be decoded make the file unfit
GUESSED_LENGTH = frozenset({"aac", "amr", "ogg", "mulaw", "alaw", "gsm"})  # FFmpeg estimates or reads the end


def check_whole(source: OpenFile, report: DecodeReport, seconds: float) -> tuple[str, ...]:
    """Return notes on what is a little wrong; raises RecordingError for a cut or damaged file."""
    if report.bad_packets > max(1, _BAD_SHARE * report.packets):
        raise recording_error(source.path, "damaged", bad=report.bad_packets, total=report.packets)
    kind = source.container.format.name
    promised = _promised_seconds(source, seconds)
    if kind == "flac":  # a gap in its time stamps is a hole; other formats leave silence out on purpose
        seconds -= report.gap_seconds
    cut = report.broken_off or (report.last_is_bad and kind in GUESSED_LENGTH)
    if cut or promised - seconds > _TOLERANCE:
        lengths = {"found": _clock(seconds), "promised": _clock(promised if promised > seconds else math.inf)}
        raise recording_error(source.path, "truncated", **lengths)
    notes = {
        "extension": not source.extension_fits,
        "gaps": report.gap_seconds > 0,
        "damaged_packets": report.bad_packets > 0,
        "open_ended": _is_open_ended(source),
    }
    return tuple(code for code, holds in notes.items() if holds)


def _promised_seconds(source: OpenFile, seconds: float) -> float:
    """Seconds that the header promises, `seconds` where it does not say."""
    kind = source.container.format.name
    with source.path.open("rb") as file:
        if kind == "wav" and (size := wav_size(file)):
            return seconds * size.promised_share
        if kind == "ogg" and is_cut_ogg(file):
            return math.inf
        if kind == "mp3" and not has_mp3_length(file):
            return seconds
    return seconds if kind in GUESSED_LENGTH else source.header_duration or seconds


def _is_open_ended(source: OpenFile) -> bool:
    with source.path.open("rb") as file:
        size = wav_size(file)
    return size is not None and size.promised is None


def _clock(seconds: float) -> str:
    if math.isinf(seconds):
        return "a longer recording"
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {seconds % 60:.0f} s"
