"""Batches of training examples as tensors, in an order that depends on the seed and the place only.

The n-th batch of a run is the same whether the run was interrupted or not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from whisper.audio import HOP_LENGTH, N_FRAMES

from callanalysis.speech.training.examples import QUIET_SECONDS, WINDOW_SECONDS, Example, ExampleMaker
from callanalysis.speech.training.model import FRAMES_PER_SECOND
from callanalysis.speech.training.pairs import SAMPLE_RATE
from callanalysis.speech.training.sound import Mix
from callanalysis.speech.training.text import Vocabulary

SECONDS_PER_BATCH = 40.0  # of each process
# An H100 took 93 ms for a step of 960 s and 101 ms for one of 1,920 s: below that, what feeds it is the limit.
SECONDS_ON_GPU = 1920.0
PROMPTED = 0.1  # of the batches of single utterances come with text before them
# Few shapes, few kernels: oneDNN makes new ones for each shape, which takes as long as the step itself.
FRAME_STEP = 64  # mel frames
TOKEN_STEP = 16
LEARNT_STEP = 128  # tokens of a batch that are learnt
WRONG_TOKENS = (
    0.05  # of the text given to the decoder is another text's, so that it listens instead of guessing on
)


@dataclass(frozen=True, slots=True)
class Batch:
    """One step: what is heard, in `mel_frames` each, as `seed` disturbs it; compact tokens in and out, places, phones.

    `targets` is -100 where nothing is learnt; `places` say when each target is spoken (seconds, NaN where not
    known). `phones` are all labels end to end, `phone_counts` how many belong to each example, `frames`
    its encoder frames; `aligned` (batch, frames) is the phone of each frame, 0 for none, None unless the times of all
    are known. `learnt` are the places in the flattened `targets` where something is learnt, filled up with
    others to a round number; `heard` likewise where a token and the one before it are spoken at a known place.
    `first_frames` are the encoder's positions where the examples begin.
    """

    mixes: tuple[Mix, ...]
    mel_frames: int
    seed: int
    inputs: Tensor
    targets: Tensor
    places: Tensor
    phones: Tensor
    phone_counts: Tensor
    frames: Tensor
    aligned: Tensor | None
    first_frames: Tensor
    learnt: Tensor
    heard: Tensor
    seconds: float

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on that device."""
        there: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        moved: dict[str, Any] = {
            k: v.to(device, non_blocking=True) for k, v in there.items() if isinstance(v, Tensor)
        }
        return replace(self, **moved)


