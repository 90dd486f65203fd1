"""How a call was led, in figures: talk, silence, pace, monologue, response, interruption.

Pure functions over utterances with roles and speech regions; a figure whose inputs are missing or unsafe has
no value and a reason (REASONS). DEFINITIONS says what each is; VERSION is stored with them. No sound is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from types import MappingProxyType

from callanalysis.labels import Role
from callanalysis.schema import Measure, Sound, Transcript, Utterance
from callanalysis.spans import Span, gaps, total, union, without
from callanalysis.turns import is_back_channel, spoken_units, turns_of

VERSION = "1"
DEAD_AIR = 3.0  # seconds; shorter gaps are pauses
_RING_PAUSE = 4.5  # seconds between two ring-back tones, 4 s in China and North America
_SPOKEN_BEFORE = 1.0  # seconds the other has spoken before a start counts as interruption
_OVERLAP = 0.5  # seconds both then speak
_LEAST_TALK = 5.0  # seconds of speech that a rate needs
_LEAST_CONFIDENCE = 0.7  # of roles that were judged by what is said

DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "talk_time_collector": "Union of the collector's stretches of speech",
        "talk_time_debtor": "Union of the debtor's stretches of speech",
        "talk_share": "Collector's talk time / (collector's + debtor's talk time); overlap counts for both",
        "silence": "Call time in nobody's stretches of speech",
        "silence_share": "Silence / length of the call",
        "dead_air": "Gaps in speech longer than 3 s, without ring-back and hold tones",
        "pace_collector": "Characters (Chinese) or words (English) per minute of own talk time",
        "pace_debtor": "Characters (Chinese) or words (English) per minute of own talk time",
        "longest_monologue": "Collector's longest talk without the debtor saying more than yes or hm",
        "response_gap": "Median time from the end of a debtor's turn to the start of the collector's",
        "interruptions_by_collector": "Times the collector starts when the debtor has spoken for 1 s, "
        "overlaps for 0.5 s and takes the turn, per 10 minutes of the debtor's speech; yes and hm do not count",
        "interruptions_by_debtor": "The same of the debtor, per 10 minutes of the collector's speech",
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_times": "the transcript has no times",
        "mono": "both sides are on one channel",
        "one_side_only": "one side of the call was not recorded",
        "uncertain_roles": "it is not certain enough who is the collector",
        "too_little_speech": "there is too little speech",
        "no_turns": "no turn of the collector follows one of the debtor",
        "no_speech": "nobody speaks",
    }
)


@dataclass(frozen=True, slots=True)
class _Call:
    """What the measures read: speech of each side and of all, as unions; `fault`: why sides are unknown."""

    speech: tuple[Span, ...]
    sides: Mapping[Role, tuple[Span, ...]]
    utterances: tuple[Utterance, ...]
    duration: float
    language: str
    fault: str | None


def measure_call(
    transcript: Transcript, sound: Sound | None, tones: Sequence[Span] = ()
) -> tuple[Measure, ...]:
    """Return all measures of DEFINITIONS, in its order, for a transcript whose roles are filled in.

    `tones` are ring-back, hold and other signalling tones. `sound` is None for an imported transcript, whose
    speech is then taken from the times of its utterances.
    """
    call = _read(transcript, sound)
    if call is None:
        return tuple(
            Measure(name, None, _unit(name, transcript.language), "no_times") for name in DEFINITIONS
        )
    values = {
        **_silences(call, tones),
        **{f"talk_time_{role}": _sided(call, total(call.sides.get(role, ()))) for role in _SIDES},
        "talk_share": _sided(call, _talk_share(call)),
        **{f"pace_{role}": _sided(call, _pace(call, role)) for role in _SIDES},
        "longest_monologue": _sided(call, _longest_monologue(call)),
        "response_gap": _sided(call, _response_gap(call)),
        "interruptions_by_collector": _sided(call, _interruptions(call, "collector", "debtor")),
        "interruptions_by_debtor": _sided(call, _interruptions(call, "debtor", "collector")),
    }
    return tuple(_measure(name, values[name], transcript.language) for name in DEFINITIONS)


_SIDES: tuple[Role, ...] = ("collector", "debtor")


def _read(transcript: Transcript, sound: Sound | None) -> _Call | None:
    """The call as the measures read it; None where it has no times."""
    timed = tuple(u for u in transcript.utterances if u.start is not None and u.end is not None)
    if sound is None and len(timed) < len(transcript.utterances):
        return None
    by_region = bool(transcript.talk_regions)
    if by_region:
        speech = union((region.start, region.end) for region in transcript.talk_regions)
        sides = _sides_of_channels(transcript)
    else:
        speech = union(map(_span, timed))
        sides = {role: union(_span(u) for u in timed if u.role == role) for role in _SIDES}
    last = max((end for _, end in speech), default=0.0)
    duration = sound.duration if sound else last
    return _Call(speech, sides, timed, duration, transcript.language, _fault(transcript, sound))


def _sides_of_channels(transcript: Transcript) -> dict[Role, tuple[Span, ...]]:
    roles = {utterance.speaker: utterance.role for utterance in transcript.utterances}
    return {
        role: union(
            (region.start, region.end)
            for region in transcript.talk_regions
            if roles.get(f"channel {region.channel}") == role
        )
        for role in _SIDES
    }


def _fault(transcript: Transcript, sound: Sound | None) -> str | None:
    """Why the two sides cannot be told apart, None where they can."""
    if not transcript.utterances:
        return "no_speech"
    if sound is not None and sound.channels < 2:
        return "mono"
    if sound is not None and "dead_channel" in sound.notes:
        return "one_side_only"
    judged = [u.role_confidence for u in transcript.utterances if u.role_confidence is not None]
    unknown = any(u.role == "unknown" for u in transcript.utterances)
    if unknown or (judged and min(judged) < _LEAST_CONFIDENCE):
        return "uncertain_roles"
    return None


def _silences(call: _Call, tones: Sequence[Span]) -> dict[str, float | str]:
    if call.duration <= 0:
        return dict.fromkeys(("silence", "silence_share", "dead_air"), "no_speech")
    silent = gaps(call.speech, call.duration)
    waiting = union(tones, bridge=_RING_PAUSE)
    dead = [gap for gap in without(silent, waiting) if gap[1] - gap[0] > DEAD_AIR]
    silence = total(silent)
    return {"silence": silence, "silence_share": silence / call.duration, "dead_air": total(dead)}


def _talk_share(call: _Call) -> float | str:
    collector, debtor = (total(call.sides.get(role, ())) for role in _SIDES)
    return collector / (collector + debtor) if collector + debtor > 0 else "no_speech"


def _pace(call: _Call, role: Role) -> float | str:
    seconds = total(call.sides.get(role, ()))
    if seconds < _LEAST_TALK:
        return "too_little_speech"
    units = sum(spoken_units(u.text, call.language) for u in call.utterances if u.role == role)
    return units / (seconds / 60)


def _longest_monologue(call: _Call) -> float | str:
    runs: list[list[Span]] = [[]]
    for utterance in sorted(call.utterances, key=_span):
        if utterance.role == "collector":
            runs[-1].append(_span(utterance))
        elif not is_back_channel(utterance.text):
            runs.append([])
    longest = max(total(union(run)) for run in runs)
    return longest if longest > 0 else "no_speech"


def _response_gap(call: _Call) -> float | str:
    turns = turns_of(call.utterances)
    found = [
        after.start - before.end
        for before, after in pairwise(turns)
        if before.role == "debtor" and after.role == "collector"
    ]
    return median(found) if found else "no_turns"


def _interruptions(call: _Call, by: Role, of: Role) -> float | str:
    """Turns of `by` that begin inside a turn of `of` and outlast it, per 10 minutes of the speech of `of`."""
    seconds = total(call.sides.get(of, ()))
    if seconds < _LEAST_TALK:
        return "too_little_speech"
    starts = turns_of([u for u in call.utterances if u.role == by])
    others = turns_of([u for u in call.utterances if u.role == of])
    count = sum(
        any(
            other.start + _SPOKEN_BEFORE <= turn.start
            and other.end - turn.start >= _OVERLAP
            and turn.end > other.end
            for other in others
        )
        for turn in starts
    )
    return count / (seconds / 600)


def _sided(call: _Call, value: float | str) -> float | str:
    return call.fault or value


def _measure(name: str, value: float | str, language: str) -> Measure:
    unit = _unit(name, language)
    return (
        Measure(name, None, unit, value) if isinstance(value, str) else Measure(name, round(value, 4), unit)
    )


def _unit(name: str, language: str) -> str:
    if name.endswith("_share"):
        return "ratio"
    if name.startswith("pace_"):
        return "characters/min" if language == "zh" else "words/min"
    return "per 10 min" if name.startswith("interruptions_") else "s"


def _span(utterance: Utterance) -> Span:
    return (utterance.start or 0.0, utterance.end or 0.0)
