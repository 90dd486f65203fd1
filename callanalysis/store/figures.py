"""Frames for pages and figures: lists of calls, what there is to choose from, labels counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Executable, func, select

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
    """Return what there is to choose from."""
    named = select(CallRow.collector_id, func.max(CallRow.collector_name)).where(
        CallRow.collector_id.is_not(None)
    )
    collectors = connection.execute(named.group_by(CallRow.collector_id).order_by(CallRow.collector_id))
    first, last = connection.execute(
        select(
            select(func.min(CallRow.started_at)).scalar_subquery(),
            select(func.max(CallRow.started_at)).scalar_subquery(),
        )
    ).one()
    return Facets(
        collectors=tuple((key or "", name) for key, name in collectors),
        teams=_distinct(connection, CallRow.team),
        products=_distinct(connection, CallRow.product),
        languages=_distinct(connection, CallRow.language),
        first_start=first,
        last_start=last,
    )


def _distinct(connection: Connection, column: Any) -> tuple[str, ...]:
    query = select(column).where(column.is_not(None)).distinct().order_by(column)
    return tuple(connection.execute(query).scalars())


def _frame(connection: Connection, query: Executable, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame.from_records(connection.execute(query).all(), columns=columns)
