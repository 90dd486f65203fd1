"""The communication measures as they are shown: name, value with its unit or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from callanalysis.i18n import N_, Words
from callanalysis.pages import markup
from callanalysis.pages.texts import definition, reason
from callanalysis.schema import Measure

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "talk_share": N_("Collector talks"),
        "talk_time_collector": N_("Talk time of the collector"),
        "talk_time_debtor": N_("Talk time of the debtor"),
        "silence": N_("Silence"),
        "silence_share": N_("Share of silence"),
        "dead_air": N_("Dead air"),
        "pace_collector": N_("Pace of the collector"),
        "pace_debtor": N_("Pace of the debtor"),
        "longest_monologue": N_("Longest monologue"),
        "response_gap": N_("Response gap"),
        "interruptions_by_collector": N_("Interruptions by the collector"),
        "interruptions_by_debtor": N_("Interruptions by the debtor"),
    }
)
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "characters/min": N_("characters/min"),
        "words/min": N_("words/min"),
        "per 10 min": N_("per 10 min"),
        "s": N_("s"),
    }
)


def measure_rows(measures: Iterable[Measure], words: Words) -> list[markup.Fact]:
    """Return title, value (HTML) and definition of each measure that has a value, in the order given."""
    return [
        (title(x.name, words), shown(x.value, x.unit, words), definition(x.name, words))
        for x in measures
        if x.value is not None
    ]


def missing_measures(measures: Iterable[Measure], words: Words) -> list[str]:
    """Return a sentence for each reason why measures are not available, with their names."""
    found: dict[str, list[str]] = {}
    for x in measures:
        if x.value is None:
            found.setdefault(reason(x.reason, words), []).append(title(x.name, words))
    between = words.t(", ")
    return [
        words.t("Not available, {reason}: {measures}", reason=why, measures=between.join(names))
        for why, names in found.items()
    ]


def title(measure: str, words: Words) -> str:
    """Return the name of a measure."""
    found = NAMES.get(measure, measure)
    return words.t(found)


def pace_unit(language: str, words: Words) -> str:
    """Return the unit of pace in a spoken language."""
    unit = "characters/min" if language.startswith("zh") else "words/min"
    return words.t(UNITS[unit])


def shown(value: float, unit: str, words: Words) -> str:
    """Return a value with its unit, as HTML."""
    if unit in ("ratio", "share"):
        return words.percent(value)
    digits = 1 if unit in ("s", "per 10 min") else 0
    name = UNITS.get(unit, unit)
    return f"{words.number(value, digits)} {markup.text(words.t(name), css='ca-unit')}"
