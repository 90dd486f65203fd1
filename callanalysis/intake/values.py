"""Cells of a call list as values: times, amounts, counts, codes; what cannot be read says why.

Each parser takes a cell that is not empty and returns the value, or raises ValueError with fault and remedy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

NOTHING = frozenset({"", "-", "--", "—", "/", "null", "none", "nan", "n/a", "na", "#n/a", "\\n", "无", "空"})
_EXCEL_DAY_0 = datetime(1899, 12, 30)
_EARLIEST_YEAR = 1990  # before it there were no recordings of calls, but zero dates of broken exports
_CLOCK_ERROR = timedelta(minutes=5)
_ISO_ADVICE = "Write it as 2026-06-11T10:12:00+08:00"

_DATE_TIME = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[T\s]*(?P<hour>\d{1,2})\s*[:：时点]\s*(?P<minute>\d{1,2})\s*分?(?:\s*[:：]?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?|上午|下午)?"
)
_WESTERN = re.compile(r"(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<year>\d{4})(?P<rest>\D.*)?")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})(?:[T\s]?(\d{2})(\d{2})(\d{2})?)?")
_AMOUNT = re.compile(r"(?P<sign>[-−(（]?)\s*(?P<number>[\d,，\s]*\.?\d+)\s*(?P<wan>万)?\s*[)）]?")
_SIGNS = re.compile(r"[¥￥$£€元圆]|人民币|rmb|cny|usd|gbp|eur", re.IGNORECASE)

_DIRECTIONS = {
    "outbound": ("outbound", "out", "o", "dialled", "dialed", "呼出", "外呼", "去电", "主叫", "拨出"),
    "inbound": ("inbound", "in", "i", "received", "呼入", "来电", "被叫", "接入"),
}
_LANGUAGES = {
    "zh": ("zh", "zh-cn", "zh_cn", "cmn", "chinese", "mandarin", "中文", "汉语", "普通话", "国语"),
    "en": ("en", "en-us", "en-gb", "en_us", "english", "英文", "英语"),
}
_CURRENCIES = {
    "CNY": ("cny", "rmb", "¥", "￥", "元", "人民币", "yuan"),
    "USD": ("usd", "$", "us$", "美元", "dollar", "dollars"),
    "GBP": ("gbp", "£", "英镑", "pound", "pounds"),
    "EUR": ("eur", "€", "欧元"),
    "HKD": ("hkd", "hk$", "港币", "港元"),
}
_JURISDICTIONS = {
    "CN": ("cn", "china", "中国", "中国大陆"),
    "US": ("us", "usa", "united states", "美国"),
    "UK": ("uk", "gb", "united kingdom", "英国"),
}
_CHANNELS = {"0": ("0", "0.0", "left", "l", "左", "左声道"), "1": ("1", "1.0", "right", "r", "右", "右声道")}


@dataclass(frozen=True, slots=True)
class Clock:
    """What a time without zone means, and what time it is."""

    zone: ZoneInfo
    now: datetime


class CellError(ValueError):
    """A cell that cannot be used: the fault and the remedy."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


def read_time(cell: str, clock: Clock) -> datetime:
    """Return a time with zone: ISO 8601, Chinese, compact, Unix seconds, or an Excel serial number."""
    found = _any_time(cell.strip())
    if found is None:
        raise CellError("this is no date that can be read", _ISO_ADVICE)
    at = found if found.tzinfo else found.replace(tzinfo=clock.zone)
    if at > clock.now + _CLOCK_ERROR:
        raise CellError("the date lies in the future", "Correct it, or the clock of this machine")
    if at.year < _EARLIEST_YEAR:
        raise CellError(f"the date lies before {_EARLIEST_YEAR}", f"Correct it. {_ISO_ADVICE}")
    return at


def read_amount(cell: str) -> float:
    """Return an amount of money that is not negative: 3500, 3,500.00, ¥3500元, 1.2万."""
    match = _AMOUNT.fullmatch(_SIGNS.sub("", cell).strip())
    if match is None:
        raise CellError("this is no amount", "Write it as 3500.00")
    value = float(re.sub(r"[,，\s]", "", match["number"])) * (10_000 if match["wan"] else 1)
    if match["sign"] and value:
        raise CellError("the amount is negative", "A balance is 0 or more: correct it, or leave it empty")
    if not math.isfinite(value):
        raise CellError("this is no amount", "Write it as 3500.00")
    return round(value, 4)


def read_days(cell: str) -> int:
    """Return whole days; negative before the due date."""
    match = re.fullmatch(r"([-−]?)(\d{1,6})(?:\.0+)?\s*(?:天|日|days?|d)?", cell.strip(), re.IGNORECASE)
    if match is None:
        raise CellError("this is no number of days", "Write a whole number, for example 12")
    return int(match[2]) * (-1 if match[1] else 1)


