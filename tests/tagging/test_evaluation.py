"""What an evaluation is cut into, and which labels are taken for which: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from callanalysis.tagging.corpus import Example
from callanalysis.tagging.evaluation import SLICES, syllables, unpunctuated
from callanalysis.tagging.metrics import Confusion, confusions


def said(text: str, role: str = "debtor", language: str = "zh") -> Example:
    return Example("a/0", "a", "a", language, role, (), text, ("other",), (), "valid")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "slices"),
    [
        (said("下周五吧。"), {"zh", "debtor", "debtor, zh", "up to 6 syllables"}),
        (
            said("那我先还两千剩下的月底再说行不行", "collector"),
            {"zh", "collector", "collector, zh", "no punctuation (ASR style)"},
        ),
        (
            said(
                "well I guess I could maybe do fifty bucks on the first and then see after that okay",
                language="en",
            ),
            {"en", "debtor", "debtor, en", "over 25 syllables", "no punctuation (ASR style)"},
        ),
        (said("Yes.", language="en"), {"en", "debtor", "debtor, en", "up to 6 syllables"}),
    ],
)
def test_slices(line: Example, slices: set[str]) -> None:
    assert {name for name, test in SLICES.items() if test(line)} == slices


def test_a_short_line_without_marks_says_nothing_about_its_writer() -> None:
    assert not unpunctuated(said("下周五吧"))
    assert syllables(said("还300块")) == 3.5


def test_confusions_by_hand() -> None:
    truth = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)
    found = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    assert confusions(["a", "b", "c"], truth, found) == [Confusion("a", "b", 2), Confusion("b", "c", 1)]
    assert confusions(["a", "b", "c"], truth, truth) == []
