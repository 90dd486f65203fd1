"""Speech regions cut into windows that a recogniser hears at once: one utterance of one side each.

It knows regions and levels, no recogniser. With one utterance a window, speaker and time of a text are exact
without time stamps from the recogniser, and windows of all sides and calls can share a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from callanalysis.audio.levels import HOP_SECONDS, Levels
from callanalysis.schema import SpeechRegion

_SMOOTHING = 7  # frames, 0.22 s: a pause between words, not the gap of a stop consonant


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How regions become windows, in seconds."""

    longest: float = 28.0  # with context less than the 30 s that Whisper hears
    pause: float = 0.5  # shorter ones stand inside an utterance
    context: float = 0.2  # of sound before and after


@dataclass(frozen=True, slots=True)
class Window:
    """One utterance from `start` to `end`, heard from `heard_from` to `heard_to`, all in seconds."""

    channel: int
    start: float
    end: float
    heard_from: float
    heard_to: float

    @property
    def seconds(self) -> float:
        """Length of the utterance."""
        return self.end - self.start


def plan_windows(
    regions: Iterable[SpeechRegion], levels: Levels, duration: float, options: WindowOptions | None = None
) -> tuple[Window, ...]:
    """Return the windows of a call in order of their start, then channel.

    Regions of one channel with a pause shorter than `pause` between them are joined while they fit; what is
    longer than `longest` is cut where it is least loud. Context never reaches into a neighbouring utterance.
    """
    options = options or WindowOptions()
    by_channel: dict[int, list[SpeechRegion]] = {}
    for region in sorted(regions, key=lambda region: region.start):
        by_channel.setdefault(region.channel, []).append(region)
    windows: list[Window] = []
    for channel, own in by_channel.items():
        spans = [
            part
            for start, end in _joined(own, options)
            for part in _cut(start, end, levels.decibels[channel], options.longest)
        ]
        windows += _with_context(channel, spans, duration, options.context)
    return tuple(sorted(windows, key=lambda window: (window.start, window.channel)))


def _joined(regions: Sequence[SpeechRegion], options: WindowOptions) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for region in regions:
        fits = spans and region.end - spans[-1][0] <= options.longest
        if fits and region.start - spans[-1][1] < options.pause:
            spans[-1] = (spans[-1][0], max(spans[-1][1], region.end))
        else:
            spans.append((region.start, region.end))
    return spans


def _cut(start: float, end: float, decibels: np.ndarray, longest: float) -> list[tuple[float, float]]:
    """Parts of at most `longest` seconds, cut at the least loud place of the later half of it."""
    parts = []
    while end - start > longest:
        first, last = int((start + longest / 2) / HOP_SECONDS), int((start + longest) / HOP_SECONDS)
        loudness = np.convolve(decibels, np.ones(_SMOOTHING) / _SMOOTHING, mode="same")[first:last]
        place = (first + int(loudness.argmin()) + 0.5) * HOP_SECONDS if len(loudness) else start + longest
        place = min(place, start + longest)
        parts.append((start, place))
        start = place
    return [*parts, (start, end)]


def _with_context(
    channel: int, spans: Sequence[tuple[float, float]], duration: float, context: float
) -> list[Window]:
    """Half of a gap belongs to either neighbour at most."""
    windows = []
    for index, (start, end) in enumerate(spans):
        earliest = (spans[index - 1][1] + start) / 2 if index else 0.0
        latest = (end + spans[index + 1][0]) / 2 if index + 1 < len(spans) else duration
        heard_from, heard_to = max(earliest, start - context), min(latest, end + context)
        windows.append(Window(channel, start, end, heard_from, heard_to))
    return windows
