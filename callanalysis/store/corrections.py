"""What reviewers say against the machine, kept beside it for ever: nothing here changes a call or an older answer.

An answer is checked against the stored utterance and kept with the text, context and tags that the reviewer met, so
that it stays true when the call is tagged or heard anew. It leaves the store only with its call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from callanalysis.errors import InputError
from callanalysis.labels import check_turn
from callanalysis.schema import Answer, CallAnalysis, Correction
from callanalysis.store import calls
from callanalysis.store.engine import writing
from callanalysis.store.tables import CallRow, CorrectionRow

CONTEXT_TURNS = 3  # as the tagger reads


@dataclass(frozen=True, slots=True)
class Added:
    """How many answers are new to the store, and how many were there already."""

    new: int
    known: int


class Corrections:
    """The answers of reviewers, in the same database as the calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, answers: Sequence[Answer], now: datetime) -> Added:
        """Store the answers that are not there yet, all or, where one cannot be used, none.

        The same answer of the same reviewer on the same words of an utterance is stored once; where both have times,
        once a time: who goes back to an earlier answer gives the time.

        Raises:
            InputError: the call or utterance is unknown, untagged, or its speaker is.
            LabelError: a label that labels.py does not know.
        """
        with writing(self._engine).begin() as connection:
            asked: dict[str, _Call] = {}
            new = 0
            for answer in answers:
                if answer.call_id not in asked:
                    asked[answer.call_id] = _read_call(connection, answer)
                new += _insert(connection, asked[answer.call_id], answer, now)
        return Added(new, len(answers) - new)

    def every(self) -> list[Correction]:
        """Return all corrections, the oldest first."""
        kept = (getattr(CorrectionRow, name) for name in _KEPT)
        query = (
            select(CallRow.call_id, CallRow.language, CallRow.debtor_name, CorrectionRow.position, *kept)
            .join(CallRow, CallRow.id == CorrectionRow.call_pk)
            .order_by(CorrectionRow.at, CorrectionRow.id)
        )
        with self._engine.connect() as connection:
            return [_correction(dict(row)) for row in connection.execute(query).mappings()]

    def newest(self) -> list[Correction]:
        """Return one correction per utterance, of each axis the newest answer, in order of call and utterance."""
        return newest(self.every())


def newest(corrections: Iterable[Correction]) -> list[Correction]:
    """Return what counts of corrections in order of time: per utterance and axis the last answer.

    Where a later answer leaves an axis out, the earlier one on that axis stands, beside the later reviewer's name.
    """
    found: dict[tuple[str, int, str, str], Correction] = {}
    for one in corrections:
        key = one.call_id, one.utterance, one.text, one.role  # who speaks may be guessed otherwise later
        before = found.get(key, one)
        found[key] = replace(
            one,
            intent=before.intent if one.intent is None else one.intent,
            risk=before.risk if one.risk is None else one.risk,
        )
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class _Call:
    pk: int
    analysis: CallAnalysis


_KEPT = (
    "role", "context", "text", "machine_intent", "machine_risk", "intent", "risk", "reviewer", "at", "tags_version",
)  # fmt: skip


def _read_call(connection: Connection, answer: Answer) -> _Call:
    pk = calls.key_of(connection, answer.call_id)
    if pk is None:
        raise InputError(
            answer.where, f"call {answer.call_id!r} is not in the store", "Correct the id, or name --db"
        )
    return _Call(pk, next(calls.read(connection, [pk])))


def _insert(connection: Connection, call: _Call, answer: Answer, now: datetime) -> bool:
    """Whether the answer was new."""
    row = _row(call, answer, now)
    try:
        with connection.begin_nested():
            connection.execute(insert(CorrectionRow).values(row))
    except IntegrityError:
        there = select(CorrectionRow.id).where(CorrectionRow.identity == row["identity"])
        if connection.scalar(there) is None:
            raise
        return False
    return True


def _row(call: _Call, answer: Answer, now: datetime) -> dict[str, object]:
    said = call.analysis.transcript.utterances
    place = next((i for i, u in enumerate(said) if u.index == answer.utterance), None)
    if place is None:
        fault = f"call {answer.call_id!r} has no utterance {answer.utterance}"
        raise InputError(answer.where, fault, f"Write one of 0 to {len(said) - 1}")
    utterance = said[place]
    tags = next((tag for tag in call.analysis.tags if tag.index == answer.utterance), None)
    version = call.analysis.versions.tags
    if tags is None or version is None or utterance.role == "unknown":
        fault = (
            f"utterance {answer.utterance} of call {answer.call_id!r} has no tags yet, or no known speaker"
        )
        raise InputError(answer.where, fault, "Tag the stored calls first: callanalysis retag")
    intent = tags.intent if answer.intent is None else answer.intent
    risk = tags.risk if answer.risk is None else answer.risk
    check_turn(utterance.role, intent, risk, answer.where)
    return {
        "call_pk": call.pk,
        "position": answer.utterance,
        "role": utterance.role,
        "context": [[u.role, u.text] for u in said[max(0, place - CONTEXT_TURNS) : place]],
        "text": utterance.text,
        "machine_intent": list(tags.intent),
        "machine_risk": list(tags.risk),
        "intent": None if answer.intent is None else list(answer.intent),
        "risk": None if answer.risk is None else list(answer.risk),
        "reviewer": answer.reviewer,
        "at": answer.at or now,
        "tags_version": version,
        "identity": _identity(answer, utterance.text),
    }


def _identity(answer: Answer, text: str) -> str:
    given = asdict(replace(answer, where="", at=None)) | {"text": text}
    given |= {axis: sorted(given[axis]) for axis in ("intent", "risk") if given[axis] is not None}
    given["at"] = answer.at.timestamp() if answer.at else None
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def _correction(row: dict[str, Any]) -> Correction:
    lists = {name: tuple(row[name]) for name in ("machine_intent", "machine_risk")}
    judged = {axis: None if row[axis] is None else tuple(row[axis]) for axis in ("intent", "risk")}
    context = tuple((role, text) for role, text in row["context"])
    place = row.pop("position")
    return Correction(**(row | lists | judged | {"utterance": place, "context": context}))
