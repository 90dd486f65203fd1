"""Read one call script: a header of `key=value`, then turns and sound events in the order of the call.

It knows the text format described in README.md and the label set, and neither voices nor sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

from callanalysis.labels import Role, check, intents_of

ROLES = {"C": "collector", "D": "debtor", "T": "third_party"}
LONGEST_TURN = {"zh": 45, "en": 25}  # characters, words: about 12 seconds of speech
_NOT_SPOKEN = {"zh": r"[^\u4e00-\u9fff，。？]", "en": r"[^A-Za-z ,.?]"}
_TURN = re.compile(
    r"(?P<role>[CDT])(?P<overlap><?) (?P<intent>[a-z_,]+)(?: ! (?P<risk>[a-z_,]+))? \| (?P<text>.+)"
)
_EVENT = re.compile(r"@ (?P<kind>silence|hold|beep|greeting)(?: (?P<argument>[\w-]+))?(?: \| (?P<text>.+))?")


class ScriptError(ValueError):
    """A call script breaks the format; the message names the file, the line and the remedy."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: who speaks, its labels and words; it `overlaps` where it cuts into the turn before it."""

    role: str
    intents: tuple[str, ...]
    risks: tuple[str, ...]
    text: str
    overlaps: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in which nobody speaks, seconds; `hold` where a melody plays in it."""

    seconds: float
    hold: bool


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone of an answering machine."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The recorded announcement of an answering machine, spoken by `voice`."""

    voice: str
    text: str


Line: TypeAlias = Turn | Pause | Beep | Greeting


@dataclass(frozen=True, slots=True)
class CallScript:
    """A call to be spoken: its header fields and its lines."""

    fields: dict[str, str]
    lines: tuple[Line, ...]

    @property
    def call_id(self) -> str:
        """The call's id, which also seeds its pauses and noise."""
        return self.fields["call"]

    @property
    def noise_db(self) -> float | None:
        """Signal-to-noise ratio in dB, None for a clean line."""
        noise = self.fields["noise"]
        return None if noise == "none" else float(noise)

    @property
    def channels(self) -> int:
        """1 where both sides share a channel, else 2."""
        return int(self.fields["channels"])

    def channel_of(self, role: str) -> int:
        """Return the channel in which `role` is recorded."""
        if self.channels == 1:
            return 0
        collector = int(self.fields["collector_channel"])
        return collector if role == "collector" else 1 - collector

    def voice_of(self, role: str) -> str:
        """Return the id of the voice that speaks for `role`."""
        return self.fields["collector_voice" if role == "collector" else "debtor_voice"]

    def promise(self) -> dict[str, object] | None:
        """Return the promise as amount, due date, kind and the index of its turn; None without one."""
        if self.fields["promise"] == "none":
            return None
        amount, due, kind = self.fields["promise"].split("/")
        turns = [line for line in self.lines if isinstance(line, Turn)]
        firm = {"promise_full", "promise_partial"}
        made = next(index for index, turn in enumerate(turns) if firm & set(turn.intents))
        return {
            "amount": float(amount),
            "due_date": date.fromisoformat(due).isoformat(),
            "kind": kind,
            "evidence": made,
        }


def read_script(path: Path) -> CallScript:
    """Return the call script in `path`. Raises ScriptError."""
    header, *body = path.read_text(encoding="utf-8").splitlines()
    fields = dict(part.strip().split("=", 1) for part in header.removeprefix("#").split("|"))
    for key, axis in (("willingness", "willingness"), ("ability", "ability"), ("reason", "overdue_reason")):
        check((fields[key],), axis, path.name)
    try:
        return CallScript(fields, tuple(_line(line, fields["lang"]) for line in body if line.strip()))
    except ScriptError as e:
        raise ScriptError(f"{path.name}: {e}") from e


def _line(line: str, language: str) -> Line:
    if turn := _TURN.fullmatch(line):
        return _turn(turn, language)
    event = _EVENT.fullmatch(line)
    if event is None:
        raise ScriptError(f"cannot read line {line!r}: write `C intent | text` or `@ silence 12`")
    if event["kind"] == "beep":
        return Beep()
    if event["kind"] == "greeting":
        return Greeting(event["argument"], _spoken(event["text"], language))
    return Pause(float(event["argument"]), event["kind"] == "hold")


def _turn(turn: re.Match[str], language: str) -> Turn:
    side: Role = "collector" if turn["role"] == "C" else "debtor"
    intents = tuple(turn["intent"].split(","))
    if stray := set(intents) - set(intents_of(side)):
        raise ScriptError(f"{turn.group()!r}: the {side} has no intent {', '.join(stray)}; see labels.py")
    risks = check(turn["risk"].split(","), "risk", turn.group()) if turn["risk"] else ()
    if risks and side == "debtor":
        raise ScriptError(f"{turn.group()!r}: only the collector's turns carry a risk")
    return Turn(ROLES[turn["role"]], intents, risks, _spoken(turn["text"], language), bool(turn["overlap"]))


def _spoken(text: str, language: str) -> str:
    """Return `text` after checking that it is short and spelt out as it is spoken."""
    if stray := re.search(_NOT_SPOKEN[language], text):
        raise ScriptError(f"{stray.group()!r} in {text!r}: write numbers as words and use plain punctuation")
    length = len(re.sub(r"\W", "", text)) if language == "zh" else len(text.split())
    if length > LONGEST_TURN[language]:
        raise ScriptError(f"{text!r} is too long ({length}): split it below {LONGEST_TURN[language]}")
    return text
