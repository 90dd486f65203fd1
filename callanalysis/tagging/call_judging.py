"""The call head at work: willingness with its score, ability, reason, and the turns that decided it.

It knows probabilities of labels turn by turn; it knows no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from callanalysis.labels import Role
from callanalysis.schema import CallTags
from callanalysis.tagging.call_head import ABILITIES, LEVELS, REASONS, CallLogits
from callanalysis.tagging.metrics import Floats

if TYPE_CHECKING:
    from callanalysis.tagging.model import TaggerModel
    from callanalysis.tagging.scoring import Scores

KNOWN_LABEL = "known"  # name of the threshold above which willingness is judged at all
MOST_EVIDENCE = 3
LEAST_SHIFT = 0.08  # of the expected level (0-3): a turn that moves it less is no evidence
_CHUNK = 32  # calls in one forward pass of the head


@dataclass(frozen=True, slots=True)
class CallScores:
    """Judgements as numbers: expected level 0-3, probability of known, of each ability, of each reason."""

    level: Floats
    known: Floats
    ability: Floats
    reason: Floats


def turn_features(scores: Scores) -> Floats:
    """Return what the call head reads of each turn: (turns, intents + risks) probabilities."""
    return np.concatenate([scores.intent, scores.risk], axis=1)


def judge(model: TaggerModel, scores: Scores, roles: Sequence[Role]) -> CallTags:
    """Return the judgement on one call; `evidence` are positions of turns, the most telling first."""
    debtor = [i for i, role in enumerate(roles) if role == "debtor"]
    if not debtor:
        return CallTags("unknown", None, "unknown", "unknown")
    features = turn_features(scores)
    without = [np.delete(features, i, axis=0) for i in debtor] if len(features) > 1 else []
    found = score_calls(model, [features, *without])
    threshold = float(model.config.thresholds.get(KNOWN_LABEL, 0.5))
    ability, reason = ABILITIES[found.ability[0].argmax()], REASONS[found.reason[0].argmax()]
    if found.known[0] < threshold:
        return CallTags("unknown", None, ability, reason)
    level, score = level_of(float(found.level[0]))
    shift = np.abs(found.level[1:] - found.level[0])
    order = [int(i) for i in np.argsort(-shift)[:MOST_EVIDENCE] if shift[i] >= LEAST_SHIFT]
    evidence = tuple(debtor[i] for i in order)
    return CallTags(level, score, ability, reason, evidence)  # type: ignore[arg-type]


def level_of(expected: float) -> tuple[str, float]:
    """Return the level nearest to an expected level 0-3, and the score 0-1 that lies within its bounds."""
    index = min(int(expected + 0.5), len(LEVELS) - 1)
    score = (expected + 0.5) / len(LEVELS)
    return LEVELS[index], round(min(max(score, index / len(LEVELS)), (index + 1) / len(LEVELS)), 4)


def score_calls(model: TaggerModel, calls: Sequence[Floats]) -> CallScores:
    """Return the scores of calls given as turn features."""
    temperatures = model.config.temperatures
    chunks = [calls[start : start + _CHUNK] for start in range(0, len(calls), _CHUNK)]
    model.eval()
    with torch.inference_mode():
        parts = [model.call(*pad_calls(chunk)) for chunk in chunks]
    steps = torch.cat([p.steps for p in parts]) / temperatures.get("willingness", 1.0)
    return CallScores(
        level=_array(torch.sigmoid(steps).sum(-1)),
        known=_array(torch.sigmoid(torch.cat([p.known for p in parts]))),
        ability=_softmax(parts, "ability", temperatures.get("ability", 1.0)),
        reason=_softmax(parts, "reason", temperatures.get("reason", 1.0)),
    )


def pad_calls(calls: Sequence[Floats]) -> tuple[Tensor, Tensor]:
    """Return calls as (calls, turns, labels) with zeros after the end, and the mask (calls, turns)."""
    longest = max(len(call) for call in calls)
    padded = np.zeros((len(calls), longest, calls[0].shape[1]), dtype=np.float32)
    mask = np.zeros((len(calls), longest), dtype=np.float32)
    for i, call in enumerate(calls):
        padded[i, : len(call)], mask[i, : len(call)] = call, 1
    return torch.from_numpy(padded), torch.from_numpy(mask)


def _softmax(parts: Sequence[CallLogits], head: str, temperature: float) -> Floats:
    logits = torch.cat([getattr(part, head) for part in parts])
    return _array(torch.softmax(logits / temperature, dim=-1))


def _array(tensor: Tensor) -> Floats:
    return np.asarray(tensor.double().numpy())
