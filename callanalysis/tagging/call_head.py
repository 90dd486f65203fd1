"""The judgement on a whole call from the tags of its turns in time order: willingness, ability, reason.

It knows the probabilities of labels and who spoke, not the words. What is said last weighs most.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from callanalysis.labels import ABILITY, OVERDUE_REASONS, WILLINGNESS

LEVELS = tuple(label.name for label in reversed(WILLINGNESS[:-1]))  # none, low, medium, high
ABILITIES = tuple(label.name for label in ABILITY)
REASONS = tuple(label.name for label in OVERDUE_REASONS)


@dataclass(frozen=True, slots=True)
class CallLogits:
    """Logits of one batch of calls: `steps` (batch, 3) of being above none, low, medium; `known` (batch,)."""

    steps: Tensor
    known: Tensor
    ability: Tensor
    reason: Tensor


class CallHead(nn.Module):
    """Pools the turns' label probabilities three ways (ever, on average, lately) and reads them linearly."""

    def __init__(self, labels: int, width: int = 48, dropout: float = 0.3) -> None:
        super().__init__()
        self.turn = nn.Linear(labels, width)
        self.decay = nn.Parameter(torch.tensor(0.5))  # per turn, back from the end
        self.dropout = nn.Dropout(dropout)
        features = width * 3
        self.level = nn.Linear(features, 1)
        self.cuts = nn.Parameter(torch.tensor([-1.0, 0.0, 1.0]))
        self.known = nn.Linear(features, 1)
        self.ability = nn.Linear(features, len(ABILITIES))
        self.reason = nn.Linear(features, len(REASONS))

    def forward(self, tags: Tensor, mask: Tensor) -> CallLogits:
        """Return the logits; `tags` (batch, turns, labels) probabilities, `mask` (batch, turns) 0 or 1."""
        there = mask.unsqueeze(-1)
        turns = torch.tanh(self.turn(self.dropout(tags))) * there
        age = mask.flip(1).cumsum(1).flip(1) - 1  # 0 for the last turn
        weight = torch.exp(-self.decay.abs() * age).unsqueeze(-1) * there
        recent = (turns * weight).sum(1) / weight.sum(1).clamp(min=1e-6)
        mean = turns.sum(1) / there.sum(1).clamp(min=1)
        ever = (turns - 2 * (1 - there)).amax(1)
        pooled = self.dropout(torch.cat([recent, mean, ever], dim=-1))
        steps = self.level(pooled) - self.cuts.sort().values
        return CallLogits(steps, self.known(pooled).squeeze(-1), self.ability(pooled), self.reason(pooled))
