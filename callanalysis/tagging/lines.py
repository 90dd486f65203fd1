"""Files of lines to tag, in and out: JSON lines {"id", "role", "context", "text"}.

It knows the file format, not the tagger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from callanalysis.errors import InputError
from callanalysis.schema import UtteranceTags
from callanalysis.tagging.corpus import read_rows
from callanalysis.tagging.inputs import CONTEXT_TURNS, TagInput

_REMEDY = 'Write {"id": "1", "role": "collector" or "debtor", "context": ["[collector] …"], "text": "…"}'


def read_lines(path: Path) -> list[TagInput]:
    """Return the lines to tag; raise InputError naming file and line."""
    return [_line(row, where) for where, row in read_rows(path)]


def tagged_rows(lines: Sequence[TagInput], tags: Sequence[UtteranceTags]) -> Iterable[dict[str, Any]]:
    """Return the rows {"id", "intent", "risk", "scores"} of tagged lines."""
    for line, tag in zip(lines, tags, strict=True):
        yield {
            "id": line.id,
            "intent": list(tag.intent),
            "risk": list(tag.risk),
            "scores": dict(tag.scores),
        }


def _line(row: dict[str, Any], where: str) -> TagInput:
    for name in ("id", "role", "text"):
        if name not in row:
            raise InputError(where, f"field {name!r} is missing", _REMEDY)
    role, text, context = row["role"], row["text"], row.get("context") or []
    if not _is_id(row["id"]):
        raise InputError(where, "id is neither a text nor a whole number", _REMEDY)
    if role not in ("collector", "debtor"):
        raise InputError(where, f"unknown role {role!r}", _REMEDY)
    if not isinstance(text, str):
        raise InputError(where, "text is not a string", _REMEDY)
    if not isinstance(context, list) or not all(isinstance(turn, str) for turn in context):
        raise InputError(where, "context is not a list of strings", _REMEDY)
    return TagInput(row["id"], role, tuple(context[-CONTEXT_TURNS:]), text)


def _is_id(value: object) -> bool:
    """Return whether a value can be written back as an id: JSON strings may hold halves of characters."""
    if not isinstance(value, str | int):
        return False
    try:
        str(value).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
