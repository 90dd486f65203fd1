"""The sound of training examples, mixed and turned into log-mel on the device that trains.

A GPU holds all recordings of a run (16-bit, 5.8 GB for 50 hours), so that nothing but their places travels to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from whisper.audio import HOP_LENGTH, N_FFT, mel_filters

MASKED = 0.33  # of the examples lose a band of frequencies
FULL_SCALE = 32768.0
DEPTH = 8.0  # powers of ten below its loudest point where Whisper cuts a recording off
QUIETER = 0.4  # of the examples are cut off higher: parts of a recording that is louder elsewhere
_MASK_SEED, _NOISE_SEED = 3, 4


@dataclass(frozen=True, slots=True)
class Mix:
    """How the sound of an example is made.

    `pieces` are recordings: their first sample among all, their length, and where they begin in the example.
    `noise` is the level (1 is full scale) of white noise over the first `noisy` samples; then all is multiplied by
    `gain`.
    """

    pieces: tuple[tuple[int, int, int], ...]
    length: int
    noise: float = 0.0
    noisy: int = 0
    gain: float = 1.0


class SoundBank:
    """All recordings of a run, 16 kHz, end to end."""

    def __init__(self, sound: np.ndarray, device: torch.device) -> None:
        self.device = device
        self._sound = torch.from_numpy(sound).to(device)

    def mel(self, mixes: Sequence[Mix], frames: int, seed: int) -> Tensor:
        """Return the log-mel (batch, 80, frames) of the examples, each somewhat disturbed as `seed` draws it."""
        rng = np.random.default_rng((seed, _MASK_SEED))
        depth = DEPTH - (rng.random(len(mixes)) < QUIETER) * rng.uniform(0, 1.5, len(mixes))
        mixed = self.mix(mixes, frames * HOP_LENGTH, seed)
        return mask(log_mel(mixed, torch.from_numpy(depth).float().to(mixed.device)), rng)

    def mix(self, mixes: Sequence[Mix], samples: int, seed: int) -> Tensor:
        """Return the examples' samples (batch, samples), float32, -1 to 1, silent after an example's end."""
        out = torch.zeros(len(mixes), samples, device=self.device)
        self._put(mixes, out)
        gain, noise, noisy = self._columns((m.gain, m.noise * m.gain, min(m.noisy, m.length)) for m in mixes)
        out *= gain / FULL_SCALE
        if any(mix.noise for mix in mixes):
            draw = torch.Generator(self.device).manual_seed(seed * 8 + _NOISE_SEED)
            hiss = torch.randn(out.shape, generator=draw, device=self.device).mul_(noise)
            out += hiss.mul_(torch.arange(samples, device=self.device) < noisy)
        return out

    def _put(self, mixes: Sequence[Mix], out: Tensor) -> None:
        """Copy every piece to its place at once: one by one they would keep a GPU waiting."""
        pieces = [
            (place, i * out.shape[1] + start, min(length, mix.length - start))
            for i, mix in enumerate(mixes)
            for place, length, start in mix.pieces
        ]
        table = np.array(pieces, dtype=np.int64).reshape(-1, 3).T
        total = int(table[2].sum())
        there = torch.from_numpy(table).to(self.device)
        source, target, lengths = there
        before = lengths.cumsum(0) - lengths
        which = torch.repeat_interleave(lengths, output_size=total)
        within = torch.arange(total, device=self.device) - before[which]
        out.view(-1)[target[which] + within] = self._sound[source[which] + within].float()

    def _columns(self, rows: Iterable[tuple[float, ...]]) -> tuple[Tensor, ...]:
        """The columns of a table, each (batch, 1)."""
        return tuple(torch.tensor(list(rows), device=self.device).T.unsqueeze(-1))


def log_mel(samples: Tensor, depth: Tensor | None = None) -> Tensor:
    """Return Whisper's log-mel spectrogram (batch, 80, frames) with its scaling done for each example alone.

    `depth` (batch,) is where each is cut off below its loudest point, in powers of ten.
    """
    window = torch.hann_window(N_FFT, device=samples.device)
    stft = torch.stft(samples, N_FFT, HOP_LENGTH, window=window, return_complex=True)
    power = mel_filters(samples.device, 80) @ (stft[..., :-1].abs() ** 2)
    log_spec = power.clamp(min=1e-10).log10()
    floor = log_spec.amax(dim=(1, 2), keepdim=True) - (DEPTH if depth is None else depth[:, None, None])
    return (torch.maximum(log_spec, floor) + 4.0) / 4.0


def mask(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Return the mel, of a third of the examples with a band of at most 10 bins set to its mean.

    SpecAugment (Park 2019) in little: a network that has heard its pairs a few times only does not overfit.
    """
    low = rng.integers(0, 70, mel.shape[0])
    width = rng.integers(1, 11, mel.shape[0]) * (rng.random(mel.shape[0]) < MASKED)
    bins = np.arange(mel.shape[1])
    lost = torch.from_numpy((bins >= low[:, None]) & (bins < (low + width)[:, None])).to(mel.device)
    return torch.where(lost.unsqueeze(-1), mel.mean(dim=(1, 2), keepdim=True), mel)
