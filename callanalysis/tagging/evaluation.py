"""How good a tagger is on a held-out part of the corpus, with the floor beside it.

It computes; report_table.py writes it down. It knows the tagger by its interface and no weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callanalysis.labels import Role
from callanalysis.schema import Utterance
from callanalysis.tagging.augment import without_roles
from callanalysis.tagging.call_head import LEVELS
from callanalysis.tagging.corpus import LANGUAGES, CallExample, Example, Part
from callanalysis.tagging.floor import Floor
from callanalysis.tagging.metrics import (
    Bootstrap,
    Confusion,
    Flags,
    Floats,
    LabelFigures,
    calibration_error,
    confusions,
    label_figures,
    macro_f1,
    macro_interval,
    micro_f1,
    quadratic_kappa,
    wilson,
)
from callanalysis.tagging.predict import Tagger
from callanalysis.tagging.training import truth_of

AXES = ("intent", "risk")


@dataclass(frozen=True, slots=True)
class Share:
    """A share with what it is made of and its 95 % Wilson interval."""

    hits: int
    n: int
    interval: tuple[float, float] | None

    @property
    def value(self) -> float | None:
        """Return the share, None for n = 0."""
        return self.hits / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Summary:
    """One axis over some lines: macro-F1 over the labels that occur, and the floor's."""

    lines: int
    labels: int
    macro: float | None
    interval: tuple[float, float] | None
    micro: float
    floor: float | None
    floor_interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis in all its figures; `slices` are languages, roles, lengths and the style of the text."""

    overall: Summary
    slices: dict[str, Summary]
    labels: list[LabelFigures]
    floor_labels: list[LabelFigures]
    confusions: list[Confusion]
    calibration: float | None


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Whole calls: kappa over the levels of calls known on both sides, and shares of right answers."""

    n: int
    kappa: float | None
    kappa_n: int
    willingness: Share
    ability: Share
    reason: Share


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything `callanalysis evaluate` shows."""

    tagger: str
    part: Part
    families: int
    intent: Axis
    risk: Axis
    lawful_flagged: Share  # collector lines without a risk that were given one
    speaker: Share  # speakers told apart where the role was hidden
    calls: CallFigures


@dataclass(frozen=True, slots=True)
class Material:
    """What an evaluation reads: the part's lines and calls, and the parts that the floor learns from."""

    part: Part
    lines: Sequence[Example]
    calls: Sequence[CallExample]
    train: Sequence[Example]
    valid: Sequence[Example]


def syllables(line: Example) -> float:
    """Return about how many syllables a line has: Chinese characters, and 1.5 for each word of letters or digits."""
    return len(_HAN.findall(line.text)) + 1.5 * len(_WORD.findall(line.text))


def unpunctuated(line: Example) -> bool:
    """Return whether a line of some length has no punctuation, as a recogniser writes it."""
    return syllables(line) >= LONG_ENOUGH and not _MARKS.search(line.text)


def _speaks(language: str) -> Callable[[Example], bool]:
    return lambda line: line.language == language


def _said_by(role: Role, language: str | None = None) -> Callable[[Example], bool]:
    return lambda line: line.role == role and language in (None, line.language)


_HAN, _WORD = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z0-9']+")
_MARKS = re.compile(r"[，。！？、；：,.!?;:]")
LONG_ENOUGH = 8  # syllables from which a missing mark says something
SHORT, LONG = 6, 25  # syllables
SLICES: dict[str, Callable[[Example], bool]] = {
    **{language: _speaks(language) for language in LANGUAGES},
    "collector": _said_by("collector"),
    "debtor": _said_by("debtor"),
    **{
        f"{role}, {language}": _said_by(role, language)
        for role in ("collector", "debtor")
        for language in LANGUAGES
    },
    f"up to {SHORT} syllables": lambda line: syllables(line) <= SHORT,
    f"over {LONG} syllables": lambda line: syllables(line) > LONG,
    "no punctuation (ASR style)": unpunctuated,
}


