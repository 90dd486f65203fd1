"""Tags of utterances and of a whole call, by the shipped model or another.

It knows inputs and outputs as the other stages see them; the work is done in scoring.py and call_head.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from callanalysis.errors import InputError
from callanalysis.labels import ROLES, intents_of
from callanalysis.schema import CallTags, Utterance, UtteranceTags
from callanalysis.settings import Settings
from callanalysis.tagging.call_judging import judge
from callanalysis.tagging.decisions import decide
from callanalysis.tagging.inputs import TagInput, context_before
from callanalysis.tagging.metrics import Flags, Floats
from callanalysis.tagging.scoring import Scorer, Scores, load, weights_hash
from callanalysis.tagging.speakers import assign_roles

__all__ = ["TagInput", "TaggedCall", "Tagger", "open_tagger"]


@dataclass(frozen=True, slots=True)
class TaggedCall:
    """A call's utterances with every role filled in, their tags, and the judgement on the call."""

    utterances: tuple[Utterance, ...]
    tags: tuple[UtteranceTags, ...]
    call: CallTags


class Tagger:
    """A loaded model. `version` is the model's version and the hash of its weights."""

    def __init__(self, scorer: Scorer, version: str) -> None:
        self.scorer, self.version = scorer, version
        self._intents: list[str] = scorer.config.intents
        self._risks: list[str] = scorer.config.risks

    def tag_utterances(self, lines: Sequence[TagInput]) -> list[UtteranceTags]:
        """Return the tags of each line, in order; an unknown speaker is judged by what is said.

        Any text is tagged, of other languages and empty too; raises InputError on a role that there is not.
        """
        for line in lines:
            if line.role not in ROLES:
                raise InputError(f"line {line.id}", f"unknown role {line.role!r}", f"Use {', '.join(ROLES)}")
        if not lines:
            return []
        known = self._with_roles(lines)
        return self._tags(known, self.scorer.score(known))

    def tag_call(self, utterances: Sequence[Utterance]) -> TaggedCall:
        """Return the call with roles, tags and judgement; an empty call is unknown in everything."""
        if not utterances:
            return TaggedCall((), (), CallTags("unknown", None, "unknown", "unknown"))
        if any(u.role == "unknown" for u in utterances):
            odds = self.scorer.score(_lines(utterances)).collector
            utterances = assign_roles(utterances, _log_odds(odds))
        lines = _lines(utterances)
        scores = self.scorer.score(lines)
        tags = [
            replace(tag, index=u.index) for tag, u in zip(self._tags(lines, scores), utterances, strict=True)
        ]
        call = judge(self.scorer.model, scores, [u.role for u in utterances])
        evidence = tuple(utterances[i].index for i in call.evidence)
        return TaggedCall(tuple(utterances), tuple(tags), replace(call, evidence=evidence))

    def _with_roles(self, lines: Sequence[TagInput]) -> list[TagInput]:
        unknown = [line for line in lines if line.role == "unknown"]
        if not unknown:
            return list(lines)
        collector = iter(self.scorer.score(unknown).collector > 0.5)
        return [
            replace(line, role="collector" if next(collector) else "debtor")
            if line.role == "unknown"
            else line
            for line in lines
        ]

    def _tags(self, lines: Sequence[TagInput], scores: Scores) -> list[UtteranceTags]:
        intents, risks = self.decide(scores)
        intent_scores, risk_scores = (axis.round(4).tolist() for axis in (scores.intent, scores.risk))
        tags = []
        for i, line in enumerate(lines):
            spoken = set(intents_of(line.role))
            probability = {
                name: score
                for name, score in zip(self._intents, intent_scores[i], strict=True)
                if name in spoken
            }
            if line.role != "debtor":
                probability |= dict(zip(self._risks, risk_scores[i], strict=True))
            tags.append(
                UtteranceTags(
                    index=i,
                    intent=_chosen(self._intents, intents[i]),
                    risk=_chosen(self._risks, risks[i]),
                    scores=probability,
                )
            )
        return tags

    def decide(self, scores: Scores) -> tuple[Flags, Flags]:
        """Return which intents and which risks hold at the model's thresholds, (lines, labels) each."""
        limits = self.scorer.config.thresholds
        return decide(self._intents, scores.intent, limits), decide(self._risks, scores.risk, limits)


def open_tagger(settings: Settings) -> Tagger:
    """Return the tagger that the settings name: a folder under `models`, or a path.

    Raises:
        CheckpointError: the folder is missing or holds no tagger.
    """
    return open_folder(folder_in_use(settings))


def folder_in_use(settings: Settings) -> Path:
    """Return the folder of the tagger that the settings name, which need not be there."""
    inside = settings.models / settings.tagger
    return inside if inside.is_dir() or not Path(settings.tagger).is_dir() else Path(settings.tagger)


def open_folder(folder: Path) -> Tagger:
    """Return the tagger in a folder."""
    scorer = load(folder)
    return Tagger(scorer, f"{scorer.config.version}-{weights_hash(folder)}")


def _chosen(names: Sequence[str], flags: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def _log_odds(probability: Floats) -> Floats:
    safe = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(safe / (1 - safe)))


def _lines(utterances: Sequence[Utterance]) -> list[TagInput]:
    spoken = [(u.role, u.text) for u in utterances]
    return [
        TagInput(str(u.index), u.role, context_before(spoken, i), u.text) for i, u in enumerate(utterances)
    ]
