"""Frames for pages and figures: lists of calls, what there is to choose from, labels counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import CTE, Connection, Executable, func, select

from callanalysis.store.filters import COLUMNS, CallFilter, conditions, page
from callanalysis.store.tables import CallLabelRow, CallRow

_NUMBERS = (
    "days_past_due", "balance", "duration", "willingness_score", "channels", "talk_share", "silence_share",
    "pace_collector", "pace_debtor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from. `collectors` are (id, name); times are UTC, None in an empty store."""

    collectors: tuple[tuple[str, str | None], ...]
    teams: tuple[str, ...]
    products: tuple[str, ...]
    languages: tuple[str, ...]
    first_start: datetime | None
    last_start: datetime | None


def call_frame(connection: Connection, wanted: CallFilter) -> pd.DataFrame:
    """Return one row per call with the columns of filters.COLUMNS and `started_local`.

    `started_at` is UTC, `started_local` the clock at the call without zone; a number not available is NaN.
    """
    columns = [getattr(CallRow, name) for name in COLUMNS]
    frame = _frame(connection, page(connection, wanted, *columns), list(COLUMNS))
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True)
    for name in _NUMBERS:
        frame[name] = frame[name].astype("float64")
    offset = pd.to_timedelta(frame["utc_offset"].astype("float64"), unit="min")
    frame["started_local"] = frame["started_at"].dt.tz_localize(None) + offset
    return frame.drop(columns="utc_offset")


def count(connection: Connection, wanted: CallFilter) -> int:
    """Return how many calls the filter takes, whatever its limit."""
    query = select(func.count()).select_from(CallRow).where(*conditions(connection, wanted))
    return connection.execute(query).scalar_one()


def label_frame(connection: Connection, wanted: CallFilter) -> pd.DataFrame:
    """Return call_id, collector_id, role, label, axis and n, the utterances of that call that carry it."""
    columns = (
        CallRow.call_id,
        CallRow.collector_id,
        CallLabelRow.role,
        CallLabelRow.label,
        CallLabelRow.axis,
        CallLabelRow.n,
    )
    query = select(*columns).join(CallLabelRow, CallLabelRow.call_pk == CallRow.id)
    query = query.where(*conditions(connection, wanted))
    return _frame(connection, query, [column.key for column in columns])


def facets(connection: Connection) -> Facets:
    """Return what there is to choose from; a collector goes by the name in their newest call."""
    first, last = connection.execute(
        select(
            select(func.min(CallRow.started_at)).scalar_subquery(),
            select(func.max(CallRow.started_at)).scalar_subquery(),
        )
    ).one()
    return Facets(
        collectors=_collectors(connection),
        teams=_distinct(connection, CallRow.team),
        products=_distinct(connection, CallRow.product),
        languages=_distinct(connection, CallRow.language),
        first_start=first,
        last_start=last,
    )


def _collectors(connection: Connection) -> tuple[tuple[str, str | None], ...]:
    leaps = _leaps(CallRow.collector_id)
    newest = CallRow.started_at.desc().nulls_last()
    named = select(CallRow.collector_name).where(CallRow.collector_id == leaps.c.value).order_by(newest)
    name = named.limit(1).correlate(leaps).scalar_subquery()
    query = select(leaps.c.value, name).where(leaps.c.value.is_not(None)).order_by(leaps.c.value)
    return tuple((row[0], row[1]) for row in connection.execute(query))


def _distinct(connection: Connection, column: Any) -> tuple[str, ...]:
    leaps = _leaps(column)
    query = select(leaps.c.value).where(leaps.c.value.is_not(None)).order_by(leaps.c.value)
    return tuple(connection.execute(query).scalars())


def _leaps(column: Any) -> CTE:
    """The values of an indexed column, found by leaping from one to the next: DISTINCT would read every row."""
    first = select(func.min(column).label("value")).cte("leaps", recursive=True)
    larger = select(func.min(column)).where(column > first.c.value).correlate(first).scalar_subquery()
    return first.union_all(select(larger).where(first.c.value.is_not(None)))


def _frame(connection: Connection, query: Executable, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame.from_records(connection.execute(query).all(), columns=columns)
