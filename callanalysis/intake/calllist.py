"""The call list: one row per call from a dialler's export, as CSV or XLSX, in Chinese or English.

What cannot be read in a row is a RowFault with its line; the call goes on without that field, and the cell as
it was stays in `extra`. It knows tables, not sound: folders.py finds the recordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callanalysis.errors import CallListError
from callanalysis.intake.columns import field_of
from callanalysis.intake.tables import cell_text, read_lines
from callanalysis.intake.values import NOTHING, PARSERS, CellError, Clock, read_id, read_time
from callanalysis.schema import CallMetadata


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in one line of the list (`column` empty: the whole line), and what to do."""

    line: int
    column: str
    value: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        value = f" {self.value[:40]!r}" if self.value else ""
        return f"{where}:{value} {self.fault}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class ListRow:
    """One call of the list; `metadata.call_id` is the file's stem where the list has no id."""

    line: int
    metadata: CallMetadata


@dataclass(frozen=True, slots=True)
class CallList:
    """The calls of a list in its order, and what was wrong in it."""

    path: Path
    rows: tuple[ListRow, ...]
    faults: tuple[RowFault, ...]


def read_call_list(path: Path, timezone: str, now: datetime | None = None) -> CallList:
    """Return the calls of a CSV or XLSX file; times without zone are taken in `timezone`.

    Raises CallListError for a file that is no call list, MissingExtra for XLSX without openpyxl.
    """
    clock = Clock(open_zone(timezone), now or datetime.now(UTC))
    lines = read_lines(path, lambda header: field_of(header) is not None)
    header = _Header(path, next(lines, (1, []))[1])
    rows: list[ListRow] = []
    faults: list[RowFault] = []
    for number, cells in lines:
        row = header.read(number, cells, clock, faults)
        if row is not None:
            rows.append(row)
    return CallList(path, tuple(rows), tuple(faults))


def metadata_of(
    values: Mapping[str, object], call_id: str, clock: Clock
) -> tuple[CallMetadata, list[RowFault]]:
    """Return metadata given as a mapping, as in an imported transcript, and what could not be read of it."""
    header = _Header(None, list(values))
    faults: list[RowFault] = []
    fields, extra = header.fields([cell_text(value) for value in values.values()], 0, clock, faults)
    fields.pop("call_id", None)
    return CallMetadata(call_id=call_id, extra=extra, **fields), faults


def open_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name; raises CallListError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        remedy = "Name one as in Asia/Shanghai, America/New_York or Europe/London"
        raise CallListError(f"--timezone {name}", "no such time zone is known", remedy) from e


class _Header:
    """The columns of one list."""

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._columns: list[tuple[str, str | None]] = []  # (name, field)
        for name in names:
            field = field_of(name)
            taken = any(field == known for _, known in self._columns)
            self._columns.append((name.strip(), None if taken else field))
        fields = {field for _, field in self._columns}
        if path is not None and not fields & {"call_id", "file"}:
            raise CallListError(
                str(path),
                f"no column names the call or its file; it has {', '.join(names[:8]) or 'no columns'}",
                "Give it a column call_id or file (通话编号 or 录音文件)",
            )

    def read(self, line: int, cells: Sequence[str], clock: Clock, faults: list[RowFault]) -> ListRow | None:
        """Return the call of a line; None, with a fault, where it names neither call nor file."""
        if len(cells) > len(self._columns) and any(cell.strip() for cell in cells[len(self._columns) :]):
            remedy = "Put cells that hold the separator into quotation marks"
            faults.append(RowFault(line, "", "", "the line has more cells than the header", remedy))
        fields, extra = self.fields(cells, line, clock, faults)
        file = fields.get("file")
        call_id = fields.pop("call_id", None) or (
            re.split(r"[/\\]", file)[-1].rsplit(".", 1)[0] if file else None
        )
        if not call_id:
            remedy = "Fill in the call id or the file, or delete the line"
            faults.append(RowFault(line, "", "", "the line names neither a call nor a file", remedy))
            return None
        return ListRow(line, CallMetadata(call_id=call_id, extra=extra, **fields))

    def fields(
        self, cells: Sequence[str], line: int, clock: Clock, faults: list[RowFault]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the fields of CallMetadata that a line fills, and the other cells by column."""
        fields: dict[str, Any] = {}
        extra: dict[str, str] = {}
        given = {
            name: cell.replace("\x00", "").strip()
            for (name, _), cell in zip(self._columns, cells, strict=False)
        }
        for name, field in self._columns:
            cell = given.get(name, "")
            if cell.casefold() in NOTHING:
                continue
            if field is None or field == "started_date":
                extra[name] = cell
                continue
            try:
                fields[field] = self._value(field, cell, given, clock)
            except CellError as error:
                extra[name] = cell
                faults.append(RowFault(line, name, cell, error.fault, error.remedy))
        if "started_at" not in fields:
            self._date_alone(fields, given, line, clock, faults)
        return fields, extra

    def _value(self, field: str, cell: str, given: Mapping[str, str], clock: Clock) -> object:
        if field != "started_at":
            return PARSERS.get(field, read_id)(cell)
        if re.fullmatch(r"\d{1,2}[:：]\d{2}([:：]\d{2})?(\s*[AaPp][Mm])?", cell):
            cell = f"{given.get(self._name_of('started_date'), '')} {cell}"
        return read_time(cell, clock)

    def _date_alone(
        self,
        fields: dict[str, Any],
        given: Mapping[str, str],
        line: int,
        clock: Clock,
        faults: list[RowFault],
    ) -> None:
        """A list may have a date column that holds the time too, and no other."""
        name = self._name_of("started_date")
        cell = given.get(name, "")
        if cell.casefold() in NOTHING or self._name_of("started_at"):
            return
        try:
            fields["started_at"] = read_time(cell, clock)
        except CellError as error:
            faults.append(RowFault(line, name, cell, error.fault, error.remedy))

    def _name_of(self, field: str) -> str:
        return next((name for name, known in self._columns if known == field), "")
