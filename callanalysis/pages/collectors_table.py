"""The figures of collectors as the table component shows them, every ratio with what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from callanalysis.analytics.collectors import COMPARABLE_CALLS, CollectorFigures, TagCount
from callanalysis.analytics.intervals import Mean, NotAvailable, Ratio
from callanalysis.i18n import MISSING, N_, OWN_NAMES, Words
from callanalysis.pages.measures import pace_unit
from callanalysis.pages.texts import definition, reason

Cell = dict[str, Any]

# sort key in the address: figure by which the comparable ones are ordered
_RATIO_ROOM = 7.2  # em, for "123/456, 12–34" beside the value, so that values stand in line
SORTS = ("name", "calls", "hours", "talk", "silence", "risk", "promises")


def collectors_grid(
    figures: Sequence[CollectorFigures], sort: tuple[str, bool], words: Words
) -> dict[str, Any]:
    """Return the table: comparable collectors in the order asked for, then the others by name."""
    key, descending = sort
    compared = ordered([x for x in figures if x.is_comparable], key, descending)
    few = [x for x in figures if not x.is_comparable]
    rows = [_row(x, words) for x in compared]
    if few:
        told = words.t("Fewer than {n} calls: too few to compare, listed by name.", n=COMPARABLE_CALLS)
        rows += [{"group": told}, *(_row(x, words) for x in few)]
    return {
        "label": words.t("Collectors"),
        "columns": _columns(words),
        "sort": {"key": key, "descending": descending},
        "rows": rows,
    }


def ordered(figures: Sequence[CollectorFigures], key: str, descending: bool) -> list[CollectorFigures]:
    """Return the collectors ordered by a figure, those without it last."""
    if key == "name":
        return sorted(figures, key=lambda x: x.name or x.collector_id, reverse=descending)
    known = [x for x in figures if _value(x, key) is not None]
    unknown = [x for x in figures if _value(x, key) is None]
    return [*sorted(known, key=lambda x: _value(x, key) or 0.0, reverse=descending), *unknown]


def ratio_help(ratio: Ratio | NotAvailable, words: Words) -> str:
    """Return numerator, denominator and interval of a ratio, or why there is none."""
    if isinstance(ratio, NotAvailable):
        return words.t("not available: {reason}", reason=reason(ratio.reason, words))
    return words.t(
        "{numerator} of {denominator}; 95 % interval {low} to {high}",
        numerator=words.number(ratio.numerator),
        denominator=words.number(ratio.denominator),
        low=words.percent(ratio.low),
        high=words.percent(ratio.high),
    )


def _value(x: CollectorFigures, key: str) -> float | None:
    figure = {"calls": x.calls, "hours": x.seconds, "talk": x.talk_share, "silence": x.silence_share}
    found = (figure | {"risk": x.risk, "promises": x.promises}).get(key)
    if isinstance(found, Ratio | Mean):
        return found.value
    return None if found is None or isinstance(found, NotAvailable) else float(found)


_MEAN_HELP = N_("Mean of the calls' shares, with n and 95 % interval on hover")
_RISK_HELP = N_("Calls with any risk label ÷ calls, with 95 % interval (Wilson)")
_PROMISE_HELP = N_(
    "Calls with a promise (amount or clear time) ÷ calls in which the debtor confirmed their identity, "
    "with 95 % interval (Wilson)"
)
_MIX_HELP = N_("Calls by willingness: high, medium, low, none, unknown")
_TAGS_HELP = N_("Labels of what the collector said, with the number of calls that have them")


def _columns(words: Words) -> list[dict[str, Any]]:
    return [
        {"label": words.t("Collector"), "sort": "name", "link": True},
        _figure(words.t("Calls"), "calls"),
        _figure(words.t("Hours"), "hours"),
        _figure(words.t("Calls with a risk, per 100"), "risk", words.t(_RISK_HELP)),
        _figure(words.t("Promise rate"), "promises", words.t(_PROMISE_HELP)),
        {"label": words.t("Willingness"), "help": words.t(_MIX_HELP)},
        _figure(words.t("Collector talks"), "talk", words.t(_MEAN_HELP)),
        _figure(words.t("Share of silence"), "silence", words.t(_MEAN_HELP)),
        {"label": words.t("Pace"), "align": "right", "help": definition("pace_collector", words)},
        {"label": words.t("Most frequent tags"), "help": words.t(_TAGS_HELP), "wide": True},
    ]


def _figure(label: str, sort: str, help_: str = "") -> dict[str, Any]:
    """A column of numbers, ordered downwards first."""
    return {"label": label, "sort": sort, "help": help_ or None, "align": "right", "down": True}


def _row(x: CollectorFigures, words: Words) -> dict[str, Any]:
    return {
        "id": x.collector_id,
        "href": f"./?{urlencode({'collector': x.collector_id, 'lang': words.language})}",
        "muted": not x.is_comparable,
        "cells": [
            {"text": x.name or x.collector_id, "sub": " ".join(filter(None, (x.collector_id, x.team)))},
            {"text": words.number(x.calls)},
            {"text": words.number(x.seconds / 3600, 1 if x.seconds >= 36000 else 2)},
            _per_hundred(x.risk, words),
            _ratio(x.promises, words),
            _mix(x, words),
            _mean(x.talk_share, words),
            _mean(x.silence_share, words),
            _pace(x, words),
            {"chips": [_tag(tag, words) for tag in x.top_tags[:3]], "title": _all_tags(x.top_tags, words)},
        ],
    }


def _per_hundred(ratio: Ratio | NotAvailable, words: Words) -> Cell:
    return _ratio(ratio, words) | (
        {"text": words.number(ratio.value * 100)} if isinstance(ratio, Ratio) else {}
    )


def _ratio(ratio: Ratio | NotAvailable, words: Words) -> Cell:
    if isinstance(ratio, NotAvailable):
        return {"text": MISSING, "title": ratio_help(ratio, words)}
    sub = f"{ratio.numerator}/{ratio.denominator}, {ratio.low * 100:.0f}–{ratio.high * 100:.0f}"
    shown = {"text": words.percent(ratio.value), "sub": sub, "room": _RATIO_ROOM}
    return shown | {"title": ratio_help(ratio, words)}


def _mean(mean: Mean | NotAvailable, words: Words) -> Cell:
    if isinstance(mean, NotAvailable):
        return {
            "text": MISSING,
            "title": words.t("not available: {reason}", reason=reason(mean.reason, words)),
        }
    shares = [words.percent(value) for value in (mean.low, mean.high)]
    return {"text": words.percent(mean.value), "title": _mean_help(mean, shares, words)}


def _mean_help(mean: Mean, bounds: list[str], words: Words) -> str:
    calls = words.n("mean of {count} call", "mean of {count} calls", mean.n)
    if mean.low is None:
        return calls
    return words.t("{calls}; 95 % interval {low} to {high}", calls=calls, low=bounds[0], high=bounds[1])


def _pace(x: CollectorFigures, words: Words) -> Cell:
    shown, told = [], []
    for language, pace in x.pace.items():
        name = OWN_NAMES["zh" if language.startswith("zh") else "en"]
        if isinstance(pace, NotAvailable):
            continue
        unit = pace_unit(language, words)
        shown.append(f"{words.number(pace.value)} {unit}")
        bounds = [words.number(value) for value in (pace.low, pace.high)]
        told.append(f"{name}: {_mean_help(pace, bounds, words)}")
    if not shown:
        return {
            "text": MISSING,
            "title": words.t("not available: {reason}", reason=reason("no_sides", words)),
        }
    return {"text": " · ".join(shown), "title": "\n".join(told)}


def _mix(x: CollectorFigures, words: Words) -> Cell:
    total = sum(x.willingness.values())
    told = {
        level: f"{words.label(level, 'willingness')} {count}/{total}"
        for level, count in x.willingness.items()
    }
    parts = [
        {"share": count / total, "kind": level, "title": told[level]}
        for level, count in x.willingness.items()
        if count
    ]
    return {"parts": parts, "title": ", ".join(told.values())}


def _tag(tag: TagCount, words: Words) -> Cell:
    return {"text": words.label(tag.label, tag.axis), "kind": tag.axis, "score": words.number(tag.calls)}


def _all_tags(tags: Sequence[TagCount], words: Words) -> str:
    return ", ".join(f"{words.label(tag.label, tag.axis)} {tag.calls}" for tag in tags)
