"""The wide path: a linear reading of the words and phrases of an utterance and of the turns before it.

It is a logistic regression over hashed token n-grams with inverse document frequencies, as a layer of the model.
It learns rare phrases from few examples, where the transformer beside it is slow. It knows token ids only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ORDERS = 4  # n-grams of one to four tokens of the utterance
CONTEXT_ORDERS = 2  # of the context
CONTEXT_WEIGHT = 0.4
_SALT = 0x51ED27  # keeps a word of the context apart from the same word in the utterance


class WideHead(nn.Module):
    """Logits of every label from hashed n-grams; `idf` holds the weight of each bucket."""

    idf: Tensor

    def __init__(self, buckets: int, labels: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = nn.EmbeddingBag(buckets, labels, mode="sum")
        self.bias = nn.Parameter(torch.full((labels,), -3.0))
        self.register_buffer("idf", torch.ones(buckets))
        nn.init.zeros_(self.table.weight)

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return (batch, labels)."""
        keys, there = self.keys(ids, mask, segments)
        weights = self.idf[keys] * there
        weights = weights / weights.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-6)
        read: Tensor = self.table(keys, per_sample_weights=weights)
        return read + self.bias

    def keys(self, ids: Tensor, mask: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Return the buckets of all n-grams (batch, n-grams), and the weight of each: 0 where there is none."""
        keys, there = [], []
        running = torch.zeros_like(ids)
        inside = mask > 0
        for order in range(ORDERS):
            earlier = nn.functional.pad(ids, (order, 0))[:, : ids.shape[1]]
            same = nn.functional.pad(segments, (order, 0), value=-1)[:, : ids.shape[1]]
            inside = inside & (same == segments)
            running = running * 1_000_003 + earlier + 1
            keys.append(self._bucket(running * ORDERS + order + segments * _SALT))
            context = CONTEXT_WEIGHT if order < CONTEXT_ORDERS else 0.0
            there.append(inside * torch.where(segments > 0, context, 1.0))
        return torch.cat(keys, dim=1), torch.cat(there, dim=1)

    def _bucket(self, value: Tensor) -> Tensor:
        """Return a well-mixed value below the number of buckets."""
        value = (value ^ (value >> 17)) * 0x2C1B3C6D
        value = (value ^ (value >> 13)) * 0x297A2D39
        return ((value ^ (value >> 16)) & 0x7FFFFFFF) % self.buckets
