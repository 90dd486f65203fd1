"""Personal data covered: telephone, card and identity numbers, in digits and as spoken, e-mail, names.

Amounts, dates and counts stay. A number is judged by its length and what stands beside it, not by a checksum:
one digit misheard breaks the checksum and leaves the number personal. In a sentence only the names it is told
are found, and no addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_JOIN = r"[\s\-.()（）]"  # between the digits of one number
_CURRENCY = (
    r"元|块|万|千|百|亿|角|毛|分钱|人民币|美元|港币|yuan\b|rmb\b|cny\b|dollars?\b|bucks\b|cents?\b|usd\b|pounds?\b|"
    r"gbp\b|euros?\b|thousand\b|hundred\b|million\b|grand\b|k\b"
)
_COUNTED = (
    r"年|个?月|日|号|天|期|次|点|分|小时|周|岁|笔|个|倍|%|％|percent\b|years?\b|months?\b|weeks?\b|days?\b|hours?\b|"
    r"minutes?\b|times\b|instal+ments?\b|payments?\b|a\.?m\b|p\.?m\b|o'clock\b"
)
_NUMBER_WORDS = (
    r"尾号|[后末][三四六]位(?:数字?)?|卡号|身份证号?码?|证件号码?|手机号?码?|电话(?:号码?)?|号码|验证码|密码|账号|"
    r"ending(?: in| with)?|last (?:four|4|six|6)(?: digits)?|(?:pass|security |access )?code|pin|ssn|"
    r"social(?: security)?(?: number)?|card(?: number)?|(?:tele)?phone(?: number)?|number"
)
_LEAD = rf"(?:{_NUMBER_WORDS})(?:是|为|的|\s|:|：|is\b|are\b|of\b)*"
_HAN_CHARACTER = r"[\u3400-\u9fff]"
_HAN = "零〇一二三四五六七八九幺"
_SPOKEN = "zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine"
_HESITATION = r"(?:[\s,，、\-]|uh|um|嗯|呃|啊)*"

_FIND = re.compile(
    "|".join(
        (
            r"(?P<email>[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+)",
            r"(?P<date>(?<!\d)(?:\d{4}(?P<a>[-/.])\d{1,2}(?P=a)\d{1,2}|\d{1,2}(?P<b>[-/.])\d{1,2}(?P=b)\d{4})(?![\d-]))",
            r"(?P<signed>(?:[¥￥$£€]|\b(?:rmb|cny|usd|gbp|eur)\b)\s?\d[\d,，]*(?:\.\d+)?(?!\d))",
            rf"(?P<amount>(?<![\d-])(?:\d{{1,6}}\s?[-~]\s?)?\d{{1,9}}(?:[,，]\d{{3}})*(?:\.\d+)?\s?(?:{_CURRENCY}))",
            rf"(?P<counted>(?<![\d-])\d{{1,6}}(?:\.\d+)?\s?(?:{_COUNTED}))",
            r"(?P<decimal>(?<![\d.-])\d+(?:,\d{3})*\.\d{1,2}(?![\d.-]))",
            rf"(?P<named>{_LEAD}\d(?:{_JOIN}{{0,2}}\d){{2,}}[Xx]?)",
            rf"(?P<long>(?<![\d,])\+?\(?\d(?:{_JOIN}{{0,2}}\d){{6,}}[Xx]?)",
            rf"(?P<han>[{_HAN}](?:{_HESITATION}[{_HAN}]){{3,}})(?P<unit>\s?(?:[年元块]))?",
            rf"(?P<spoken>\b(?:(?:double|triple)\s)?(?:{_SPOKEN})\b(?:{_HESITATION}\b(?:(?:double|triple)\s)?"
            rf"(?:{_SPOKEN})\b){{2,}})(?!\s(?:hundred|thousand|dollars|pounds|percent))",
        )
    ),
    re.IGNORECASE,
)
_ALONE = re.compile(r"\W*\d(?:[\s\-]?\d){3,5}\W*")
_KEPT_YEAR = re.compile(rf"[{_HAN}]{{4}}")
_LEAST_SPOKEN = 4
_REPEATS = {"double": 2, "triple": 3}


def mask(text: str, names: Iterable[str | None] = ()) -> str:
    """Return a line with what identifies a person covered by asterisks; amounts, dates and counts stay.

    `names` are people who may be spoken of, as the debtor of the call list: they are covered with their parts.
    A line that is nothing but four to six digits is taken for the answer to "the last four digits", unless it
    is a round number.
    """
    if _ALONE.fullmatch(text) and not text.rstrip(" .。").endswith("00"):
        return _cover(text)
    return _without_names(_FIND.sub(_covered, text), names)


def mask_name(name: str | None) -> str:
    """Return a name of which family name or initials are left: 王**, D. M."""
    if not name:
        return ""
    if re.search(_HAN_CHARACTER, name):
        return name[0] + "*" * (len(name) - 1)
    return " ".join(f"{part[0]}." for part in re.findall(r"[^\W\d_]+", name))


def mask_number(number: str | None) -> str:
    """Return a number of which the first three and last two digits are left; a short one wholly covered."""
    places = [place for place, sign in enumerate(number or "") if sign.isdigit()]
    shown = {*places[:3], *places[-2:]} if len(places) > 7 else set()
    return "".join(
        "*" if sign.isdigit() and place not in shown else sign for place, sign in enumerate(number or "")
    )


def _without_names(text: str, names: Iterable[str | None]) -> str:
    for name in filter(None, names):
        if re.search(_HAN_CHARACTER, name):
            text = text.replace(name, mask_name(name))
            given = name[1:]
            text = text.replace(given, "*" * len(given)) if len(given) > 1 else text
        else:
            parts = [part for part in re.findall(r"[^\W\d_]+", name) if len(part) > 1]
            pattern = "|".join(map(re.escape, sorted(parts, key=len, reverse=True)))
            if pattern:
                text = re.sub(rf"\b(?:{pattern})\b", lambda part: f"{part[0][0]}.", text, flags=re.IGNORECASE)
    return text


def _covered(found: re.Match[str]) -> str:
    text = found.group()
    match found.lastgroup:
        case "email":
            return "***@***"
        case "named":
            lead = re.match(_LEAD, text, re.IGNORECASE)
            start = lead.end() if lead else 0
            return text[:start] + _cover(text[start:])
        case "long":
            return _cover(text)
        case "han" | "unit":
            is_year_or_amount = found["unit"] and _KEPT_YEAR.fullmatch(found["han"])
            return text if is_year_or_amount else re.sub(f"[{_HAN}]", "*", text)
        case "spoken":
            return _cover_spoken(text)
    return text


def _cover(text: str) -> str:
    return re.sub(r"\d|(?<=\d)[Xx]$", "*", text)


def _cover_spoken(text: str) -> str:
    digits = re.findall(rf"(?:(double|triple)\s)?(?:{_SPOKEN})\b", text, re.IGNORECASE)
    if sum(_REPEATS.get(repeat.lower(), 1) for repeat in digits) < _LEAST_SPOKEN:
        return text
    return re.sub(
        rf"\b(?:(double|triple)\s)?(?:{_SPOKEN})\b",
        lambda word: " ".join("*" * _REPEATS.get((word[1] or "").lower(), 1)),
        text,
        flags=re.IGNORECASE,
    )