class Batches:
    """The batches of a run: `single` ones sorted by length, `window` ones of 30 s."""

    def __init__(
        self,
        maker: ExampleMaker,
        vocabulary: Vocabulary,
        phones: list[str],
        seed: int,
        seconds: float = SECONDS_PER_BATCH,
    ) -> None:
        self._seconds = seconds
        self._rows, self._maker, self._vocabulary, self._seed = maker.rows, maker, vocabulary, seed
        self._phone_ids = {name: i + 1 for i, name in enumerate(phones)}

    def single(self, place: int) -> Batch:
        """Return batch number `place` of the endless sequence of single-utterance batches."""
        per_epoch = len(self._plan(0))  # the same in every epoch
        epoch, index = divmod(place, per_epoch)
        frames, chosen = self._plan(epoch)[index]
        rng = np.random.default_rng((self._seed, 1, place))
        prompt = bool(rng.random() < PROMPTED)  # for all of a batch: a long one makes all its examples long
        return self._collate([self._maker.single(self._rows[i], rng, prompt) for i in chosen], frames, rng)

    def window(self, place: int) -> Batch:
        """Return batch number `place` of the endless sequence of window batches."""
        rng = np.random.default_rng((self._seed, 2, place))
        count = round(self._seconds / WINDOW_SECONDS)
        return self._collate([self._maker.window(rng) for _ in range(count)], N_FRAMES, rng)

    @lru_cache(maxsize=4)  # noqa: B019 - one object lives as long as the run
    def _plan(self, epoch: int) -> list[tuple[int, list[int]]]:
        """Batches of one length each: mel frames and the rows, in random order, the last filled up with others."""
        rng = np.random.default_rng((self._seed, 0, epoch))
        frames = np.array([frames_of(row.seconds) for row in self._rows])
        batches: list[tuple[int, list[int]]] = []
        for length in np.unique(frames):
            alike = rng.permutation(np.flatnonzero(frames == length))
            count = max(1, int(self._seconds * SAMPLE_RATE / HOP_LENGTH / length))
            number = -(-len(alike) // count)
            filled = np.resize(alike, (number, count))
            batches += [(int(length), [int(i) for i in batch]) for batch in filled]
        rng.shuffle(batches)
        return batches

    def _collate(self, examples: list[Example], frames: int, rng: np.random.Generator) -> Batch:
        width = _round_up(max(len(e.tokens) for e in examples) - 1, TOKEN_STEP)
        eot = int(self._vocabulary.compact(np.array([self._maker.eot]))[0])
        inputs = np.full((len(examples), width), eot)
        targets = np.full((len(examples), width), -100)
        places = np.full((len(examples), width), np.nan, dtype=np.float32)
        for i, example in enumerate(examples):
            ids = self._vocabulary.compact(np.array(example.tokens))
            n = len(ids) - 1
            inputs[i, :n] = ids[:-1]
            targets[i, example.loss_from : n] = ids[example.loss_from + 1 :]
            places[i, :n] = example.places[1:]
        inputs = self._disturb(inputs, rng)
        before = np.roll(targets, 1, axis=1)
        placed = ~np.isnan(places) & (targets != -100) & (before != -100)
        phones = [self._phone_ids[p] for e in examples for p in e.phones]
        timed = all(len(e.phone_times) == len(e.phones) for e in examples)
        return Batch(
            mixes=tuple(e.sound for e in examples),
            mel_frames=frames,
            seed=int(rng.integers(2**31)),
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(targets),
            learnt=padded_places(torch.from_numpy(targets != -100).flatten()),
            heard=padded_places(torch.from_numpy(placed).flatten()),
            places=torch.from_numpy(places),
            phones=torch.tensor(phones, dtype=torch.long),
            phone_counts=torch.tensor([len(e.phones) for e in examples]),
            frames=torch.full((len(examples),), frames // 2),
            aligned=torch.from_numpy(self._align(examples, frames // 2)) if timed else None,
            first_frames=torch.tensor([e.first_frame for e in examples]),
            seconds=len(examples) * frames * HOP_LENGTH / SAMPLE_RATE,
        )

    def _disturb(self, inputs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Special tokens and timestamps stay; the targets are not touched."""
        text = self._vocabulary.ids[inputs] < self._maker.eot
        wrong = text & (rng.random(inputs.shape) < WRONG_TOKENS)
        return np.where(wrong, rng.choice(inputs[text], inputs.shape), inputs) if text.any() else inputs

    def _align(self, examples: list[Example], frames: int) -> np.ndarray:
        out = np.zeros((len(examples), frames), dtype=np.int64)
        for row, example in zip(out, examples, strict=True):
            for phone, (start, end) in zip(example.phones, example.phone_times, strict=True):
                row[round(start * FRAMES_PER_SECOND) : round(end * FRAMES_PER_SECOND)] = self._phone_ids[
                    phone
                ]
        return out


def padded_places(wanted: Tensor) -> Tensor:
    """Return the indices where `wanted` is true and, up to a multiple of 128, the first ones where it is not."""
    places, others = wanted.nonzero().flatten(), (~wanted).nonzero().flatten()
    return torch.cat([places, others[: -len(places) % LEARNT_STEP]])


def frames_of(seconds: float) -> int:
    """Return the mel frames of a batch of utterances up to that long, with the quiet around them."""
    frames = _round_up((seconds + 2 * QUIET_SECONDS) * SAMPLE_RATE / HOP_LENGTH, FRAME_STEP)
    return min(frames, int(N_FRAMES))


def _round_up(value: float, step: int) -> int:
    return int(-(-value // step) * step)
