"""The training corpus as JSON lines: utterances with their context, whole calls, and who is held out.

A family (one author's idea of a call) belongs to one part by its name alone, so it stays when others are added. The
test part is what authors wrote who wrote nothing else, so it is held out by author as well as by text. It knows
files and labels, nothing of models.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from callanalysis.errors import InputError
from callanalysis.labels import Ability, OverdueReason, Role, Willingness, check, check_turn
from callanalysis.tagging.inputs import TagInput, context_before
from callanalysis.tagging.scenes import Scene, Turn, WrittenPromise, read_scenes

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Example:
    """One authored utterance with its labels."""

    id: str
    family: str
    author: str
    language: str
    role: Role
    context: tuple[str, ...]
    text: str
    intent: tuple[str, ...]
    risk: tuple[str, ...]
    part: Part

    @property
    def input(self) -> TagInput:
        """Return what the tagger reads of it."""
        return TagInput(self.id, self.role, self.context, self.text)


@dataclass(frozen=True, slots=True)
class CallExample:
    """One authored whole call with its judgement; `date` is the day of the call."""

    id: str
    family: str
    author: str
    language: str
    date: str
    willingness: Willingness
    ability: Ability
    overdue_reason: OverdueReason
    promise: WrittenPromise | None
    turns: tuple[Turn, ...]

    @property
    def part(self) -> Part:
        """Return the part that the call's family belongs to."""
        return part_of(self.family)

    @property
    def inputs(self) -> tuple[TagInput, ...]:
        """Return the turns as the tagger reads them."""
        spoken = [(turn.role, turn.text) for turn in self.turns]
        return tuple(
            TagInput(f"{self.id}/{i}", role, context_before(spoken, i), text)
            for i, (role, text) in enumerate(spoken)
        )


@dataclass(frozen=True, slots=True)
class Added:
    """How much one `add` brought: families, of them new, utterances and whole calls."""

    families: int
    new_families: int
    utterances: int
    calls: int


def part_of(family: str) -> Part:
    """Return the part of a family: test if its author is called zh-test or en-test, else 10 % valid, 90 % train."""
    if family.rpartition("-")[0].endswith("-test"):
        return "test"
    draw = int.from_bytes(hashlib.sha256(f"part:{family}".encode()).digest()[:4], "big") / 2**32
    return "valid" if 0.8 <= draw < 0.9 else "train"


def read_utterances(corpus: Path, part: Part | None = None) -> list[Example]:
    """Return the utterances of all languages (of one part); raise an error naming file and line."""
    found: list[Example] = []
    for path in _files(corpus, "utterances"):
        for where, row in read_rows(path):
            example = _example(row, where)
            if part is None or example.part == part:
                found.append(example)
    return found


def read_calls(corpus: Path, part: Part | None = None) -> list[CallExample]:
    """Return the whole calls of all languages (of one part); raise an error naming file and line."""
    found: list[CallExample] = []
    for path in _files(corpus, "calls"):
        for where, row in read_rows(path):
            call = _call(row, where)
            if part is None or call.part == part:
                found.append(call)
    return found


def add_scenes(corpus: Path, sources: Sequence[Path]) -> Added:
    """Write the scenes of the source files into the corpus; a family that is there already is replaced."""
    scenes: dict[str, Scene] = {}
    for path in sources:
        for scene in read_scenes(path):
            if scene.family in scenes:
                raise InputError(str(path), f"family {scene.family} occurs twice", "Give each its own number")
            scenes[scene.family] = scene
    examples = [example for scene in scenes.values() for example in _examples_of(scene)]
    calls = [call for scene in scenes.values() if (call := _call_of(scene)) is not None]
    known = _merge(corpus, "utterances", [asdict(e) for e in examples], set(scenes))
    _merge(corpus, "calls", [asdict(c) for c in calls], set(scenes))
    return Added(len(scenes), len(scenes.keys() - known), len(examples), len(calls))


def read_rows(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield (file:line, object) of a JSON-lines file; raise InputError on a line that is not an object."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # splitlines() also cuts at U+2028 inside a text
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), "cannot be read as UTF-8 text", "Give a JSON-lines file") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(where, "not JSON", "Write one JSON object a line") from error
        if not isinstance(row, dict):
            raise InputError(where, "not a JSON object", "Write one JSON object a line")
        yield where, row


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.replace(partial, path)


