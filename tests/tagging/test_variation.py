"""Numbers in words, variations of text, thresholds, figures: small pure functions."""

from __future__ import annotations

import random

import numpy as np
import pytest

from callanalysis.tagging.augment import Sample, Strength, vary, vary_text, without_roles
from callanalysis.tagging.decisions import decide, fit_temperature, fit_thresholds, probabilities
from callanalysis.tagging.inputs import TagInput, context_before, read_turn
from callanalysis.tagging.metrics import (
    Bootstrap,
    calibration_error,
    label_figures,
    macro_f1,
    macro_interval,
    quadratic_kappa,
    wilson,
)
from callanalysis.tagging.numerals import en_digits, en_number, zh_digits, zh_number

ALWAYS = Strength(*[1.0] * 10)


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "零", "zero"),
        (10, "十", "ten"),
        (15, "十五", "fifteen"),
        (101, "一百零一", "one hundred one"),
        (1250, "一千二百五十", "one thousand two hundred fifty"),
        (10500, "一万零五百", "ten thousand five hundred"),
        (23456, "二万三千四百五十六", "twenty three thousand four hundred fifty six"),
    ],
)
def test_numbers_in_words(value: int, zh: str, en: str) -> None:
    assert (zh_number(value), en_number(value)) == (zh, en)


def test_digits_one_by_one() -> None:
    assert zh_digits("4416") == "四四一六"
    assert en_digits("40") == "four zero"


@pytest.mark.parametrize(
    "text", ["嗯", "。", "2000", "ok", "您 3,500 块逾期了，王先生。", "I owe 1,250, right?"]
)
def test_variation_never_empties_a_text(text: str) -> None:
    for seed in range(50):
        assert vary_text(text, random.Random(seed), ALWAYS).strip()


def test_joined_utterances_carry_both_labels() -> None:
    one = Sample(TagInput("1", "debtor", (), "嗯嗯"), "debtor", ("acknowledge",), ())
    two = Sample(TagInput("2", "debtor", (), "我月底还清"), "debtor", ("promise_full",), ())
    joined = vary(one, two, random.Random(1), Strength(*[0.0] * 9, 1.0))
    assert joined.intent == ("promise_full",)
    assert "嗯嗯" in joined.input.text
    assert "月底" in joined.input.text


def test_hidden_roles_leave_no_trace() -> None:
    line = without_roles(TagInput("1", "collector", ("[debtor] 喂", "[collector] 您好"), "是您吗"))
    assert line.role == "unknown"
    assert line.context == ("[unknown] 喂", "[unknown] 您好")
    assert read_turn("[debtor] [collector] x") == ("debtor", "[collector] x")
    assert read_turn("no marker") == ("unknown", "no marker")


def test_context_is_the_three_turns_before() -> None:
    turns = [("collector", str(i)) for i in range(6)]
    assert context_before(turns, 5) == ("[collector] 2", "[collector] 3", "[collector] 4")  # type: ignore[arg-type]
    assert context_before(turns, 0) == ()  # type: ignore[arg-type]


def test_other_stands_alone_where_nothing_passes() -> None:
    names = ["greet", "close", "other"]
    scores = np.array([[0.9, 0.2, 0.95], [0.3, 0.2, 0.1], [0.6, 0.6, 0.0]])
    found = decide(names, scores, {"greet": 0.5, "close": 0.5})
    assert found.tolist() == [[True, False, False], [False, False, True], [True, True, False]]


def test_thresholds_follow_validation_and_lean_on_the_common_one_where_cases_are_few() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((400, 2)) < np.array([0.3, 0.005])
    scores = np.where(truth, 0.35, 0.1) + rng.random((400, 2)) * 0.1
    limits = fit_thresholds(["common", "rare"], scores, truth)
    assert 0.2 < limits["common"] < 0.36
    assert abs(limits["rare"] - limits["common"]) < 0.05


def test_temperature_cools_overconfident_scores() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 1))
    truth = rng.random((3000, 1)) < probabilities(logits, 1.0)
    assert fit_temperature(logits * 2, truth, np.ones_like(truth)) == pytest.approx(2.0, rel=0.15)


def test_figures_by_hand() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=bool)
    found = np.array([[1, 0], [0, 0], [1, 1], [0, 0]], dtype=bool)
    draws = Bootstrap(["a", "b", "c", "d"])
    one, two = label_figures(["x", "y"], truth, found, draws)
    assert (one.n, one.precision, one.recall, one.f1) == (2, 0.5, 0.5, 0.5)
    assert (two.n, two.predicted, two.f1, two.interval) == (0, 1, None, None)
    assert macro_f1(truth, found) == 0.5
    low, high = macro_interval(truth, found, draws) or (1.0, 0.0)
    assert 0 <= low <= 0.5 <= high <= 1


def test_kappa_and_calibration_by_hand() -> None:
    assert quadratic_kappa([0, 1, 2, 3], [0, 1, 2, 3], 4) == pytest.approx(1)
    assert quadratic_kappa([0, 0, 3, 3], [3, 3, 0, 0], 4) == pytest.approx(-1)
    assert quadratic_kappa([], [], 4) is None
    truth = np.array([True, False, True, True])
    assert calibration_error(truth, np.array([0.75, 0.75, 0.75, 0.75])) == pytest.approx(0)
    low, high = wilson(9, 10) or (0, 0)
    assert low == pytest.approx(0.596, abs=0.001)
    assert high == pytest.approx(0.982, abs=0.001)
