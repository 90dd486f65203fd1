"""Digits as they are spoken, in Chinese and English. It knows whole numbers up to 99,999,999 only."""

from __future__ import annotations

_ZH = "零一二三四五六七八九"
_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_EN_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def zh_digits(digits: str) -> str:
    """Return digits read one by one: "4416" as 四四一六."""
    return "".join(_ZH[int(digit)] for digit in digits)


def zh_number(value: int) -> str:
    """Return a number in words: 10500 as 一万零五百."""
    if value >= 10_000:
        high, low = divmod(value, 10_000)
        gap = "零" if 0 < low < 1000 else ""
        return zh_number(high) + "万" + gap + (zh_number(low) if low else "")
    if value < 10:
        return _ZH[value]
    words = ""
    skipped = False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            words += ("零" if skipped and words else "") + _ZH[digit] + name
            skipped = False
        else:
            skipped = bool(words)
    return words[1:] if words.startswith("一十") else words


def en_digits(digits: str) -> str:
    """Return digits read one by one: "40" as "four zero"."""
    return " ".join(_EN[int(digit)] for digit in digits)


def en_number(value: int) -> str:
    """Return a number in words: 1250 as "one thousand two hundred fifty"."""
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            high, low = divmod(value, size)
            rest = f" {en_number(low)}" if low else ""
            return f"{en_number(high)} {name}{rest}"
    if value < 20:
        return _EN[value]
    tens, one = divmod(value, 10)
    return _EN_TENS[tens - 2] + (f" {_EN[one]}" if one else "")
