from __future__ import annotations

import pytest

from callanalysis.speech.scoring import error_rate, normalise


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("您好，请问 是王先生吗？", "zh", "您好请问是王先生吗"),
        ("I'll pay, OK?", "en", "i'll pay ok"),
        ("ＡＢ　12", "zh", "ab12"),
        ("", "en", ""),
    ],
)
def test_normalise(text: str, language: str, expected: str) -> None:
    assert normalise(text, language) == expected


def test_rates_by_hand() -> None:
    zh = error_rate(["我明天还钱", "好的"], ["我明天还", "好的呀"], "zh")
    assert (zh.unit, zh.errors, zh.units, zh.n) == ("CER", 2, 7, 2)
    en = error_rate(["i can pay fifty dollars"], ["i can pay fifteen dollars now"], "en")
    assert (en.unit, en.errors, en.units) == ("WER", 2, 5)
    assert en.low <= en.rate <= en.high


def test_invented_text_on_silence_counts() -> None:
    out = error_rate(["", "好"], ["谢谢观看", "好"], "zh")
    assert (out.errors, out.units) == (4, 1)
