"""Reviewers' corrections as examples: which calls are held out, and the corpus that a training with them reads.

It knows corrections and files; how they are learnt and judged is said in relearning.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from callanalysis.schema import Correction
from callanalysis.tagging.corpus import LANGUAGES, Example, read_calls, read_utterances, write_rows
from callanalysis.tagging.inputs import turn_line

HELD_OUT = 0.2  # of the calls with corrections
TIMES = 4  # that a correction counts in each pass over the corpus
MOST = 0.2  # of the corpus' lines, that corrections may add


@dataclass(frozen=True, slots=True)
class Lesson:
    """A corrected utterance with its labels, and the axes that a reviewer judged; the other is the machine's."""

    example: Example
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Corrections to learn from, and those of the calls that are held out."""

    train: tuple[Lesson, ...]
    held_out: tuple[Lesson, ...]

    @property
    def digest(self) -> str:
        """Return a short name for what there is to learn: the same corrections have the same."""
        content = json.dumps([asdict(lesson) for lesson in self.train], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def is_held_out(call_id: str) -> bool:
    """Whether a call's corrections are for judging only; it follows from the id, so it stays as others come."""
    draw = int.from_bytes(hashlib.sha256(f"corrections:{call_id}".encode()).digest()[:4], "big") / 2**32
    return draw < HELD_OUT


def lessons_of(corrections: Iterable[Correction]) -> Lessons:
    """Return the corrections (one per utterance) as lessons; a call is held out as a whole."""
    train: list[Lesson] = []
    held_out: list[Lesson] = []
    for correction in corrections:
        (held_out if is_held_out(correction.call_id) else train).append(_lesson(correction))
    return Lessons(tuple(train), tuple(held_out))


def repetitions(corrections: int, lines: int) -> int:
    """Return how many times each correction goes into a corpus of so many lines.

    A correction comes from the calls that the model is for, and is one that it got wrong; once among sixty thousand
    lines it would hardly be seen. TIMES a pass, each time varied anew (augment.py), it is. Together they stay under
    MOST of the corpus, since reviewers look at risky calls first: their labels are not as frequent as in all calls.
    """
    return max(1, min(TIMES, int(MOST * lines) // max(1, corrections)))


def write_corpus(folder: Path, corpus: Path, lessons: Lessons) -> None:
    """Write the training and validation parts of a corpus with the lessons among the training lines.

    The test part stays where it is.
    """
    train, valid = read_utterances(corpus, "train"), read_utterances(corpus, "valid")
    times = repetitions(len(lessons.train), len(train))
    taught = [
        replace(lesson.example, id=f"{lesson.example.id}/{time}")
        for time in range(times)
        for lesson in lessons.train
    ]
    calls = [*read_calls(corpus, "train"), *read_calls(corpus, "valid")]
    for language in LANGUAGES:
        lines = [line for line in (*train, *taught, *valid) if line.language == language]
        write_rows(folder / f"utterances.{language}.jsonl", map(asdict, lines))
        spoken = [call for call in calls if call.language == language]
        write_rows(folder / f"calls.{language}.jsonl", map(asdict, spoken))


def _lesson(correction: Correction) -> Lesson:
    example = Example(
        id=f"correction/{correction.call_id}/{correction.utterance}",
        family=f"correction/{correction.call_id}",
        author="reviewer",
        language="en" if correction.language == "en" else "zh",
        role=correction.role,
        context=tuple(turn_line(role, text) for role, text in correction.context),
        text=correction.text,
        intent=correction.machine_intent if correction.intent is None else correction.intent,
        risk=correction.machine_risk if correction.risk is None else correction.risk,
        part="train",
    )
    judged = {"intent": correction.intent, "risk": correction.risk}
    return Lesson(example, tuple(axis for axis, labels in judged.items() if labels is not None))
