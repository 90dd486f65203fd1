"""Figures of collectors, by hand-computed cases."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from callanalysis.analytics.collectors import collector_figures
from callanalysis.analytics.intervals import Mean, NotAvailable, Ratio, mean, student, wilson
from callanalysis.i18n import words_of
from callanalysis.pages.collectors_chart import interval_chart, interval_rows
from callanalysis.pages.collectors_table import collectors_grid, ordered


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (1, 100, 0.0018, 0.0545)],
)
def test_wilson(numerator: int, denominator: int, low: float, high: float) -> None:
    ratio = wilson(numerator, denominator, "no_calls")
    assert isinstance(ratio, Ratio)
    assert (ratio.low, ratio.high) == pytest.approx((low, high), abs=5e-4)


def test_nothing_of_nothing_has_no_share() -> None:
    assert wilson(0, 0, "no_calls") == NotAvailable("no_calls")
    assert mean([None, math.nan], "no_sides") == NotAvailable("no_sides")


def test_mean_leaves_out_what_is_not_available() -> None:
    found = mean([0.4, None, 0.6, math.nan], "no_sides")
    assert isinstance(found, Mean)
    assert (found.value, found.n) == (0.5, 2)
    assert found.high == pytest.approx(0.5 + 12.706 * 0.1)
    assert mean([0.4], "no_sides") == Mean(0.4, 1, None, None)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (10, 2.228), (11, 2.201), (30, 2.042), (1000, 1.962)]
)
def test_student(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, rel=2e-3)


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve calls of A, two risky, and three of B; in ten of A's the debtor confirms, in four promises."""
    calls = pd.DataFrame(
        {
            "call_id": [f"a{i}" for i in range(12)] + ["b0", "b1", "b2"],
            "collector_id": ["A"] * 12 + ["B"] * 3,
            "collector_name": ["Zoe"] * 12 + [None] * 3,
            "team": ["one"] * 12 + [None] * 3,
            "language": ["zh"] * 6 + ["en"] * 6 + ["zh"] * 3,
            "duration": [60.0] * 15,
            "willingness": ["high"] * 3 + ["none"] * 9 + [None] * 3,
            "risk_count": [2, 1] + [0] * 10 + [1, 0, 0],
            "talk_share": [0.5] * 12 + [math.nan] * 3,
            "silence_share": [0.1] * 15,
            "pace_collector": [240.0] * 12 + [math.nan] * 3,
        }
    )
    said = [(f"a{i}", "debtor", "confirm_identity") for i in range(10)]
    said += [
        ("a0", "debtor", "promise_full"),
        ("a1", "debtor", "promise_partial"),
        ("a1", "debtor", "promise_full"),
    ]
    said += [
        ("a2", "debtor", "promise_full"),
        ("a3", "debtor", "promise_full"),
        ("a11", "debtor", "promise_full"),
    ]
    said += [("a4", "debtor", "promise_vague"), ("a0", "collector", "insult"), ("a1", "collector", "insult")]
    said += [("a1", "collector", "greet"), ("b0", "collector", "false_claim")]
    tags = pd.DataFrame(said, columns=["call_id", "role", "label"])
    return calls, tags


def test_figures_of_a_collector() -> None:
    zoe, other = collector_figures(*frames())
    assert (zoe.collector_id, zoe.name, zoe.calls, zoe.seconds) == ("A", "Zoe", 12, 720.0)
    assert isinstance(zoe.risk, Ratio)
    assert (zoe.risk.numerator, zoe.risk.denominator) == (2, 12)
    assert isinstance(zoe.promises, Ratio)
    assert (zoe.promises.numerator, zoe.promises.denominator) == (4, 10)  # a11 has not confirmed identity
    assert set(zoe.pace) == {"zh", "en"}
    assert zoe.willingness == {"high": 3, "medium": 0, "low": 0, "none": 9, "unknown": 0}
    assert [(tag.label, tag.axis, tag.calls) for tag in zoe.top_tags] == [
        ("insult", "risk", 2),
        ("greet", "intent", 1),
    ]
    assert zoe.is_comparable
    assert not other.is_comparable
    assert other.promises == NotAvailable("no_right_party")
    assert other.talk_share == NotAvailable("no_sides")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_few_calls_are_never_ranked(language: str) -> None:
    figures = collector_figures(*frames())
    grid = collectors_grid(figures, ("risk", True), words_of("zh" if language == "zh" else "en"))
    assert [row.get("id") for row in grid["rows"]] == ["A", None, "B"]  # B's 33 % comes after A's 17 %
    assert grid["rows"][2]["muted"]
    risk = grid["rows"][0]["cells"][3]
    assert risk["text"] == "17"
    assert "2/12" in risk["sub"]


def test_order_puts_what_is_not_available_last() -> None:
    zoe, other = collector_figures(*frames())
    assert ordered([other, zoe], "promises", True) == [zoe, other]
    assert ordered([other, zoe], "promises", False) == [zoe, other]


def test_chart_has_an_interval_for_every_ratio() -> None:
    rows = interval_rows(collector_figures(*frames()), "promises", words_of("en"))
    assert list(rows["name"]) == ["Zoe A"]
    assert interval_chart(rows, "Promise rate", words_of("en")).to_dict()["layer"]
