"""Figures of a tagger: precision, recall, F1 with interval, kappa, calibration error. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
DRAWS = 400  # of the bootstrap


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label: counts, precision, recall, F1 (None without a true case) and its 95 % interval."""

    label: str
    n: int
    predicted: int
    hits: int
    precision: float | None
    recall: float | None
    f1: float | None
    interval: tuple[float, float] | None


class Bootstrap:
    """Resamples whole groups (families), as the lines of one call are not independent."""

    def __init__(self, groups: Sequence[str], seed: int = 7, draws: int = DRAWS) -> None:
        names = sorted(set(groups))
        place = {name: i for i, name in enumerate(names)}
        self._group = np.array([place[name] for name in groups], dtype=int)
        share = np.full(len(names), 1 / max(len(names), 1))
        self._times = np.random.default_rng(seed).multinomial(len(names), share, draws)

    def sums(self, flags: Flags) -> Counts:
        """Return how often each label (lines, labels) occurs in each draw: (draws, labels)."""
        each = np.zeros((self._times.shape[1], flags.shape[1]), dtype=np.int64)
        np.add.at(each, self._group, flags)
        return np.asarray(self._times @ each)


def f1_changes(truth: Flags, before: Flags, after: Flags, draws: Bootstrap) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % interval of each label's F1 after minus before, by a paired bootstrap.

    Both findings are on the same lines, so each draw takes the same groups for both, and the difference is drawn: what
    makes a line hard for both falls out, as it would not between two intervals that are drawn apart.
    """
    true = draws.sums(truth)
    old = _f1(draws.sums(truth & before), draws.sums(before), true)
    new = _f1(draws.sums(truth & after), draws.sums(after), true)
    low, high = np.quantile(new - old, [0.025, 0.975], axis=0)
    return np.asarray(low), np.asarray(high)


def label_figures(names: Sequence[str], truth: Flags, found: Flags, draws: Bootstrap) -> list[LabelFigures]:
    """Return the figures of every label; `truth` and `found` are (lines, labels)."""
    values = _f1(draws.sums(truth & found), draws.sums(found), draws.sums(truth))
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    figures = []
    for i, name in enumerate(names):
        n, said = int(truth[:, i].sum()), int(found[:, i].sum())
        hits = int((truth[:, i] & found[:, i]).sum())
        figures.append(
            LabelFigures(
                label=name,
                n=n,
                predicted=said,
                hits=hits,
                precision=hits / said if said else None,
                recall=hits / n if n else None,
                f1=2 * hits / (n + said) if n else None,
                interval=(float(low[i]), float(high[i])) if n else None,
            )
        )
    return figures


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many lines have `true` but not `found`, and were given `found` without having it."""

    true: str
    found: str
    n: int


def confusions(names: Sequence[str], truth: Flags, found: Flags, most: int = 15) -> list[Confusion]:
    """Return the most frequent confusions of two labels, the most frequent first."""
    missed, wrong = truth & ~found, found & ~truth
    counts = missed.T.astype(np.int64) @ wrong.astype(np.int64)
    pairs = sorted(zip(*np.nonzero(counts), strict=True), key=lambda pair: -counts[pair])
    return [Confusion(names[true], names[said], int(counts[true, said])) for true, said in pairs[:most]]


def macro_f1(truth: Flags, found: Flags) -> float | None:
    """Return the mean F1 of the labels (lines, labels) that have a true case; None without any."""
    there = truth.any(0)
    if not there.any():
        return None
    return float(_f1((truth & found).sum(0), found.sum(0), truth.sum(0))[there].mean())


def macro_interval(truth: Flags, found: Flags, draws: Bootstrap) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of the macro-F1; a label counts in the draws where it occurs."""
    true = draws.sums(truth)
    values = _f1(draws.sums(truth & found), draws.sums(found), true)
    there = true > 0
    drawn = there.any(1)
    if not drawn.any():
        return None
    means = (values * there).sum(1)[drawn] / there.sum(1)[drawn]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def micro_f1(truth: Flags, found: Flags) -> float:
    """Return the F1 over all labels together."""
    both, said, true = int((truth & found).sum()), int(found.sum()), int(truth.sum())
    return 2 * both / max(said + true, 1)


def quadratic_kappa(truth: Sequence[int], found: Sequence[int], levels: int) -> float | None:
    """Return Cohen's kappa with quadratic weights over ordinal levels; None where it is not defined."""
    if not truth:
        return None
    table = np.zeros((levels, levels))
    for a, b in zip(truth, found, strict=True):
        table[a, b] += 1
    weight = np.subtract.outer(np.arange(levels), np.arange(levels)) ** 2
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    chance = float((weight * expected).sum())
    return None if chance == 0 else 1 - float((weight * table).sum()) / chance


def calibration_error(truth: Flags, scores: Floats, bins: int = 10) -> float | None:
    """Return the expected calibration error: mean gap of score and true share over equal-width bins."""
    if not truth.size:
        return None
    place = np.minimum((scores.ravel() * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.abs(
        np.bincount(place, scores.ravel(), minlength=bins)
        - np.bincount(place, truth.ravel().astype(float), minlength=bins)
    )
    return float(gap[count > 0].sum() / truth.size)


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % Wilson interval of a share; None for n = 0."""
    if n == 0:
        return None
    z = 1.959964
    share, spread = hits / n, z * np.sqrt(hits / n * (1 - hits / n) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    return float((middle - spread) / scale), float((middle + spread) / scale)


def _f1(both: Counts, said: Counts, true: Counts) -> Floats:
    return np.where(said + true > 0, 2 * both / np.maximum(said + true, 1), 0.0)
