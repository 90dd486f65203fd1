"""How loud a recording is and where it is tonal, frame by frame, gathered while it is decoded.

It knows frequencies and decibels, not what they mean: tones.py and channels.py judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from callanalysis.audio.reader import Recording

SAMPLE_RATE = 16_000  # Hz, of all sound inside the package
HOP = 512  # samples between frames, 32 ms
HOP_SECONDS = HOP / SAMPLE_RATE
_WINDOW = 1024  # samples in a frame, 64 ms: bins of 15.6 Hz
_LOW, _HIGH = 6, 256  # bins, 94-4000 Hz: no direct current, no mains hum, all that a telephone carries
_HANN = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
_PEAK_REACH = 2  # bins either side that the Hann window spreads a pure tone over
FLOOR_DB = -100.0
_BELOW_LOUDEST_DB = 25.0  # the range of levels within speech


@dataclass(frozen=True, slots=True)
class Levels:
    """Frames of all channels, `HOP_SECONDS` apart, each array of shape (channels, frames).

    `decibels` is RMS relative to full scale between 94 and 4000 Hz; `tonality` the share of the energy in the
    two strongest lines of the spectrum, 0-1; `centre` the mean frequency of those lines in Hz. `products` is
    the matrix of inner products of the channels, which tells copies from sides of their own.
    """

    decibels: np.ndarray
    tonality: np.ndarray
    centre: np.ndarray
    products: np.ndarray

    def of(self, channels: tuple[int, ...]) -> Levels:
        """Return the levels of these channels alone."""
        rows = list(channels)
        return Levels(
            self.decibels[rows], self.tonality[rows], self.centre[rows], self.products[np.ix_(rows, rows)]
        )

    def loudness(self, channel: int) -> float:
        """Return the level of what is heard on a channel, in dB: of speech, also where it is rare."""
        frames = self.decibels[channel]
        loudest = np.percentile(frames, 99.5)  # 0.3 s of a minute: no click
        return float(np.percentile(frames[frames >= loudest - _BELOW_LOUDEST_DB], 75))


class LevelMeter:
    """Takes blocks of sound in order and gives their Levels at the end."""

    def __init__(self) -> None:
        self._rest: np.ndarray | None = None
        self._frames: list[np.ndarray] = []
        self._products: np.ndarray | None = None

    def add(self, block: np.ndarray) -> None:
        """Take the next block: float32 of shape (channels, samples) at 16 kHz."""
        wide = block.astype(np.float64)
        products = wide @ wide.T
        self._products = products if self._products is None else self._products + products
        joined = block if self._rest is None else np.concatenate([self._rest, block], axis=1)
        count = max(0, (joined.shape[1] - _WINDOW) // HOP + 1)
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(joined, _WINDOW, axis=1)[:, ::HOP][:, :count]
            self._frames.append(_measure(windows))
        self._rest = joined[:, count * HOP :]

    def levels(self) -> Levels:
        """Return what was measured; the last, incomplete frame is filled up with silence."""
        if self._rest is None or self._products is None:
            raise ValueError("no sound was measured: add a block first")
        missing = _WINDOW - self._rest.shape[1]
        if missing > 0:
            last = np.pad(self._rest, ((0, 0), (0, missing)))[:, None, :]
            self._frames.append(_measure(last))
        decibels, tonality, centre = np.concatenate(self._frames, axis=2)
        return Levels(decibels, tonality, centre, self._products)


def envelope(recording: Recording, points: int) -> np.ndarray:
    """Return the waveform's peaks for drawing: float32 of shape (channels, points), 0-1.

    Each point is the largest magnitude in its share of the recording, which is read in bounded memory.
    """
    edges = np.linspace(0, recording.duration, points + 1)
    peaks = np.zeros((recording.channels, points), dtype=np.float32)
    for channel in range(recording.channels):
        for index in range(points):
            samples = recording.samples(channel, edges[index], edges[index + 1])
            peaks[channel, index] = np.abs(samples).max(initial=0.0)
    return peaks


def _measure(windows: np.ndarray) -> np.ndarray:
    """(channels, frames, samples) -> (3, channels, frames): decibels, tonality, centre."""
    spectrum = np.abs(np.fft.rfft(windows * _HANN)[..., _LOW:_HIGH]) ** 2
    total = spectrum.sum(axis=-1)
    scale = 2 / (_WINDOW * float((_HANN**2).sum()))
    decibels = 10 * np.log10(np.maximum(total * scale, 10 ** (FLOOR_DB / 10)))
    first, first_moment, rest = _take_peak(spectrum)
    second, second_moment, _ = _take_peak(rest)
    lines = np.maximum(first + second, 1e-20)
    centre = (first_moment + second_moment) / lines
    return np.stack([decibels, lines / np.maximum(total, 1e-20), centre]).astype(np.float32)


def _take_peak(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return energy and first moment (energy x Hz) of the strongest line, and the spectrum without it."""
    peak = spectrum.argmax(axis=-1)[..., None]
    bins = np.arange(spectrum.shape[-1])
    near = np.abs(bins - peak) <= _PEAK_REACH
    line = np.where(near, spectrum, 0.0)
    hertz = (bins + _LOW) * (SAMPLE_RATE / _WINDOW)
    return line.sum(axis=-1), (line * hertz).sum(axis=-1), np.where(near, 0.0, spectrum)
