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
    """Return title, value (HTML) and definition of each measure, in the order given."""
    return [
        (words.t(NAMES.get(x.name, x.name)), shown(x, words), definition(x.name, words)) for x in measures
    ]


def pace_unit(language: str, words: Words) -> str:
    """Return the unit of pace in a spoken language."""
    unit = "characters/min" if language.startswith("zh") else "words/min"
    return words.t(UNITS[unit])


def shown(measure: Measure, words: Words) -> str:
    """Return the value of a measure with its unit, or why there is none, as HTML."""
    if measure.value is None:
        why = words.t("not available: {reason}", reason=reason(measure.reason, words))
        return markup.text(why, css="ca-na")
    if measure.unit in ("ratio", "share"):
        return words.percent(measure.value)
    digits = 1 if measure.unit in ("s", "per 10 min") else 0
    unit = words.t(UNITS.get(measure.unit, measure.unit))
    return f"{words.number(measure.value, digits)} {markup.text(unit, css='ca-unit')}"
