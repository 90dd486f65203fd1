"""Batches of training examples as tensors, in an order that depends on the seed and the place only.

The n-th batch of a run is the same whether the run was interrupted or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from whisper.audio import HOP_LENGTH, N_FFT, mel_filters

from callanalysis.speech.training.examples import WINDOW_SECONDS, Example, ExampleMaker
from callanalysis.speech.training.model import FRAMES_PER_SECOND
from callanalysis.speech.training.pairs import SAMPLE_RATE
from callanalysis.speech.training.text import Vocabulary

SECONDS_PER_BATCH = 60.0
SHORT_SECONDS_PER_BATCH = 20.0
SHORT_SECONDS = 2.0  # utterances up to this length come first (curriculum by length, Amodei 2016)
FRAME_STEP = 64  # lengths are rounded up to this many mel frames: few shapes, few kernels
TOKEN_STEP = 8
WRONG_TOKENS = (
    0.15  # of the text given to the decoder is another text's, so that it listens instead of guessing on
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step: log-mel (batch, 80, frames), compact tokens in and out, places, phones.

    `targets` is -100 where nothing is learnt; `places` are indices into the example's phones, NaN where none.
    `phones` are all labels end to end, `phone_counts` how many belong to each example, `frames` its encoder
    frames; `aligned` (batch, frames) is the phone of each frame if the phones of an utterance were equally
    long, -100 in pauses.
    """

    mel: Tensor
    inputs: Tensor
    targets: Tensor
    places: Tensor
    phones: Tensor
    phone_counts: Tensor
    frames: Tensor
    aligned: Tensor
    seconds: float