def read_channel(cell: str) -> int:
    """Return the channel of the collector, 0 for left."""
    return int(_one_of(_CHANNELS, cell, "channel", "Write 0 (left) or 1 (right)"))


def read_direction(cell: str) -> str:
    """Return outbound or inbound."""
    return _one_of(_DIRECTIONS, cell, "direction", "Write outbound or inbound (呼出 or 呼入)")


def read_language(cell: str) -> str:
    """Return zh or en."""
    return _one_of(_LANGUAGES, cell, "language", "Write zh or en, or leave it empty to have it recognised")


def read_currency(cell: str) -> str:
    """Return the ISO 4217 code."""
    if re.fullmatch(r"[A-Za-z]{3}", cell.strip()) and cell.strip().lower() != "rmb":
        return cell.strip().upper()
    return _one_of(_CURRENCIES, cell, "currency", "Write its three-letter code, for example CNY")


def read_jurisdiction(cell: str) -> str:
    """Return the code of the place whose law holds: CN, US, UK, or another code of two letters and more."""
    for code, names in _JURISDICTIONS.items():
        if cell.strip().casefold() in names:
            return code
    if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,3})?", cell.strip()):
        return cell.strip().upper()
    raise CellError("this is no code of a place", "Write CN, US or UK")


def read_name(cell: str) -> str:
    """Return text with blanks and control characters trimmed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in cell).split())


def read_id(cell: str) -> str:
    """Return an identifier as it was before a spreadsheet touched it; one that it cut short is refused."""
    text = read_name(cell)
    if quoted := re.fullmatch(r'="(.*)"', text):
        text = quoted[1]
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+\d+", text):
        remedy = "Format the column as text and export it again"
        raise CellError("a spreadsheet has cut this number short", remedy)
    return text.removesuffix(".0") if re.fullmatch(r"\d+\.0", text) else text.removeprefix("'")


PARSERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "direction": read_direction,
        "collector_name": read_name,
        "team": read_name,
        "debtor_name": read_name,
        "product": read_name,
        "days_past_due": read_days,
        "balance": read_amount,
        "currency": read_currency,
        "jurisdiction": read_jurisdiction,
        "collector_channel": read_channel,
        "language": read_language,
        "file": read_name,
    }
)


def _any_time(text: str) -> datetime | None:
    """The time that a cell holds, with zone only where it gives one; None where it cannot be read."""
    if re.fullmatch(r"\d{1,3}", text):
        return None
    for reader in (_iso, _eastern, _western, _numeric):
        try:
            if (found := reader(text)) is not None:
                return found
        except CellError:
            raise
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _iso(text: str) -> datetime | None:
    if "-" not in text and ":" not in text:
        return None  # bare digits are read by the others
    return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d{2}:?\d{2}$)", "", text))


def _eastern(text: str) -> datetime | None:
    return _from_match(match) if (match := _DATE_TIME.fullmatch(text)) else None


def _western(text: str) -> datetime | None:
    """18/06/2026 or 6/18/2026; where both readings are possible there is none."""
    match = _WESTERN.fullmatch(text)
    if match is None:
        return None
    a, b = int(match["a"]), int(match["b"])
    if a <= 12 and b <= 12 and a != b:
        raise CellError(f"day and month of {text!r} cannot be told apart", _ISO_ADVICE)
    day, month = (a, b) if a > 12 or a == b else (b, a)
    return _eastern(f"{match['year']}-{month}-{day}{match['rest'] or ''}")


def _numeric(text: str) -> datetime | None:
    if match := _COMPACT.fullmatch(text):
        return datetime(*(int(part) for part in match.groups() if part is not None))  # type: ignore[arg-type]
    number = float(text)
    if number >= 1e12:
        number /= 1000  # milliseconds
    if number >= 1e8:
        return datetime.fromtimestamp(number, UTC)
    return _EXCEL_DAY_0 + timedelta(seconds=round(number * 86_400)) if 1_000 < number < 100_000 else None


def _from_match(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (
        int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    half = (match["half"] or "").lower().replace(".", "")
    if half in ("pm", "下午") and hour < 12:
        hour += 12
    if half in ("am", "上午") and hour == 12:
        hour = 0
    return datetime(year, month, day, hour, minute, second)


def _one_of(names: Mapping[str, tuple[str, ...]], cell: str, what: str, remedy: str) -> str:
    wanted = cell.strip().casefold()
    for value, spellings in names.items():
        if wanted in spellings:
            return value
    raise CellError(f"this is no {what} that is known", remedy)
