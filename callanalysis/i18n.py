"""The app's words in Chinese and English: gettext catalogues, label names, numbers, money, dates.

It knows languages, not pages. Messages are written in English in the code, as `words.t("…")`, and looked up
in `locale/`; `N_` marks a message that is translated later.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from callanalysis.labels import display

Language = Literal["zh", "en"]

LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en"}
OWN_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}
LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "messages"
MISSING = "–"

_SIGNS = {
    "zh": {"CNY": "¥", "USD": "US$", "GBP": "£", "EUR": "€", "HKD": "HK$"},
    "en": {"CNY": "CN¥", "USD": "$", "GBP": "£", "EUR": "€", "HKD": "HK$"},
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Return the message as it is; it marks a message that `Words.t` translates elsewhere."""
    return message


def preferred_language(browser_locale: str | None) -> Language:
    """Return "zh" for a browser that prefers Chinese, else "en"."""
    return "zh" if (browser_locale or "").lower().startswith("zh") else "en"


@lru_cache
def words_of(language: Language) -> Words:
    """Return the words of a language, read from its compiled catalogue."""
    catalogue = gettext.translation(DOMAIN, LOCALE_FOLDER, [LOCALES[language]])
    return Words(language, catalogue)


@dataclass(frozen=True)
class Words:
    """One language: its messages, its label names, its numbers, money, dates and durations."""

    language: Language
    _catalogue: gettext.NullTranslations = field(repr=False)

    def t(self, message: str, **values: object) -> str:
        """Return the message in this language with `values` filled in."""
        translated = self._catalogue.gettext(message) if message else ""
        return translated.format(**values) if values else translated

    def n(self, singular: str, plural: str, count: int) -> str:
        """Return the message for a count, which it may name as {count}."""
        return self._catalogue.ngettext(singular, plural, count).format(count=self.number(count))

    def label(self, name: str | None, axis: str) -> str:
        """Return the display name of a label of an axis of labels.py."""
        return display(name, axis, self.language) if name else MISSING

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a number with thousands separated."""
        return MISSING if value is None else f"{value:,.{digits}f}"

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Return a share of 0-1 as a percentage."""
        return MISSING if share is None else f"{share * 100:.{digits}f}%"

    def money(self, amount: float | None, currency: str | None) -> str:
        """Return an amount with the sign of its currency, or its code where there is no sign."""
        if amount is None:
            return MISSING
        sign = _SIGNS[self.language].get(currency or "", f"{currency} " if currency else "")
        return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,.2f}"

    def date(self, moment: datetime | None) -> str:
        """Return the day, as 2026-06-11 or 11 Jun 2026."""
        if moment is None:
            return MISSING
        if self.language == "zh":
            return f"{moment:%Y-%m-%d}"
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"

    def moment(self, moment: datetime | None) -> str:
        """Return day and minute in the moment's own time zone."""
        return MISSING if moment is None else f"{self.date(moment)} {moment:%H:%M}"

    def clock(self, seconds: float | None) -> str:
        """Return a position or length in a recording, as 1:05 or 1:02:05."""
        if seconds is None:
            return MISSING
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
