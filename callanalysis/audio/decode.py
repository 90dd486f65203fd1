"""Sound decoded block by block at the rate asked for; it keeps no more than a block in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from callanalysis.audio.container import OpenFile

BLOCK_SECONDS = 4
_GAP = 0.1  # seconds between packets that are filled; less is jitter of the time stamps
_LARGEST_GAP = 3600.0  # seconds; more is a broken time stamp, not a gap


@dataclass(slots=True)
class DecodeReport:
    """What came to light while a file was decoded; complete once the last block was taken."""

    packets: int = 0
    bad_packets: int = 0
    last_is_bad: bool = False  # the last packet cannot be decoded: a cut goes through it
    gap_seconds: float = 0.0
    broken_off: bool = False  # reading ended with an error, not at the end of the file


def decode_blocks(source: OpenFile, rate: int, report: DecodeReport) -> Iterator[np.ndarray]:
    """Yield float32 blocks of shape (channels, samples) at `rate` Hz, `BLOCK_SECONDS` long but for the last.

    Packets that cannot be decoded are counted in `report` and left out. Where time stamps leave a gap,
    silence is put in, so that a sample's place is its time.
    """
    resampler: av.AudioResampler | None = None
    shape: tuple[str, str, int] | None = None
    for frame in _without_gaps(_frames(source, report), report):
        described = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or described != shape:  # the first frame, or a change in mid-stream
            yield from _flush(resampler)
            resampler, shape = _resampler(source, rate), described
        frame.pts = None
        for out in resampler.resample(frame):
            yield out.to_ndarray()
    yield from _flush(resampler)


def _resampler(source: OpenFile, rate: int) -> av.AudioResampler:
    layout = source.stream.layout.name
    return av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=rate * BLOCK_SECONDS)


def _flush(resampler: av.AudioResampler | None) -> Iterator[np.ndarray]:
    if resampler is not None:
        for out in resampler.resample(None):
            yield out.to_ndarray()


def _frames(source: OpenFile, report: DecodeReport) -> Iterator[AudioFrame]:
    packets = source.container.demux(source.stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:
            report.broken_off = True
            return
        is_last = packet.size == 0  # the empty packet that flushes the decoder
        report.packets += not is_last
        try:
            yield from packet.decode()
            report.last_is_bad &= is_last
        except FFmpegError:
            report.bad_packets += 1
            report.last_is_bad = True


def _without_gaps(frames: Iterator[AudioFrame], report: DecodeReport) -> Iterator[AudioFrame]:
    """Put silent frames where the time stamps jump ahead."""
    due: float | None = None
    for frame in frames:
        gap = frame.time - due if due is not None and frame.time is not None else 0.0
        if _GAP < gap < _LARGEST_GAP:
            report.gap_seconds += gap
            yield from _silence(frame, round(gap * frame.sample_rate))
        due = (frame.time if frame.time is not None else due or 0.0) + frame.samples / frame.sample_rate
        yield frame


def _silence(like: AudioFrame, samples: int) -> Iterator[AudioFrame]:
    while samples > 0:
        count = min(samples, like.sample_rate)
        frame = AudioFrame(format=like.format.name, layout=like.layout.name, samples=count)
        frame.sample_rate = like.sample_rate
        for plane in frame.planes:
            plane.update(bytes([128 if like.format.name.startswith("u8") else 0]) * plane.buffer_size)
        samples -= count
        yield frame