class Batches:
    """The batches of a run: `single` ones sorted by length, `window` ones of 30 s."""

    def __init__(self, maker: ExampleMaker, vocabulary: Vocabulary, phones: list[str], seed: int) -> None:
        self._rows, self._maker, self._vocabulary, self._seed = maker.rows, maker, vocabulary, seed
        self._phone_ids = {name: i + 1 for i, name in enumerate(phones)}

    def short(self, place: int) -> Batch:
        """Return batch number `place` of the endless sequence of small batches of short utterances."""
        return self._singles(place, SHORT_SECONDS)

    def single(self, place: int) -> Batch:
        """Return batch number `place` of the endless sequence of single-utterance batches."""
        return self._singles(place, None)

    def _singles(self, place: int, longest: float | None) -> Batch:
        per_epoch = len(self._plan(0, longest))
        epoch, index = divmod(place, per_epoch)
        plan = self._plan(epoch, longest)
        rng = np.random.default_rng((self._seed, 3 if longest else 1, place))
        return self._collate(
            [self._maker.single(self._rows[i], rng) for i in plan[min(index, len(plan) - 1)]], rng
        )

    def window(self, place: int) -> Batch:
        """Return batch number `place` of the endless sequence of window batches."""
        rng = np.random.default_rng((self._seed, 2, place))
        count = int(SECONDS_PER_BATCH / WINDOW_SECONDS)
        return self._collate([self._maker.window(rng) for _ in range(count)], rng)

    @lru_cache(maxsize=4)  # noqa: B019 - one object lives as long as the run
    def _plan(self, epoch: int, longest: float | None) -> list[list[int]]:
        rng = np.random.default_rng((self._seed, 0, epoch))
        lengths = np.array([row.seconds for row in self._rows])
        order = np.argsort(lengths + rng.uniform(0, 0.3, len(lengths)))
        budget = SECONDS_PER_BATCH
        if longest is not None and (lengths <= longest).any():
            order, budget = order[lengths[order] <= longest], SHORT_SECONDS_PER_BATCH
        batches: list[list[int]] = [[]]
        for i in order:
            if batches[-1] and (len(batches[-1]) + 1) * lengths[i] > budget:
                batches.append([])
            batches[-1].append(int(i))
        rng.shuffle(batches)
        return batches

    def _collate(self, examples: list[Example], rng: np.random.Generator) -> Batch:
        longest = max(len(e.samples) for e in examples)
        frames = (
            _round_up(longest / HOP_LENGTH, FRAME_STEP) if longest < WINDOW_SECONDS * SAMPLE_RATE else 3000
        )
        samples = np.zeros((len(examples), frames * HOP_LENGTH), dtype=np.float32)
        width = _round_up(max(len(e.tokens) for e in examples) - 1, TOKEN_STEP)
        eot = int(self._vocabulary.compact(np.array([self._maker.eot]))[0])
        inputs = np.full((len(examples), width), eot)
        targets = np.full((len(examples), width), -100)
        places = np.full((len(examples), width), np.nan, dtype=np.float32)
        for i, example in enumerate(examples):
            samples[i, : len(example.samples)] = example.samples
            ids = self._vocabulary.compact(np.array(example.tokens))
            n = len(ids) - 1
            inputs[i, :n] = ids[:-1]
            targets[i, example.loss_from : n] = ids[example.loss_from + 1 :]
            places[i, :n] = example.places[1:]
        inputs = self._disturb(inputs, rng)
        phones = [self._phone_ids[p] for e in examples for p in e.phones]
        aligned = np.stack([self._align(e, frames // 2) for e in examples])
        return Batch(
            mel=mask(log_mel(torch.from_numpy(samples)), rng),
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(targets),
            places=torch.from_numpy(places),
            phones=torch.tensor(phones, dtype=torch.long),
            phone_counts=torch.tensor([len(e.phones) for e in examples]),
            frames=torch.full((len(examples),), frames // 2),
            aligned=torch.from_numpy(aligned),
            seconds=len(examples) * frames * HOP_LENGTH / SAMPLE_RATE,
        )

    def _disturb(self, inputs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Special tokens and timestamps stay; the targets are not touched."""
        text = self._vocabulary.ids[inputs] < self._maker.eot
        wrong = text & (rng.random(inputs.shape) < WRONG_TOKENS)
        return np.where(wrong, rng.choice(inputs[text], inputs.shape), inputs) if text.any() else inputs

    def _align(self, example: Example, frames: int) -> np.ndarray:
        out = np.full(frames, -100, dtype=np.int64)
        ids = [self._phone_ids[p] for p in example.phones]
        done = 0
        for start, end, count in example.spans:
            first, last = int(start * FRAMES_PER_SECOND), min(int(end * FRAMES_PER_SECOND), frames)
            if count and last > first:
                at = np.arange(last - first) * count // (last - first)
                out[first:last] = np.array(ids[done : done + count])[at]
            done += count
        return out


def log_mel(samples: Tensor) -> Tensor:
    """Return Whisper's log-mel spectrogram (batch, 80, frames) with its scaling done for each example alone."""
    window = torch.hann_window(N_FFT)
    stft = torch.stft(samples, N_FFT, HOP_LENGTH, window=window, return_complex=True)
    power = mel_filters("cpu", 80) @ (stft[..., :-1].abs() ** 2)
    log_spec = power.clamp(min=1e-10).log10()
    top = log_spec.amax(dim=(1, 2), keepdim=True)
    return (torch.maximum(log_spec, top - 8.0) + 4.0) / 4.0


def mask(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Return the mel with up to two bands of at most 10 bins and one gap of at most 0.12 s set to its mean."""
    for i in range(mel.shape[0]):
        mean = mel[i].mean()
        for _ in range(int(rng.integers(0, 3))):
            low = int(rng.integers(0, 70))
            mel[i, low : low + int(rng.integers(1, 11))] = mean
        if rng.random() < 0.3:
            at = int(rng.integers(0, mel.shape[2] - 12))
            mel[i, :, at : at + int(rng.integers(2, 13))] = mean
    return mel


def ahead(make: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches while a thread makes the next one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, make, None)
        while (batch := pending.result()) is not None:
            pending = pool.submit(next, make, None)
            yield batch


def _round_up(value: float, step: int) -> int:
    return int(-(-value // step) * step)
