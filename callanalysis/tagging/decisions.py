"""From scores to labels: temperatures that make scores honest, thresholds per label, and the rule of `other`.

Temperatures and thresholds are fitted on validation families. It knows arrays and label names, no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from callanalysis.labels import OTHER
from callanalysis.tagging.metrics import Flags, Floats

DEFAULT_THRESHOLD = 0.5
FEWEST_CASES = 4  # with fewer true cases in validation a label takes its axis's common threshold
STRENGTH = 10.0  # cases at which a label's own threshold counts as much as the common one
_GRID = np.arange(0.1, 0.91, 0.02)


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Return the scores of logits at a temperature."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits / temperature, -40, 40))))


def fit_temperature(logits: Floats, truth: Flags, allowed: Flags) -> float:
    """Return the temperature with the lowest log loss over the labels that each speaker can carry."""
    if not allowed.any():
        return 1.0
    chosen, true = logits[allowed], truth[allowed]
    grid = np.exp(np.linspace(np.log(0.4), np.log(5.0), 46))
    return float(min(grid, key=lambda t: _log_loss(probabilities(chosen, float(t)), true)))


def fit_mixture(deep: Floats, wide: Floats, truth: Flags, allowed: Flags) -> tuple[float, float]:
    """Return the share of `deep` beside `wide` and the temperature that together have the lowest log loss."""
    best = (float("inf"), 0.5, 1.0)
    for share in (round(0.1 * step, 1) for step in range(11)):
        logits = share * deep + (1 - share) * wide
        temperature = fit_temperature(logits, truth, allowed)
        if allowed.any():
            loss = _log_loss(probabilities(logits[allowed], temperature), truth[allowed])
            best = min(best, (loss, share, temperature))
    return best[1], best[2]


def fit_thresholds(names: Sequence[str], scores: Floats, truth: Flags) -> dict[str, float]:
    """Return a threshold per label with the best F1, drawn towards the common one where cases are few."""
    columns = [i for i, name in enumerate(names) if name != OTHER.name]
    common = _best([(scores[:, i], truth[:, i]) for i in columns])
    thresholds = {}
    for i, name in enumerate(names):
        cases = int(truth[:, i].sum())
        own = _best([(scores[:, i], truth[:, i])]) if cases >= FEWEST_CASES else common
        weight = cases / (cases + STRENGTH)
        thresholds[name] = round(weight * own + (1 - weight) * common, 3)
    return thresholds


def decide(names: Sequence[str], scores: Floats, thresholds: Mapping[str, float]) -> Flags:
    """Return which labels hold (lines, labels); on the intent axis `other`, alone, where none passes."""
    limits = np.array([thresholds.get(name, DEFAULT_THRESHOLD) for name in names])
    found: Flags = scores >= limits
    if OTHER.name in names:
        at = list(names).index(OTHER.name)
        found[:, at] = False
        found[:, at] = ~found.any(1)
    return found


def _best(columns: Sequence[tuple[Floats, NDArray[np.bool_]]]) -> float:
    """Return the threshold with the best F1 over the columns together; the middle of a plateau."""
    values = []
    for limit in _GRID:
        hits = sum(int((true & (score >= limit)).sum()) for score, true in columns)
        said = sum(int((score >= limit).sum()) for score, _ in columns)
        true_ = sum(int(true.sum()) for _, true in columns)
        values.append(2 * hits / max(said + true_, 1))
    top = np.flatnonzero(np.array(values) >= max(values) - 1e-9)
    return float(_GRID[top[len(top) // 2]])


def _log_loss(scores: Floats, truth: NDArray[np.bool_]) -> float:
    safe = np.clip(scores, 1e-6, 1 - 1e-6)
    return float(-np.where(truth, np.log(safe), np.log(1 - safe)).mean())
