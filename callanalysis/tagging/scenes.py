"""Tagged dialogues as authors write them: a header line a scene, then one turn a line.

    # family=zh-a-001 | voice=… | product=… | willingness=medium | ability=constrained | reason=ability
      | date=2026-03-12 | promise=2000/2026-03-15/partial | whole=yes          (one line in the file)
    C greet,verify_identity | 喂您好，请问是周建国周先生吗？
    D confirm_identity | 哎，我就是。
    C other ! threat_exposure | ……

It knows the format and checks labels against labels.py; it knows nothing of training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from callanalysis.errors import InputError
from callanalysis.labels import Role, check, check_turn

PROMISE_KINDS = ("full", "partial", "instalment", "vague")
_TURN = re.compile(r"([CD]) ([a-z_, ]+?)(?:\s*!\s*([a-z_, ]+?))?\s*\|\s*(.+)")
_FAMILY = re.compile(r"((zh|en)(?:-[a-z0-9]+)*)-\d+")
_PROMISE = re.compile(r"(-|[\d.]+)/(-|\d{4}-\d\d-\d\d)/(\w+)")


@dataclass(frozen=True, slots=True)
class Turn:
    """One tagged turn."""

    role: Role
    text: str
    intent: tuple[str, ...]
    risk: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenPromise:
    """The promise of a whole call as its author states it; None for what was not said."""

    amount: float | None
    due_date: str | None  # ISO date
    kind: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an author states of a whole call. `date` is the day of the call."""

    date: str
    willingness: str
    ability: str
    overdue_reason: str
    promise: WrittenPromise | None


@dataclass(slots=True)
class Scene:
    """One family: a whole call (`judgement` is there) or a fragment of one."""

    family: str
    author: str
    language: str
    judgement: Judgement | None
    turns: list[Turn] = field(default_factory=list)


def read_scenes(path: Path) -> Iterator[Scene]:
    """Yield the scenes of a file; raise InputError or LabelError naming file and line."""
    scene: Scene | None = None
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line, where = raw.strip(), f"{path}:{number}"
        if line.startswith("#"):
            if scene is not None:
                yield scene
            scene = _read_header(line, where)
        elif line:
            if scene is None:
                raise InputError(where, "a turn before any header", "Begin with # family=… | whole=…")
            scene.turns.append(read_turn(line, where))
    if scene is not None:
        yield scene


def read_turn(line: str, where: str) -> Turn:
    """Return the turn written in a line."""
    match = _TURN.fullmatch(line)
    if match is None:
        raise InputError(where, "not a turn", "Write: C intent,intent ! risk | text")
    role: Role = "collector" if match[1] == "C" else "debtor"
    intent, risk = _names(match[2]), _names(match[3] or "")
    check_turn(role, intent, risk, where)
    return Turn(role, match[4].strip(), intent, risk)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _read_header(line: str, where: str) -> Scene:
    parts = (part.partition("=") for part in line.lstrip("# ").split("|"))
    fields = {key.strip(): value.strip() for key, _, value in parts}
    match = _FAMILY.fullmatch(fields.get("family", ""))
    if match is None:
        fault = f"family {fields.get('family')!r} is not language, author and number"
        raise InputError(where, fault, "Write it like zh-a-001")
    whole = fields.get("whole")
    if whole not in ("yes", "no"):
        raise InputError(where, f"whole={whole!r}", "Write whole=yes or whole=no")
    judgement = _read_judgement(fields, where) if whole == "yes" else None
    return Scene(match[0], match[1], match[2], judgement)


def _read_judgement(fields: dict[str, str], where: str) -> Judgement:
    check([fields.get("willingness", "")], "willingness", where)
    check([fields.get("ability", "")], "ability", where)
    check([fields.get("reason", "")], "overdue_reason", where)
    return Judgement(
        date=_day(fields.get("date", ""), where),
        willingness=fields["willingness"],
        ability=fields["ability"],
        overdue_reason=fields["reason"],
        promise=_read_promise(fields.get("promise", ""), where),
    )


def _read_promise(text: str, where: str) -> WrittenPromise | None:
    if text == "-":
        return None
    match = _PROMISE.fullmatch(text)
    if match is None or match[3] not in PROMISE_KINDS:
        remedy = f"Write amount/date/kind with - for what is not known; kinds: {', '.join(PROMISE_KINDS)}"
        raise InputError(where, f"promise {text!r} cannot be read", remedy)
    amount = None if match[1] == "-" else float(match[1])
    return WrittenPromise(amount, None if match[2] == "-" else _day(match[2], where), match[3])


def _day(text: str, where: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(where, f"date {text!r} cannot be read", "Write it like 2026-03-12") from error
