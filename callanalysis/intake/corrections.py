"""Reviewers' answers as JSON lines: `{"call", "utterance", "intent"?, "risk"?, "reviewer", "at"?}`.

A file is read whole or refused with the line that cannot be used. Whether call and labels exist, the store knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from callanalysis.errors import InputError
from callanalysis.intake.transcripts import json_object
from callanalysis.schema import Answer

_FIELDS = ("call", "utterance", "intent", "risk", "reviewer", "at")
_REMEDY = (
    'Write {"call": "C-1", "utterance": 0, "intent": ["greet"], "risk": [], "reviewer": "name"}; '
    "leave out the axis that was not judged"
)
_TIME = "Write a time that has passed, with its zone: 2026-11-28T09:30:00+08:00"
_LONGEST = 200  # characters of a reviewer's name


def read_answers(path: Path, now: datetime) -> list[Answer]:
    """Return the answers of a file in its order; raise InputError naming file and line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as e:
        raise InputError(str(path), f"it cannot be read ({e.strerror})", "Give a JSON-lines file") from e
    answers = list(_answers(path, lines, now))
    if not answers:
        raise InputError(str(path), "it holds no corrections", _REMEDY)
    return answers


def _answers(path: Path, lines: list[bytes], now: datetime) -> Iterator[Answer]:
    places: dict[tuple[object, ...], int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            continue
        answer = _answer(f"{path}:{number}", line, now)
        for axis in ("intent", "risk"):
            key = answer.call_id, answer.utterance, answer.reviewer, answer.at, axis
            if getattr(answer, axis) is not None and places.setdefault(key, number) != number:
                fault = f"{answer.reviewer} judges this utterance's {axis} twice, also in line {places[key]}"
                raise InputError(answer.where, fault, f"Drop one of the lines, or give each its at. {_TIME}")
        yield answer


def _answer(where: str, line: bytes, now: datetime) -> Answer:
    row = json_object(where, line)
    if strange := sorted(row.keys() - set(_FIELDS)):
        raise InputError(where, f"unknown field {strange[0]!r}", _REMEDY)
    place = row.get("utterance")
    if not isinstance(place, int) or isinstance(place, bool) or place < 0:
        raise InputError(where, f"utterance {place!r} is no number from 0", _REMEDY)
    intent, risk = _labels(where, row, "intent"), _labels(where, row, "risk")
    if intent is None and risk is None:
        raise InputError(where, "neither intent nor risk is given", _REMEDY)
    return Answer(
        where=where,
        call_id=_name(where, row, "call"),
        utterance=place,
        intent=intent,
        risk=risk,
        reviewer=_name(where, row, "reviewer"),
        at=_time(where, row.get("at"), now),
    )


def _name(where: str, row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    name = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise InputError(where, f"{field} is missing, or no name of up to {_LONGEST} characters", _REMEDY)
    return name


def _labels(where: str, row: Mapping[str, Any], axis: str) -> tuple[str, ...] | None:
    given = row.get(axis)
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise InputError(where, f"{axis} is no list of labels", _REMEDY)
    return tuple(dict.fromkeys(given))


def _time(where: str, given: object, now: datetime) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError as e:
        raise InputError(where, f"at {given!r} is no time", _TIME) from e
    if at.tzinfo is None or at > now:
        fault = "has no zone" if at.tzinfo is None else "lies in the future"
        raise InputError(where, f"the time {given!r} {fault}", _TIME)
    return at
