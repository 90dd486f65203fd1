"""Calls written and read whole, over a connection that the caller holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from callanalysis.schema import CallAnalysis, CallMetadata
from callanalysis.store import rows
from callanalysis.store.search import add_document, remove_document
from callanalysis.store.tables import (
    CallDetailRow,
    CallLabelRow,
    CallRow,
    MeasureRow,
    UtteranceLabelRow,
    UtteranceRow,
)

_PARTS = (UtteranceRow, UtteranceLabelRow, CallLabelRow, MeasureRow)
_CHUNK = 200  # calls read at once
_PartRow = TypeVar("_PartRow", UtteranceRow, UtteranceLabelRow, MeasureRow)


def write(connection: Connection, analysis: CallAnalysis, at: datetime) -> None:
    """Write a call in place of an older state of it; the row keeps its key."""
    values = rows.call_row(analysis) | {"saved_at": at}
    pk = key_of(connection, analysis.metadata.call_id)
    if pk is None:
        pk = connection.execute(insert(CallRow).returning(CallRow.id), values).scalar_one()
        connection.execute(insert(CallDetailRow), rows.detail_row(analysis) | {"call_pk": pk})
    else:
        remove_document(connection, pk, _texts(connection, pk))
        for table in _PARTS:
            connection.execute(delete(table).where(table.call_pk == pk))
        connection.execute(update(CallRow).where(CallRow.id == pk).values(values))
        detail = rows.detail_row(analysis)
        connection.execute(update(CallDetailRow).where(CallDetailRow.call_pk == pk).values(detail))
    _write_parts(connection, analysis, pk)


def write_metadata(connection: Connection, metadata: CallMetadata) -> None:
    """Write what a corrected call list says of a stored call."""
    pk = key_of(connection, metadata.call_id)
    connection.execute(update(CallRow).where(CallRow.id == pk).values(rows.metadata_row(metadata)))
    detail = update(CallDetailRow).where(CallDetailRow.call_pk == pk)
    connection.execute(detail.values(extra=dict(metadata.extra)))


def remove(connection: Connection, call_id: str) -> bool:
    """Take a call and all that hangs on it out of the database; whether it was there."""
    pk = key_of(connection, call_id)
    if pk is None:
        return False
    remove_document(connection, pk, _texts(connection, pk))
    connection.execute(delete(CallRow).where(CallRow.id == pk))
    return True


def key_of(connection: Connection, call_id: str) -> int | None:
    """Return the row key of a call, None where it is not stored."""
    return connection.execute(select(CallRow.id).where(CallRow.call_id == call_id)).scalar()


def read(connection: Connection, keys: Sequence[int]) -> Iterator[CallAnalysis]:
    """Yield the calls of those row keys in their order, reading some hundred at once."""
    for start in range(0, len(keys), _CHUNK):
        yield from _read_chunk(connection, keys[start : start + _CHUNK])


def _read_chunk(connection: Connection, keys: Sequence[int]) -> Iterator[CallAnalysis]:
    with Session(connection) as session:
        calls = {row.id: row for row in session.scalars(select(CallRow).where(CallRow.id.in_(keys)))}
        found = select(CallDetailRow).where(CallDetailRow.call_pk.in_(keys))
        details = {row.call_pk: row for row in session.scalars(found)}
        parts: defaultdict[int, rows.Parts] = defaultdict(rows.Parts)
        for row in session.scalars(_of(UtteranceRow, keys).order_by(UtteranceRow.position)):
            parts[row.call_pk].utterances.append(row)
        for label in session.scalars(_of(UtteranceLabelRow, keys)):
            parts[label.call_pk].labels.append(label)
        for measure in session.scalars(_of(MeasureRow, keys).order_by(MeasureRow.position)):
            parts[measure.call_pk].measures.append(measure)
        found_keys = [key for key in keys if key in calls and key in details]
        analyses = [rows.analysis_of(calls[key], details[key], parts[key]) for key in found_keys]
    yield from analyses


def _of(table: type[_PartRow], keys: Sequence[int]) -> Select[_PartRow]:
    return select(table).where(table.call_pk.in_(keys))


def _texts(connection: Connection, pk: int) -> list[str]:
    query = select(UtteranceRow.text).where(UtteranceRow.call_pk == pk).order_by(UtteranceRow.position)
    return list(connection.execute(query).scalars())


def _write_parts(connection: Connection, analysis: CallAnalysis, pk: int) -> None:
    for table, values in (
        (UtteranceRow, rows.utterance_rows(analysis)),
        (UtteranceLabelRow, rows.label_rows(analysis)),
        (CallLabelRow, rows.call_label_rows(analysis)),
        (MeasureRow, rows.measure_rows(analysis)),
    ):
        if values:
            connection.execute(insert(table), [row | {"call_pk": pk} for row in values])
    add_document(connection, pk, [utterance.text for utterance in analysis.transcript.utterances])
