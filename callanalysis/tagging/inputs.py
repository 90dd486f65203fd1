"""What the tagger reads: one utterance with its speaker's role and the turns before it.

It knows the written form of a turn, not tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from callanalysis.labels import Role

CONTEXT_TURNS = 3
_TURN = re.compile(r"\[(collector|debtor|unknown)\]\s?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TagInput:
    """One utterance to tag; `context` are up to three earlier turns, oldest first, as "[collector] …"."""

    id: str
    role: Role
    context: tuple[str, ...]
    text: str


def turn_line(role: Role, text: str) -> str:
    """Return a turn as it is written in a context: "[collector] 您好"."""
    return f"[{role}] {text}"


def read_turn(line: str) -> tuple[Role, str]:
    """Return role and text of a context line; a line without a marker has the role unknown."""
    match = _TURN.fullmatch(line.strip())
    if match is None:
        return "unknown", line
    role: Role = {"collector": "collector", "debtor": "debtor"}.get(match[1], "unknown")  # type: ignore[assignment]
    return role, match[2]


def context_before(turns: Sequence[tuple[Role, str]], index: int) -> tuple[str, ...]:
    """Return the context of turn `index`: the up to three turns before it, oldest first."""
    return tuple(turn_line(role, text) for role, text in turns[max(0, index - CONTEXT_TURNS) : index])
