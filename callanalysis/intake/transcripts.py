"""Transcripts that a user already has, as JSON lines: one call a line, checked turn by turn.

`{"id", "metadata": {…}, "turns": [{"role"?, "speaker"?, "start"?, "end"?, "text"}…]}`; a line that cannot
be used is a fault with its number, and the lines after it go on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalysis.errors import InputError
from callanalysis.intake.calllist import RowFault, metadata_of
from callanalysis.intake.faults import input_error
from callanalysis.intake.values import CellError, Clock, read_language
from callanalysis.labels import Role
from callanalysis.schema import CallMetadata, Transcript, Utterance

ENGINE = "imported"
_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("collector", "agent", "staff", "seat", "催收员", "坐席", "座席", "客服"), "collector"),
    **dict.fromkeys(("debtor", "customer", "client", "borrower", "third_party", "third party"), "debtor"),
    **dict.fromkeys(("债务人", "客户", "借款人", "欠款人", "第三方", "第三人"), "debtor"),
    **dict.fromkeys(("", "unknown", "none", "未知"), "unknown"),
}
_HAN_SHARE = 0.2  # of the letters; more makes a text Chinese


@dataclass(frozen=True, slots=True)
class ImportedCall:
    """One line: the call, the hash of what was said, and what could not be read of its metadata."""

    source: str  # file:line
    metadata: CallMetadata
    transcript: Transcript
    content_hash: str
    faults: tuple[RowFault, ...] = ()


def read_transcripts(path: Path, clock: Clock) -> Iterator[ImportedCall | InputError]:
    """Yield each call of the file, or the fault of its line; an empty line is passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                try:
                    yield _call(f"{path}:{number}", line, clock)
                except InputError as error:
                    yield error


def count_lines(path: Path) -> int:
    """Return how many lines with content the file has."""
    with path.open("rb") as file:
        return sum(bool(line.strip(b"\xef\xbb\xbf \t\r\n")) for line in file)


def json_object(source: str, line: bytes) -> dict[str, Any]:
    """Return the JSON object that a line holds; raise InputError naming `source`."""
    try:
        entry = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        raise input_error(source, "bad_json", why="it is not in UTF-8") from e
    except (ValueError, RecursionError) as e:
        raise input_error(source, "bad_json", why=str(e)) from e
    if not isinstance(entry, dict):
        raise input_error(source, "bad_json", why=f"it is a {type(entry).__name__}")
    return entry


def _call(source: str, line: bytes, clock: Clock) -> ImportedCall:
    entry = json_object(source, line)
    call_id = entry.get("id")
    if not isinstance(call_id, str | int) or isinstance(call_id, bool) or not str(call_id).strip():
        raise _bad(source, 'the line has no "id"')
    given, turns = entry.get("metadata") or {}, entry.get("turns")
    if not isinstance(given, dict):
        raise _bad(source, '"metadata" is no object')
    if not isinstance(turns, list):
        raise _bad(source, '"turns" is no list')
    utterances = _utterances(source, turns)
    if not utterances:
        raise _bad(source, "nothing is said in it")
    if isinstance(given.get("extra"), dict):  # as an export writes it
        given = given["extra"] | {name: value for name, value in given.items() if name != "extra"}
    metadata, faults = metadata_of(given, _clean(str(call_id)).strip(), clock)
    language = metadata.language or _language(entry, utterances)
    transcript = Transcript(metadata.call_id, language, utterances, ENGINE)
    return ImportedCall(source, metadata, transcript, _content_hash(utterances), tuple(faults))


def _utterances(source: str, turns: list[Any]) -> tuple[Utterance, ...]:
    read = [_turn(source, place, turn) for place, turn in enumerate(turns)]
    said = [turn for turn in read if turn.text]
    if all(turn.start is not None for turn in said):
        said.sort(key=lambda turn: turn.start or 0.0)
    return tuple(
        Utterance(place, turn.speaker, turn.start, turn.end, turn.text, role=turn.role)
        for place, turn in enumerate(said)
    )


def _turn(source: str, place: int, turn: Any) -> Utterance:
    where = f"turn {place}"
    if not isinstance(turn, dict) or not isinstance(turn.get("text"), str):
        raise _bad(source, f'{where} has no "text"')
    role = _ROLES.get(str(turn.get("role") or "").strip().casefold())
    if role is None:
        raise _bad(source, f"{where} has the role {turn['role']!r}, which is neither collector nor debtor")
    start, end = _seconds(source, where, turn, "start"), _seconds(source, where, turn, "end")
    if start is not None and end is not None and end < start:
        raise _bad(source, f"{where} ends before it begins")
    speaker = turn.get("speaker")
    if speaker is None:
        speaker = f"channel {turn['channel']}" if isinstance(turn.get("channel"), int) else role
    return Utterance(place, _clean(str(speaker)), start, end, _clean(turn["text"]).strip(), role=role)


def _seconds(source: str, where: str, turn: Mapping[str, Any], name: str) -> float | None:
    value = turn.get(name)
    if value is None or value == "":
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise _bad(source, f"{where} has the {name} {value!r}, which is no number of seconds")
    return seconds


def _language(entry: Mapping[str, Any], utterances: tuple[Utterance, ...]) -> str:
    try:
        return read_language(str(entry.get("language") or ""))
    except CellError:
        letters = [sign for utterance in utterances for sign in utterance.text if sign.isalpha()]
        han = sum("\u3400" <= sign <= "\u9fff" for sign in letters)
        return "zh" if han > _HAN_SHARE * len(letters) else "en"


def _content_hash(utterances: tuple[Utterance, ...]) -> str:
    said = [[u.speaker, u.role, u.start, u.end, u.text] for u in utterances]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _clean(text: str) -> str:
    """Text without what no database and no page takes: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _bad(source: str, why: str) -> InputError:
    return input_error(source, "bad_transcript", why=why)
