"""Signalling tones of a telephone line: ring-back, busy, the beep of a voicemail box, a hold tone.

It judges by frequency and length, after ITU-T E.180 (450 Hz in China, 440 + 480 Hz in North America, 400 +
450 Hz in Britain); it does not know speech, and music is no tone to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from callanalysis.audio.levels import HOP_SECONDS, Levels

ToneKind = Literal["progress", "beep", "hold"]  # progress: ring-back, busy

SILENCE_DB = -60.0  # below this nothing on a telephone line is heard
_BELOW_LOUD_DB = 30.0  # frames this far below the loud parts are pauses
_TONALITY = 0.85  # share of energy in two spectral lines; vowels reach it for a few frames only
_STEADY_HZ = 35.0  # from frame to frame; two lines 40 Hz apart move their centre by less
_SHORTEST = 0.2  # seconds
_EDGE_FRAMES = 2  # frames at either end that hold only part of the tone
_ONLY_TONES = 0.9  # share of the frames that are not pauses
_PROGRESS_BAND = (390.0, 600.0)  # Hz, centre of ring-back and busy tones
_LONGEST_PULSE = 3.0  # seconds; ring-back sounds for 0.4-2 s, busy for 0.2-0.5 s, a beep for less than 2 s


@dataclass(frozen=True, slots=True)
class ToneRegion:
    """A stretch of steady tone on one channel."""

    channel: int
    start: float
    end: float
    hertz: float
    kind: ToneKind


def active_frames(levels: Levels, channel: int) -> np.ndarray:
    """Return which frames of a channel are not pauses, as booleans."""
    threshold = max(SILENCE_DB, float(levels.decibels[channel].max(initial=SILENCE_DB)) - _BELOW_LOUD_DB)
    return np.asarray(levels.decibels[channel] > threshold)


def tone_regions(levels: Levels) -> tuple[ToneRegion, ...]:
    """Return the tones of all channels in order of their start."""
    found = [region for channel in range(len(levels.decibels)) for region in _of_channel(levels, channel)]
    return tuple(sorted(found, key=lambda region: (region.start, region.channel)))


def only_tones(levels: Levels) -> bool:
    """Whether the recording holds tones and, but for pauses, nothing else."""
    active = np.array([active_frames(levels, channel) for channel in range(len(levels.decibels))])
    tonal = np.zeros_like(active)
    for region in tone_regions(levels):
        tonal[region.channel, round(region.start / HOP_SECONDS) : round(region.end / HOP_SECONDS)] = True
    loud = (
        float(levels.decibels.max(initial=SILENCE_DB)) - _BELOW_LOUD_DB
    )  # noise on the other side is a pause
    active &= levels.decibels > loud
    return bool(tonal.any() and (tonal & active).sum() >= _ONLY_TONES * active.sum())


def _of_channel(levels: Levels, channel: int) -> list[ToneRegion]:
    tonal = active_frames(levels, channel) & (levels.tonality[channel] >= _TONALITY)
    steady = np.abs(np.diff(levels.centre[channel], prepend=levels.centre[channel][:1])) < _STEADY_HZ
    found = []
    for first, last in _runs(tonal, steady):
        if (last - first) * HOP_SECONDS >= _SHORTEST:
            start = max(0, first - _EDGE_FRAMES) * HOP_SECONDS
            end = min(len(tonal), last + _EDGE_FRAMES) * HOP_SECONDS
            hertz = float(np.median(levels.centre[channel][first:last]))
            found.append(ToneRegion(channel, start, end, hertz, _kind((last - first) * HOP_SECONDS, hertz)))
    return found


def _runs(tonal: np.ndarray, steady: np.ndarray) -> list[tuple[int, int]]:
    """Half-open runs of tonal frames; a frame that is not steady begins a new run."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for index, is_tonal in enumerate(tonal):
        if start is not None and not (is_tonal and steady[index]):
            runs.append((start, index))
            start = None
        if start is None and is_tonal:
            start = index
    if start is not None:
        runs.append((start, len(tonal)))
    return runs


def _kind(seconds: float, hertz: float) -> ToneKind:
    if seconds > _LONGEST_PULSE:
        return "hold"
    return "progress" if _PROGRESS_BAND[0] <= hertz <= _PROGRESS_BAND[1] else "beep"
