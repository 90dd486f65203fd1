"""Encoded inputs as padded tensors, in batches of like length.

It knows numbers only.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence

import torch

from callanalysis.labels import ROLES, Role
from callanalysis.tagging.model import Batch
from callanalysis.tagging.tokens import Encoded

_ROLE_INDEX = {role: index for index, role in enumerate(ROLES)}


def collate(inputs: Sequence[Encoded], roles: Sequence[Role], pad: int, device: torch.device) -> Batch:
    """Return the inputs padded to the longest of them."""
    longest = max(len(x.ids) for x in inputs)
    rows = [(x.ids, x.segments, longest - len(x.ids)) for x in inputs]
    return Batch(
        ids=torch.tensor([(*ids, *[pad] * gap) for ids, _, gap in rows], device=device),
        mask=torch.tensor([[1] * len(ids) + [0] * gap for ids, _, gap in rows], device=device),
        segments=torch.tensor([(*seg, *[0] * gap) for _, seg, gap in rows], device=device),
        roles=torch.tensor([_ROLE_INDEX[role] for role in roles], device=device),
    )


def by_length(lengths: Sequence[int], tokens: int, most: int = 256) -> list[list[int]]:
    """Return indices in batches of rising length, each of at most `tokens` tokens, padding included."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        batch = batches[-1] if batches else None
        if batch is None or len(batch) >= most or (len(batch) + 1) * lengths[index] > tokens:
            batches.append([index])
        else:
            batch.append(index)
    return batches


def shuffled(lengths: Sequence[int], tokens: int, rng: random.Random) -> list[list[int]]:
    """Return batches for training: like lengths together, but neither pools nor batches in a fixed order."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    batches: list[list[int]] = []
    pool = max(1, 50 * tokens // max(1, sum(lengths) // max(1, len(lengths))))
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        alike = by_length([lengths[i] for i in part], tokens, most=tokens // 8)
        batches += [[part[i] for i in batch] for batch in alike]
    rng.shuffle(batches)
    return batches


class Order:
    """Which inputs make up the batch of a step, from the seed alone; every pass is shuffled anew."""

    def __init__(self, lengths: Sequence[int], tokens: int, seed: int) -> None:
        self.lengths, self.tokens, self.seed = lengths, tokens, seed
        self._starts = [0]  # first step of every pass that was looked at
        self._latest: tuple[int, list[list[int]]] = (-1, [])

    def batch(self, step: int) -> tuple[int, list[int]]:
        """Return the number of the pass and the indices of the inputs of that step."""
        while True:
            number = bisect_right(self._starts, step) - 1
            batches = self._batches(number)
            if step < self._starts[number] + len(batches):
                return number, batches[step - self._starts[number]]

    @property
    def first_pass(self) -> int:
        """Return the number of batches in the first pass."""
        self._batches(0)
        return self._starts[1]

    def _batches(self, number: int) -> list[list[int]]:
        if self._latest[0] != number:
            rng = random.Random(self.seed * 7919 + number)
            self._latest = number, shuffled(self.lengths, self.tokens, rng)
        if len(self._starts) == number + 1:
            self._starts.append(self._starts[number] + len(self._latest[1]))
        return self._latest[1]
