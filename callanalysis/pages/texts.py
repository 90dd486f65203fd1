"""The messages that go by a stored code: roles, measures, reasons, refusals, faults of files.

Marked here with N_ and translated where they are shown. What was stored in English with values in it is
matched with the pattern it came from, so that the translation carries the same values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import repeat
from string import Formatter
from types import MappingProxyType

from callanalysis.audio.faults import FAULTS as SOUND_FAULTS
from callanalysis.audio.faults import NOTES
from callanalysis.i18n import N_, Words
from callanalysis.intake.faults import FAULTS as INTAKE_FAULTS
from callanalysis.labels import COLLECTOR_INTENTS, DEBTOR_INTENTS, OTHER, RISKS
from callanalysis.schema import Failure
from callanalysis.skills import DEFINITIONS
from callanalysis.skills import REASONS as MEASURE_REASONS

FAULTS: Mapping[str, tuple[str, str]] = MappingProxyType({**SOUND_FAULTS, **INTAKE_FAULTS})
ROLE_NAMES: Mapping[str, str] = MappingProxyType(
    {"collector": N_("Collector"), "debtor": N_("Debtor"), "unknown": N_("Unknown")}
)
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "missing": N_(
            "The recording is no longer at its place, so there is no sound. The transcript stays as it is."
        ),
        "changed": N_("The file at this place is not the recording that was analysed, so it is not played."),
        "unreadable": N_("The recording cannot be played. The transcript stays as it is."),
        "expired": N_("The address of the sound has run out. Reload the page to listen on."),
        "unreachable": N_("The server does not answer. Reload the page when it is back."),
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_sides": N_("the two sides cannot be told apart well enough"),
        "no_sound": N_("there is no sound to measure"),
        "no_calls": N_("there are no calls"),
        "no_right_party": N_("in no call did the person on the line confirm their identity"),
    }
)
STAGES: Mapping[str, str] = MappingProxyType(
    {
        "audio": N_("Sound"),
        "speech": N_("Speech"),
        "tagging": N_("Tags"),
        "tags": N_("Tags"),
        "roles": N_("Roles"),
        "measures": N_("Measures"),
        "store": N_("Store"),
        "list": N_("Call list"),
        "identity": N_("Identity of the call"),
        "transcript": N_("Transcript"),
    }
)
# What a code says in general, for faults whose stored text holds no pattern we know
CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "error": (N_("something went wrong"), N_("See the English text")),
        "bad_input": (N_("the input cannot be used"), N_("Correct it and run again")),
        "bad_table": (
            N_("the call list or another table has a fault"),
            N_("Correct the table and run again"),
        ),
        "unknown_label": (N_("a label is not known"), N_("Use the labels of this version")),
        "setup": (N_("something is missing on this machine"), N_("Install what is named")),
        "missing_program": (N_("a program is not installed"), N_("Install what is named")),
        "missing_extra": (N_("a Python package is not installed"), N_("Install what is named")),
        "checkpoint": (
            N_("the weights of a model are missing or damaged"),
            N_("Fetch or import them with `callanalysis models`"),
        ),
        "store": (N_("the database refuses the call"), N_("Correct what is named and run again")),
    }
)

_MEANINGS = {label.name: label.meaning for label in (*COLLECTOR_INTENTS, *DEBTOR_INTENTS, *RISKS, OTHER)}


def label_meaning(name: str, words: Words) -> str:
    """Return what a label of an utterance stands for."""
    return words.t(_MEANINGS.get(name, ""))


def definition(measure: str, words: Words) -> str:
    """Return how a measure is defined."""
    found = DEFINITIONS.get(measure, "")
    return words.t(found)


def reason(stored: str | None, words: Words) -> str:
    """Return why a figure is not available."""
    return words.t({**MEASURE_REASONS, **REASONS}.get(stored or "", stored or ""))


def note(code: str, words: Words) -> str:
    """Return what was noticed about a sound file without stopping it."""
    return words.t(NOTES.get(code, code))


def fault_and_remedy(failure: Failure, words: Words) -> tuple[str, str]:
    """Return what was wrong and what to do; in English as it was stored, else translated."""
    if words.language == "en":
        return failure.fault, failure.remedy
    stored = (failure.fault, failure.remedy)
    patterns = FAULTS.get(failure.code) or CODES.get(failure.code) or stored
    fault, remedy = (_translated(*pair, words) for pair in zip(stored, patterns, strict=True))
    return fault, remedy


def _translated(stored: str, pattern: str, words: Words) -> str:
    """The pattern translated, with the values that the stored text has at its fields, else with dots."""
    found = _matcher(pattern).fullmatch(stored)
    values = iter(found.groups() if found else repeat("…"))
    fields = {field: next(values) for _, field, _, _ in Formatter().parse(pattern) if field}
    plain = re.sub(r"{(\w+)[^{}]*}", r"{\1}", words.t(pattern))
    return plain.format(**fields)


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    parts = (re.escape(text) + ("(.+?)" if field else "") for text, field, _, _ in Formatter().parse(pattern))
    return re.compile("".join(parts), re.DOTALL)
