"""Sentences of collection calls from templates: names, amounts, dates and digits as they are spoken.

All names and institutions are invented.
"""

from __future__ import annotations

import re

import numpy as np

NAMES = {
    "zh": (
        "王建国 李秀英 张伟 刘洋 陈晨 赵磊 孙丽 吴桂芳 马超 胡海 郭婷 高峰 梁勇 宋佳 林晓云 "
        "周立 何敏 许强 杨帆 黄敏 徐静 朱军 谢丽 韩雪 唐勇 曹阳 邓超 彭飞 田甜 石磊"
    ).split(),
    "en": (
        "David Moore|Susan Clark|James Walker|Linda Green|Peter Young|Karen Scott|Paul Baker|Anna Reed|"
        "Mark Ellis|Grace Hill|Mary Brown|Robert King|John Carter|Sarah Adams|Tom Parker|Laura White|"
        "Mister Moore|Miss Green|Mister Walker|Mister Baker"
    ).split("|"),
}
AGENTS = {
    "zh": "林晓云 周立 何敏 许强 小林 小周 小何 小许".split(),
    "en": "Anna Reed|Mark Ellis|Grace Hill|Anna|Mark|Grace".split("|"),
}
INSTITUTIONS = {
    "zh": "安禾消费金融 青禾银行 远帆资产 青禾银行信用卡中心 远帆资产管理公司".split(),
    "en": "Harbor Lane Credit|Northfield Recovery|Harbor Lane|Northfield".split("|"),
}
PRODUCTS = {
    "zh": "信用卡 消费贷款 现金贷 车贷 房贷 分期贷款 小额贷款 助学贷款".split(),
    "en": "credit card|personal loan|car loan|store card|student loan|account|payment|mortgage".split("|"),
}
DIGITS = {"zh": "零一二三四五六七八九", "en": "zero one two three four five six seven eight nine".split()}
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = "January February March April May June July August September October November December".split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth".split()
)
TITLES = {"zh": ["先生", "女士", ""], "en": [""]}
DAYS_ZH = "今天 明天 后天 昨天 下周一 下周三 下周五 这周五 周六 周日 星期天 星期二 月底 月中 下个月初 国庆前".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def number_zh(n: int) -> str:
    """Return `n` below 1,000,000 as it is spoken in Mandarin."""
    if n >= 10_000:
        high, low = divmod(n, 10_000)
        rest = ("零" if 0 < low < 1000 else "") + number_zh(low) if low else ""
        return number_zh(high) + "万" + rest
    out, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, n = divmod(n, unit)
        if digit:
            ten = unit == 10 and digit == 1 and not out
            out += ("零" if zero and out else "") + ("" if ten else DIGITS["zh"][digit]) + name
            zero = False
        else:
            zero = True
    return out or "零"


def number_en(n: int) -> str:
    """Return `n` below 1,000,000 as it is spoken in English."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f" {ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" {number_en(n % 100)}" if n % 100 else "")
    return f"{number_en(n // 1000)} thousand" + (f" {number_en(n % 1000)}" if n % 1000 else "")


def fill(template: str, language: str, rng: np.random.Generator) -> str:
    """Return the template with every slot filled at random."""
    return re.sub(r"\{(\w+)\}", lambda m: _slot(m.group(1), language, rng), template)


def _slot(name: str, language: str, rng: np.random.Generator) -> str:
    zh = language == "zh"
    tables = {"name": NAMES, "agent": AGENTS, "inst": INSTITUTIONS, "product": PRODUCTS, "title": TITLES}
    if name in tables:
        return str(rng.choice(tables[name][language]))
    if name in ("amount", "small"):
        return _amount(name == "small", zh, rng)
    if name == "digits":
        return ("" if zh else " ").join(DIGITS[language][int(d)] for d in rng.integers(0, 10, 4))
    if name in ("days", "months"):
        return _count(int(rng.integers(2, 120 if name == "days" else 25)), zh)
    return _date(zh, rng) if name == "date" else _time(zh, rng)


def _count(n: int, zh: bool) -> str:
    return ("两" if n == 2 else number_zh(n)) if zh else number_en(n)


def _amount(small: bool, zh: bool, rng: np.random.Generator) -> str:
    if small:
        n = int(rng.integers(5, 99)) * int(rng.choice([5, 10, 100]))
    else:
        n = min(int(rng.choice([1, 1, 10, 100])) * int(rng.integers(10, 999)), 99_999)
    if n > 200 and rng.random() < 0.5:
        n = round(n, -2)
    return number_zh(n) + str(rng.choice(["元", "块", "块钱"])) if zh else f"{number_en(n)} dollars"


def _time(zh: bool, rng: np.random.Generator) -> str:
    hour = int(rng.integers(1, 12))
    if zh:
        part, end = rng.choice(["上午", "下午", "晚上"]), rng.choice(["点", "点半"])
        return f"{part}{_count(hour, zh)}{end}"
    return f"{ONES[hour]} {rng.choice(['in the morning', 'in the afternoon', 'thirty', 'tonight'])}"


def _date(zh: bool, rng: np.random.Generator) -> str:
    kind, day, month = rng.random(), int(rng.integers(1, 31)), int(rng.integers(0, 12))
    if zh:
        if kind < 0.4:
            return f"{number_zh(month + 1)}月{number_zh(day)}号"
        if kind < 0.6:
            return f"{rng.choice(['这个月', '下个月', '本月'])}{number_zh(day)}号"
        return str(rng.choice(DAYS_ZH))
    ordinal = ORDINALS[day - 1] if day <= 20 else "thirtieth" if day == 30 else f"twenty {ORDINALS[day - 21]}"
    if kind < 0.5:
        return f"{MONTHS[month]} {ordinal}"
    if kind < 0.6:
        return f"the {ordinal}"
    words = [
        *WEEKDAYS,
        *(f"next {d}" for d in WEEKDAYS),
        "tomorrow",
        "today",
        "the end of the month",
        "next week",
    ]
    return str(rng.choice(words))
