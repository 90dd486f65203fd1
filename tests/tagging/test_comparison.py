"""Which labels fell: the paired bootstrap by cases that are computed by hand or known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from callanalysis.tagging.comparison import axis_change
from callanalysis.tagging.metrics import Bootstrap, f1_changes

GROUPS = [f"g{i}" for i in range(40)]


def column(flags: list[int]):  # type: ignore[no-untyped-def]
    return np.array(flags, dtype=bool).reshape(-1, 1)


def change_of(truth: list[int], before: list[int], after: list[int], groups: list[str] | None = None):  # type: ignore[no-untyped-def]
    found = column(before), column(after)
    return axis_change(["refuse"], column(truth), found, groups or GROUPS[: len(truth)])


def test_figures_before_and_after_are_those_of_the_lines() -> None:
    axis = change_of([1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 0])
    (change,) = axis.labels
    assert (axis.lines, axis.before, axis.after) == (6, 1.0, pytest.approx(4 / 7))
    assert (change.before.f1, change.after.f1) == (1.0, pytest.approx(4 / 7))
    assert change.difference == pytest.approx(-3 / 7)


@pytest.mark.parametrize(
    ("lost", "fell"),
    [(0, False), (1, False), (2, False), (6, True), (20, True)],
)
def test_a_label_falls_where_all_of_its_interval_does(lost: int, fell: bool) -> None:
    truth = [1] * 20 + [0] * 20
    after = [0] * lost + [1] * (20 - lost) + [0] * 20
    (change,) = change_of(truth, truth, after).labels
    assert change.fell is fell
    assert change.interval[0] <= change.difference <= change.interval[1]


def test_lines_of_one_group_count_as_one_case() -> None:
    truth = [1] * 20 + [0] * 20
    after = [0] * 20 + [0] * 20
    together = ["one call"] * 20 + ["another"] * 20
    (change,) = change_of(truth, truth, after, together).labels
    assert change.difference == -1
    assert not change.fell  # a quarter of the draws are without the only call that it fell in


def test_what_is_hard_for_both_does_not_blur_the_difference() -> None:
    """Paired, a small fall in every group is seen; by two intervals drawn apart it would not be."""
    truth, before, after, groups = [], [], [], []
    for i in range(40):  # in half of the calls nothing is found by either; in all others one of five is lost
        hard = i % 2 == 0
        truth += [1] * 5
        before += [0 if hard else 1] * 5
        after += [0] * 5 if hard else [1, 1, 1, 1, 0]
        groups += [f"g{i}"] * 5
    (change,) = change_of(truth, before, after, groups).labels
    assert change.before.interval is not None
    assert change.after.interval is not None
    assert change.before.interval[0] < change.after.interval[1]
    assert change.fell


def test_a_label_without_a_true_case_has_no_change_and_no_lines_no_axis() -> None:
    axis = change_of([0, 0], [1, 0], [1, 1])
    assert (axis.labels, axis.strangers) == ((), (("refuse", 1, 2),))
    nothing = change_of([], [], [])
    assert (nothing.lines, nothing.labels, nothing.before) == (0, (), None)


def test_no_difference_is_an_interval_of_nothing() -> None:
    truth = column([1, 0] * 20)
    low, high = f1_changes(truth, truth, truth, Bootstrap(GROUPS))
    assert low.tolist() == high.tolist() == [0.0]