def _files(corpus: Path, kind: str) -> list[Path]:
    files = [path for language in LANGUAGES if (path := corpus / f"{kind}.{language}.jsonl").exists()]
    if not files:
        remedy = "Fill it with: callanalysis corpus add FILES…"
        raise InputError(str(corpus), f"holds no {kind}.zh.jsonl or {kind}.en.jsonl", remedy)
    return files


def _merge(corpus: Path, kind: str, rows: list[dict[str, Any]], families: set[str]) -> set[str]:
    """Replace the rows of these families in the corpus files; return the families that were there."""
    known: set[str] = set()
    for language in LANGUAGES:
        path = corpus / f"{kind}.{language}.jsonl"
        old = [row for _, row in read_rows(path)] if path.exists() else []
        known |= {str(row["family"]) for row in old}
        kept = [row for row in old if row["family"] not in families]
        for row in kept:
            if "part" in row:
                row["part"] = part_of(str(row["family"]))
        new = [row for row in rows if row["language"] == language]
        if old or new:
            write_rows(path, sorted([*kept, *new], key=_place))
    return known


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    family, _, number = str(row["id"]).partition("/")
    return family, int(number or 0)


def _examples_of(scene: Scene) -> list[Example]:
    spoken = [(turn.role, turn.text) for turn in scene.turns]
    return [
        Example(
            id=f"{scene.family}/{i}",
            family=scene.family,
            author=scene.author,
            language=scene.language,
            role=turn.role,
            context=context_before(spoken, i),
            text=turn.text,
            intent=turn.intent,
            risk=turn.risk,
            part=part_of(scene.family),
        )
        for i, turn in enumerate(scene.turns)
    ]


def _call_of(scene: Scene) -> CallExample | None:
    said = scene.judgement
    if said is None:
        return None
    return CallExample(
        id=scene.family,
        family=scene.family,
        author=scene.author,
        language=scene.language,
        date=said.date,
        willingness=said.willingness,  # type: ignore[arg-type]
        ability=said.ability,  # type: ignore[arg-type]
        overdue_reason=said.overdue_reason,  # type: ignore[arg-type]
        promise=said.promise,
        turns=tuple(scene.turns),
    )


def _example(row: Mapping[str, Any], where: str) -> Example:
    try:
        example = Example(
            id=str(row["id"]),
            family=str(row["family"]),
            author=str(row["author"]),
            language=str(row["language"]),
            role=row["role"],
            context=tuple(row["context"]),
            text=str(row["text"]),
            intent=tuple(row["intent"]),
            risk=tuple(row["risk"]),
            part=row["part"],
        )
    except (KeyError, TypeError) as error:
        raise InputError(where, f"field {error} is missing or wrong", "See models/tagger/corpus") from error
    if example.role not in ("collector", "debtor"):
        raise InputError(where, f"role {example.role!r}", "Write collector or debtor")
    if example.part not in PARTS:
        raise InputError(where, f"part {example.part!r}", f"Write one of {', '.join(PARTS)}")
    check_turn(example.role, example.intent, example.risk, where)
    return example


def _call(row: Mapping[str, Any], where: str) -> CallExample:
    try:
        promise = None if row["promise"] is None else WrittenPromise(**row["promise"])
        turns = tuple(
            Turn(turn["role"], turn["text"], tuple(turn["intent"]), tuple(turn["risk"]))
            for turn in row["turns"]
        )
        names = ("id", "family", "author", "language", "date", "willingness", "ability", "overdue_reason")
        call = CallExample(**{name: row[name] for name in names}, promise=promise, turns=turns)
    except (KeyError, TypeError) as error:
        raise InputError(where, f"field {error} is missing or wrong", "See models/tagger/corpus") from error
    check([call.willingness], "willingness", where)
    check([call.ability], "ability", where)
    check([call.overdue_reason], "overdue_reason", where)
    for turn in call.turns:
        check_turn(turn.role, turn.intent, turn.risk, where)
    return call
