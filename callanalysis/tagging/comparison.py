"""Two taggers on the same lines: every label before and after, and which of them fell.

It computes; comparison_table.py writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callanalysis.tagging.corpus import Example
from callanalysis.tagging.corrections import Lesson
from callanalysis.tagging.evaluation import AXES
from callanalysis.tagging.metrics import Bootstrap, Flags, LabelFigures, f1_changes, label_figures, macro_f1
from callanalysis.tagging.predict import Tagger
from callanalysis.tagging.training import truth_of


@dataclass(frozen=True, slots=True)
class Trial:
    """Lines that both taggers are tried on; `judged` says per axis on which of them the truth is known."""

    name: str
    lines: Sequence[Example]
    judged: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Change:
    """One label that occurs, before and after; `interval` is the 95 % one of the F1's difference (f1_changes)."""

    before: LabelFigures
    after: LabelFigures
    difference: float
    interval: tuple[float, float]

    @property
    def fell(self) -> bool:
        """Whether F1 fell by more than its interval: all of the difference's interval lies below zero."""
        return self.interval[1] < 0


@dataclass(frozen=True, slots=True)
class AxisChange:
    """One axis: how many lines, macro-F1 before and after (None without a true case), the labels that occur.

    `strangers` are labels without a true case, which have no F1, with the lines they were given to before and after.
    """

    lines: int
    before: float | None
    after: float | None
    labels: tuple[Change, ...]
    strangers: tuple[tuple[str, int, int], ...]


NOTHING = AxisChange(0, None, None, (), ())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both axes on one trial, of so many groups of lines: families of the corpus, or calls."""

    trial: str
    groups: int
    axes: Mapping[str, AxisChange]

    @property
    def fallen(self) -> tuple[Change, ...]:
        """Return the labels whose F1 fell by more than its interval."""
        return tuple(change for axis in self.axes.values() for change in axis.labels if change.fell)


def validation(lines: Sequence[Example]) -> Trial:
    """Return the trial on lines of the corpus."""
    return Trial("validation part of the corpus", lines, dict.fromkeys(AXES, np.ones(len(lines), dtype=bool)))


def held_out(lessons: Sequence[Lesson]) -> Trial:
    """Return the trial on corrections, each on the axes that were judged."""
    judged = {axis: np.array([axis in lesson.axes for lesson in lessons], dtype=bool) for axis in AXES}
    return Trial("corrections held out", [lesson.example for lesson in lessons], judged)


def compare(before: Tagger, after: Tagger, trial: Trial) -> Comparison:
    """Return how the two do on the trial, by the labels of `after`; one that `before` lacks it has not found."""
    if not trial.lines:
        return Comparison(trial.name, 0, dict.fromkeys(AXES, NOTHING))
    config = after.scorer.config
    names = dict(zip(AXES, (config.intents, config.risks), strict=True))
    truth = dict(zip(AXES, truth_of(trial.lines, config.intents, config.risks), strict=True))
    old, new = (_found(tagger, trial.lines, names) for tagger in (before, after))
    groups = [line.family for line in trial.lines]
    axes = {}
    for axis in AXES:
        mine = trial.judged[axis]
        own = [group for group, is_judged in zip(groups, mine, strict=True) if is_judged]
        axes[axis] = axis_change(names[axis], truth[axis][mine], (old[axis][mine], new[axis][mine]), own)
    return Comparison(trial.name, len(set(groups)), axes)


def axis_change(
    names: Sequence[str], truth: Flags, found: tuple[Flags, Flags], groups: Sequence[str]
) -> AxisChange:
    """Return the figures of one axis; `truth` and `found` (before, after) are (lines, labels)."""
    if not len(truth):
        return NOTHING
    (before, after), draws = found, Bootstrap(groups)
    low, high = f1_changes(truth, before, after, draws)
    old, new = (label_figures(names, truth, flags, draws) for flags in (before, after))
    pairs = list(zip(old, new, strict=True))
    labels = tuple(
        Change(a, b, b.f1 - a.f1, (float(low[i]), float(high[i])))
        for i, (a, b) in enumerate(pairs)
        if a.f1 is not None and b.f1 is not None
    )
    strangers = tuple(
        (a.label, a.predicted, b.predicted) for a, b in pairs if not a.n and a.predicted + b.predicted
    )
    return AxisChange(len(truth), macro_f1(truth, before), macro_f1(truth, after), labels, strangers)


def _found(tagger: Tagger, lines: Sequence[Example], names: Mapping[str, Sequence[str]]) -> dict[str, Flags]:
    config = tagger.scorer.config
    decided = tagger.decide(tagger.scorer.score([line.input for line in lines]))
    found = {}
    for axis, own, flags in zip(AXES, (config.intents, config.risks), decided, strict=True):
        none = np.zeros(len(lines), dtype=bool)
        columns = [flags[:, own.index(name)] if name in own else none for name in names[axis]]
        found[axis] = np.stack(columns, axis=1)
    return found
