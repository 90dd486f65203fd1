"""Which calls: the filter that pages and exports share, as SQL, with the columns they see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from callanalysis.store.search import matches
from callanalysis.store.tables import CallLabelRow, CallRow

COLUMNS = (
    "call_id", "started_at", "utc_offset", "collector_id", "collector_name", "team", "debtor_id",
    "account_id", "product", "days_past_due", "balance", "currency", "language", "duration", "willingness",
    "willingness_score", "ability", "overdue_reason", "risk_count", "risk_labels", "utterance_count",
    "channels", "talk_share", "silence_share", "pace_collector", "pace_debtor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls, in which order. An empty tuple or None means no condition; values of one tuple are "or".

    `risks` and `intents`: calls with an utterance that carries any of the labels. `started_to` is exclusive.
    """

    search: str = ""
    collectors: tuple[str, ...] = ()  # ids
    teams: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    willingness: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    started_from: datetime | None = None
    started_to: datetime | None = None
    order_by: str = "started_at"
    descending: bool = True
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        if self.order_by not in COLUMNS:
            raise ValueError(f"order_by {self.order_by!r}: one of {', '.join(COLUMNS)}")


def conditions(connection: Connection, wanted: CallFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter on calls."""
    found: list[ColumnElement[bool]] = []
    for column, values in (
        (CallRow.collector_id, wanted.collectors),
        (CallRow.team, wanted.teams),
        (CallRow.product, wanted.products),
        (CallRow.language, wanted.languages),
        (CallRow.willingness, wanted.willingness),
    ):
        if values:
            found.append(column.in_(values))
    for axis, labels in (("risk", wanted.risks), ("intent", wanted.intents)):
        if labels:
            found.append(_carries(axis, labels))
    if wanted.started_from is not None:
        found.append(CallRow.started_at >= wanted.started_from)
    if wanted.started_to is not None:
        found.append(CallRow.started_at < wanted.started_to)
    if wanted.search.strip():
        found.append(matches(connection, wanted.search))
    return found


def page(connection: Connection, wanted: CallFilter, *columns: Any) -> Select[Any]:
    """Return the query for the columns of the calls wanted, in order; calls without the value come last."""
    column = getattr(CallRow, wanted.order_by)
    order = (column.desc(), CallRow.id.desc()) if wanted.descending else (column.asc(), CallRow.id.asc())
    if column.property.columns[0].nullable:
        order = (order[0].nulls_last(), order[1])
    query = select(*columns).where(*conditions(connection, wanted)).order_by(*order)
    return query.limit(wanted.limit).offset(wanted.offset or None)


def _carries(axis: str, labels: tuple[str, ...]) -> ColumnElement[bool]:
    carrying = select(CallLabelRow.call_pk).where(CallLabelRow.axis == axis, CallLabelRow.label.in_(labels))
    return CallRow.id.in_(carrying)
