"""Figures per collector: how many calls, how they were led, what was found in them, each with n and interval.

Pure functions on the frames that the store gives. A collector with few calls has figures, and `is_comparable`
says that they are no ground for a comparison; there is no ranking here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from callanalysis.analytics.intervals import Mean, NotAvailable, Ratio, mean, wilson
from callanalysis.labels import RISK_NAMES, WILLINGNESS

COMPARABLE_CALLS = 10  # fewer say too little to set one collector beside another
TOP_TAGS = 5
PROMISES = ("promise_full", "promise_partial")  # amount or clear time; a vague one is none
IDENTITY_CONFIRMED = "confirm_identity"


@dataclass(frozen=True, slots=True)
class TagCount:
    """In how many of a collector's calls the collector said something with this label."""

    label: str
    axis: str
    calls: int


@dataclass(frozen=True, slots=True)
class CollectorFigures:
    """The figures of one collector over the calls of the frames.

    `talk_share` and `silence_share` are means of the calls' shares (0-1), `pace` by language (characters a
    minute for zh, words for en); `risk` is calls with any risk label of all calls, `promises` calls with a
    promise of right-party contacts; `willingness` holds calls by level.
    """

    collector_id: str
    name: str | None
    team: str | None
    calls: int
    seconds: float
    talk_share: Mean | NotAvailable
    silence_share: Mean | NotAvailable
    pace: dict[str, Mean | NotAvailable]
    risk: Ratio | NotAvailable
    promises: Ratio | NotAvailable
    willingness: dict[str, int]
    top_tags: tuple[TagCount, ...]

    @property
    def is_comparable(self) -> bool:
        """Whether there are calls enough to compare with other collectors."""
        return self.calls >= COMPARABLE_CALLS


def collector_figures(calls: pd.DataFrame, tags: pd.DataFrame) -> list[CollectorFigures]:
    """Return the figures of every collector in `calls`, those with enough calls first, then by name.

    `calls` has the columns of Store.calls, `tags` those of Store.utterance_tags for the same calls. Calls
    without a collector are left out.
    """
    labels = _calls_by_label(tags)
    found = [
        _figures(str(identity), rows, labels) for identity, rows in calls.groupby("collector_id", sort=True)
    ]
    return sorted(found, key=lambda x: (not x.is_comparable, x.name or x.collector_id))


def _calls_by_label(tags: pd.DataFrame) -> dict[tuple[str, str], set[str]]:
    """(role, label) -> the calls in which that role said it."""
    found: dict[tuple[str, str], set[str]] = {}
    for (role, label), rows in tags.groupby(["role", "label"]):
        found[str(role), str(label)] = set(rows["call_id"].astype(str))
    return found


def _figures(identity: str, rows: pd.DataFrame, labels: dict[tuple[str, str], set[str]]) -> CollectorFigures:
    mine = set(rows["call_id"].astype(str))
    reached = mine & labels.get(("debtor", IDENTITY_CONFIRMED), set())
    promised = reached & set().union(*(labels.get(("debtor", name), set()) for name in PROMISES))
    return CollectorFigures(
        collector_id=identity,
        name=_first(rows["collector_name"]),
        team=_first(rows["team"]),
        calls=len(rows),
        seconds=float(rows["duration"].fillna(0).sum()),
        talk_share=mean(rows["talk_share"], "no_sides"),
        silence_share=mean(rows["silence_share"], "no_sound"),
        pace={
            str(language): mean(part["pace_collector"], "no_sides")
            for language, part in rows.groupby("language")
        },
        risk=wilson(int((rows["risk_count"] > 0).sum()), len(rows), "no_calls"),
        promises=wilson(len(promised), len(reached), "no_right_party"),
        willingness=_levels(rows["willingness"]),
        top_tags=_top_tags(mine, labels),
    )


def _top_tags(mine: set[str], labels: dict[tuple[str, str], set[str]]) -> tuple[TagCount, ...]:
    counts = Counter(
        {label: len(mine & calls) for (role, label), calls in labels.items() if role == "collector"}
    )
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        TagCount(label, "risk" if label in RISK_NAMES else "intent", calls)
        for label, calls in common[:TOP_TAGS]
        if calls
    )


def _levels(column: pd.Series[str]) -> dict[str, int]:
    counts = column.fillna("unknown").value_counts()
    return {level.name: int(counts.get(level.name, 0)) for level in WILLINGNESS}


def _first(column: pd.Series[str]) -> str | None:
    known = column.dropna()
    return str(known.iloc[0]) if len(known) else None
