"""Who is the collector: by channel where there are two, and a look at what is said whether they are swapped.

Roles that stay unknown are filled in by the tagger. It opens no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from callanalysis.labels import Role
from callanalysis.schema import CallMetadata, Sound, Utterance
from callanalysis.settings import AudioSettings

_CERTAIN = 0.999  # what is said must say so by several utterances to go against the settings
_LEAST_SAID = 3  # utterances of each side for such a judgement


class _Judged(Protocol):
    @property
    def utterances(self) -> tuple[Utterance, ...]: ...


class Judge(Protocol):
    """A tagger: it fills in roles by what is said."""

    def tag_call(self, utterances: Sequence[Utterance]) -> _Judged:
        """Return the utterances with every role filled in."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """Utterances with the roles that are known; `swapped` where they go against the settings."""

    utterances: tuple[Utterance, ...]
    swapped: bool = False


def with_roles(
    utterances: tuple[Utterance, ...],
    metadata: CallMetadata,
    sound: Sound | None,
    settings: AudioSettings,
    judge: Judge,
) -> Given:
    """Return the utterances with roles by channel; unchanged for mono sound and for imported transcripts.

    What the call list says of the channel stands. The setting is only the habit of the recorder: where both
    sides clearly speak as the other, it is the setting that is wrong for this call.
    """
    if sound is None or sound.channels < 2:
        return Given(utterances)
    if metadata.collector_channel is not None:
        return Given(_by_channel(utterances, metadata.collector_channel))
    usual = settings.collector_channel
    judged = judge.tag_call(tuple(replace(u, role="unknown", role_confidence=None) for u in utterances))
    if _are_swapped(judged.utterances, usual):
        return Given(_by_channel(utterances, 1 - usual, _lowest_confidence(judged.utterances)), swapped=True)
    return Given(_by_channel(utterances, usual))


def _by_channel(
    utterances: tuple[Utterance, ...], collector: int, confidence: float | None = None
) -> tuple[Utterance, ...]:
    def role(utterance: Utterance) -> Role:
        return "collector" if utterance.speaker == f"channel {collector}" else "debtor"

    return tuple(replace(u, role=role(u), role_confidence=confidence) for u in utterances)


def _are_swapped(judged: Sequence[Utterance], usual: int) -> bool:
    here = [u for u in judged if u.speaker == f"channel {usual}"]
    there = [u for u in judged if u.speaker != f"channel {usual}"]
    if min(len(here), len(there)) < _LEAST_SAID or _lowest_confidence(judged) < _CERTAIN:
        return False
    return all(u.role == "debtor" for u in here) and all(u.role == "collector" for u in there)


def _lowest_confidence(judged: Sequence[Utterance]) -> float:
    return min((u.role_confidence or 0.0 for u in judged), default=0.0)
