"""Tables as people save them: CSV of any separator and usual encoding, or XLSX, line by line as text.

It knows no columns; whoever asks says which headers are known, which is how the separator is told.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from callanalysis.errors import CallListError, MissingExtra

_DELIMITERS = ",;\t|，；"
_ENCODINGS = ("utf-8", "gb18030")  # a GBK text is almost never valid UTF-8
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LONGEST_CELL = 1_000_000


def read_lines(path: Path, is_known: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every line that is not empty, the header first.

    Raises CallListError for a file that cannot be read, MissingExtra for XLSX without openpyxl.
    """
    is_sheet = path.suffix.lower() in (".xlsx", ".xlsm")
    for number, cells in _xlsx_lines(path) if is_sheet else _csv_lines(path, is_known):
        if any(cell.strip() for cell in cells):
            yield number, cells


def cell_text(value: object) -> str:
    """Return a value of a spreadsheet or of JSON as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _csv_lines(path: Path, is_known: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """Lines as (number, cells); the number is where the row begins."""
    text = _decoded(path)
    if separator := re.match(r'"?sep=(.)"?\r?\n', text):  # Excel's own hint
        delimiter, first, text = separator[1], 1, text[separator.end() :]
    else:
        delimiter, first = _delimiter(text, is_known), 0
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = first + 1
    try:
        for cells in reader:
            yield number, cells
            number = first + reader.line_num + 1
    except csv.Error as e:
        remedy = "Look for a quotation mark that is not closed, or export the list again"
        raise CallListError(f"{path}, line {number}", f"the line cannot be read ({e})", remedy) from e


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as e:
        raise CallListError(str(path), f"the list cannot be read ({e.strerror})", "Check --calls") from e
    if content.startswith(_SPREADSHEETS):
        remedy = "Save it as CSV (UTF-8), or give the XLSX file with its own ending"
        raise CallListError(str(path), "this is a spreadsheet, not a CSV file", remedy)
    encodings = [name for mark, name in _BOMS if content.startswith(mark)] or _ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    raise CallListError(str(path), "the text is neither UTF-8 nor GBK", "Save it as CSV (UTF-8)")


def _delimiter(text: str, is_known: Callable[[str], bool]) -> str:
    """The delimiter under which most columns are known, then most columns there are."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def worth(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter), [])
        return sum(map(is_known, names)), len(names)

    return max(_DELIMITERS, key=worth)


def _xlsx_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as e:
        raise MissingExtra("openpyxl", "excel") from e
    try:
        sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
    except Exception as e:  # openpyxl raises whatever the zip and XML readers raise
        raise CallListError(
            str(path), "the file is no spreadsheet that can be read", "Save it as CSV (UTF-8)"
        ) from e
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, [cell_text(cell) for cell in cells]
