"""The list of calls as the table component shows it. Pure functions from the store's frame to plain data."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd

from callanalysis.i18n import MISSING, OWN_NAMES, Words
from callanalysis.pages.list_view import ListView
from callanalysis.pages.texts import definition, label_meaning

_SHOWN_RISKS = 2  # chips in a row; the rest is counted
_SPOKEN = {"zh": "中", "en": "EN"}

Cell = dict[str, Any]


def calls_grid(frame: pd.DataFrame, view: ListView, words: Words) -> dict[str, Any]:
    """Return the table of a page of calls."""
    return {
        "label": words.t("Calls"),
        "columns": _columns(words),
        "sort": {"key": view.order_by, "descending": view.descending},
        "rows": [_row(call, view.search, words) for call in frame.to_dict("records")],
    }


def call_address(call_id: str, search: str, words: Words) -> str:
    """Return the address of a call's page, relative to the app's."""
    params = {"call": call_id, "lang": words.language} | ({"q": search} if search else {})
    return f"call?{urlencode(params)}"


def _columns(words: Words) -> list[dict[str, Any]]:
    return [
        {"label": words.t("Started"), "sort": "started_at", "down": True},
        {"label": words.t("Call"), "link": True, "sort": "call_id"},
        {"label": words.t("Collector"), "sort": "collector_name"},
        {"label": words.t("Account")},
        {"label": words.t("Product"), "sort": "product"},
        {
            "label": words.t("Days"),
            "help": words.t("Days past due"),
            "align": "right",
            "sort": "days_past_due",
            "down": True,
        },
        {"label": words.t("Balance"), "align": "right", "sort": "balance", "down": True},
        {"label": words.t("Length"), "align": "right", "sort": "duration", "down": True},
        {
            "label": words.t("Willingness"),
            "help": words.t("Willingness to repay, with its score of 0 to 1"),
            "sort": "willingness_score",
            "down": True,
        },
        {"label": words.t("Reason for arrears"), "wide": True},
        {
            "label": words.t("Compliance risks"),
            "help": words.t("Sorted by the number of utterances with a risk label"),
            "sort": "risk_count",
            "down": True,
        },
        {
            "label": words.t("Collector talks"),
            "help": definition("talk_share", words),
            "wide": True,
            "sort": "talk_share",
            "down": True,
        },
    ]


def _row(call: dict[Any, Any], search: str, words: Words) -> dict[str, Any]:
    identity = str(call["call_id"])
    started = call["started_local"]
    overdue = _known(call["days_past_due"])
    return {
        "id": identity,
        "href": call_address(identity, search, words),
        "cells": [
            {"text": words.moment(None if pd.isna(started) else started)},
            {"text": identity},
            {"text": _text(call["collector_name"]) or _text(call["collector_id"]) or MISSING}
            | _sub(call["team"]),
            {"text": _text(call["account_id"]) or MISSING},
            {"text": _text(call["product"]) or MISSING},
            {"text": words.number(overdue)},
            {"text": words.money(_known(call["balance"]), _text(call["currency"]))},
            _length(call, words),
            _willingness(call, words),
            {"text": words.label(_text(call["overdue_reason"]), "overdue_reason")},
            _risks(call, words),
            _talk(call, words),
        ],
    }


def _length(call: dict[Any, Any], words: Words) -> Cell:
    spoken = str(call["language"])
    cell = {"text": words.clock(_known(call["duration"])), "sub": _SPOKEN.get(spoken, spoken.upper())}
    return cell | ({"title": OWN_NAMES["zh" if spoken == "zh" else "en"]} if spoken in _SPOKEN else {})


def _willingness(call: dict[Any, Any], words: Words) -> Cell:
    level, score = _text(call["willingness"]), _known(call["willingness_score"])
    if not level:
        return {"text": MISSING, "title": words.t("This call has not been tagged yet.")}
    shown = {"text": words.label(level, "willingness"), "kind": f"level ca-level-{level}"}
    return shown if score is None else shown | {"sub": f"{score:.2f}"}


def _risks(call: dict[Any, Any], words: Words) -> Cell:
    names = [name for name in _text(call["risk_labels"]).split(",") if name]
    if not names:
        return {"text": ""}
    chips = [
        {"text": words.label(name, "risk"), "kind": "risk", "title": label_meaning(name, words)}
        for name in names[:_SHOWN_RISKS]
    ]
    rest = ", ".join(words.label(name, "risk") for name in names[_SHOWN_RISKS:])
    if rest:
        chips.append({"text": f"+{len(names) - _SHOWN_RISKS}", "kind": "more", "title": rest})
    said = words.n("{count} utterance with a risk", "{count} utterances with a risk", int(call["risk_count"]))
    return {"chips": chips, "title": said}


def _talk(call: dict[Any, Any], words: Words) -> Cell:
    share = _known(call["talk_share"])
    if share is None:
        return {"text": MISSING, "title": words.t("not available")}
    parts = [
        {"share": share, "kind": "collector", "title": f"{words.t('Collector')} {words.percent(share)}"},
        {"share": 1 - share, "kind": "debtor", "title": f"{words.t('Debtor')} {words.percent(1 - share)}"},
    ]
    return {"parts": parts, "sub": words.percent(share)}


def _sub(value: object) -> Cell:
    return {"sub": _text(value)} if _text(value) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