def evaluate(tagger: Tagger, material: Material) -> Evaluation:
    """Return the figures of the tagger on the part."""
    lines = material.lines
    config = tagger.scorer.config
    scores = tagger.scorer.score([x.input for x in lines])
    truth = dict(zip(AXES, truth_of(lines, config.intents, config.risks), strict=True))
    found = dict(zip(AXES, tagger.decide(scores), strict=True))
    low = dict(zip(AXES, Floor().fit(material.train, material.valid).find(lines), strict=True))
    allowed = {"intent": scores.intent > 1e-9, "risk": scores.risk > 1e-9}
    names = {"intent": config.intents, "risk": config.risks}
    axes = {
        axis: _axis(
            lines,
            names[axis],
            _Found(truth[axis], found[axis], low[axis]),
            getattr(scores, axis),
            allowed[axis],
        )
        for axis in AXES
    }
    spoken = np.array([x.role == "collector" for x in lines])
    lawful = spoken & ~truth["risk"].any(1)
    hidden = tagger.scorer.score([without_roles(x.input) for x in lines]).collector > 0.5
    return Evaluation(
        tagger=tagger.version,
        part=material.part,
        families=len({x.family for x in lines}),
        intent=axes["intent"],
        risk=axes["risk"],
        lawful_flagged=share((lawful & found["risk"].any(1)).sum(), lawful.sum()),
        speaker=share((hidden == spoken).sum(), len(lines)),
        calls=_calls(tagger, material.calls),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Flags of one axis (lines, labels): what is true, what the tagger found, what the floor found."""

    truth: Flags
    found: Flags
    floor: Flags

    def of(self, lines: NDArray[np.bool_]) -> _Found:
        return _Found(self.truth[lines], self.found[lines], self.floor[lines])


def share(hits: int | np.integer, n: int | np.integer) -> Share:
    """Return a share with its interval."""
    return Share(int(hits), int(n), wilson(int(hits), int(n)))


def _axis(
    lines: Sequence[Example], names: Sequence[str], flags: _Found, scores: Floats, allowed: Flags
) -> Axis:
    slices = {}
    for name, test in SLICES.items():
        mine = np.array([test(x) for x in lines], dtype=bool)
        if flags.truth[mine].any():
            slices[name] = _summary([x for x in lines if test(x)], flags.of(mine))
    draws = Bootstrap([x.family for x in lines])
    return Axis(
        overall=_summary(lines, flags),
        slices=slices,
        labels=label_figures(names, flags.truth, flags.found, draws),
        floor_labels=label_figures(names, flags.truth, flags.floor, draws),
        confusions=confusions(names, flags.truth, flags.found),
        calibration=calibration_error(flags.truth[allowed], scores[allowed]),
    )


def _summary(lines: Sequence[Example], flags: _Found) -> Summary:
    draws = Bootstrap([x.family for x in lines])
    return Summary(
        lines=len(lines),
        labels=int(flags.truth.any(0).sum()),
        macro=macro_f1(flags.truth, flags.found),
        interval=macro_interval(flags.truth, flags.found, draws),
        micro=micro_f1(flags.truth, flags.found),
        floor=macro_f1(flags.truth, flags.floor),
        floor_interval=macro_interval(flags.truth, flags.floor, draws),
    )


def _calls(tagger: Tagger, calls: Sequence[CallExample]) -> CallFigures:
    found = [tagger.tag_call(_utterances(call)).call for call in calls]
    pairs = list(zip(calls, found, strict=True))
    both = [
        (c.willingness, f.willingness) for c, f in pairs if "unknown" not in (c.willingness, f.willingness)
    ]
    return CallFigures(
        n=len(calls),
        kappa=quadratic_kappa(
            [LEVELS.index(a) for a, _ in both], [LEVELS.index(b) for _, b in both], len(LEVELS)
        ),
        kappa_n=len(both),
        willingness=share(sum(c.willingness == f.willingness for c, f in pairs), len(calls)),
        ability=share(sum(c.ability == f.ability for c, f in pairs), len(calls)),
        reason=share(sum(c.overdue_reason == f.overdue_reason for c, f in pairs), len(calls)),
    )


def _utterances(call: CallExample) -> list[Utterance]:
    return [
        Utterance(i, turn.role, None, None, turn.text, role=turn.role) for i, turn in enumerate(call.turns)
    ]
