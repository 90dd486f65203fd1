"""Turns of a conversation: who holds the floor from when to when, what is only "mhm", how much is said.

It knows utterances with times and roles; it judges no meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from callanalysis.labels import Role
from callanalysis.schema import Utterance

JOINED = 1.0  # seconds of pause inside a turn that goes on
_HAN = (
    "嗯+|啊+|哦+|噢+|喔+|唉|诶|呃|哎|对+|是+|是的|是啊|对啊|好+|好的|好吧|行+|行吧|行的|可以|没错|知道|"
    "知道了|明白|明白了|了解|这样|是吗"
)
_LATIN = (
    "uh|um|hm+|mm+|mhm|mm-?hmm+|uh-?huh|yeah|yep|yes|yup|right|ok|okay|sure|oh|ah|i see|got it|alright|"
    "all right|fine|exactly|of course|true|i understand"
)
_BACK_CHANNEL = re.compile(rf"(?:(?:{_HAN}|\b(?:{_LATIN})\b)\W*)+", re.IGNORECASE)
_LONGEST_BACK_CHANNEL = 12  # characters
_WORD = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's floor: consecutive utterances of one role, seconds."""

    role: Role
    start: float
    end: float


def is_back_channel(text: str) -> bool:
    """Whether a line only shows that its speaker listens: 嗯, 对, right, I see."""
    bare = text.strip(" \t\n,.?!，。？！、…~～")
    if len(bare) > _LONGEST_BACK_CHANNEL:
        return False
    return not bare or _BACK_CHANNEL.fullmatch(bare) is not None


def spoken_units(text: str, language: str) -> int:
    """Return how many characters (zh) or words (other languages) are spoken; punctuation is not counted."""
    if language == "zh":
        return sum(sign.isalnum() for sign in text)
    return len(_WORD.findall(text))


def turns_of(utterances: Iterable[Utterance]) -> list[Turn]:
    """Return the turns in order of start; back-channels are none, and a short pause ends none."""
    turns: list[Turn] = []
    timed = [u for u in utterances if u.start is not None and u.end is not None]
    for utterance in sorted(timed, key=lambda u: (u.start, u.end)):
        start, end = utterance.start or 0.0, utterance.end or 0.0
        if is_back_channel(utterance.text):
            continue
        if turns and turns[-1].role == utterance.role and start - turns[-1].end <= JOINED:
            turns[-1] = Turn(utterance.role, turns[-1].start, max(turns[-1].end, end))
        else:
            turns.append(Turn(utterance.role, start, end))
    return turns
