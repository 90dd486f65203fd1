"""A call as the player shows it, as plain data: lines with chips, lanes, speech and risks on the waveform.

Pure functions; what a caller said stays text and is never made into HTML.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from callanalysis.i18n import Words
from callanalysis.labels import RISK_NAMES, ROLES
from callanalysis.pages.texts import REFUSALS, ROLE_NAMES, label_meaning
from callanalysis.schema import CallAnalysis, SpeechRegion, Utterance, UtteranceTags

_MERGE_SECONDS = 0.4  # speech regions nearer than this are drawn as one


def player_data(
    analysis: CallAnalysis,
    words: Words,
    addresses: dict[str, str] | None,
    is_there: bool = True,
    mark: str = "",
) -> dict[str, Any]:
    """Return what the player component is given; without `addresses` there is a transcript and no sound.

    `is_there`: whether the recording is at its place. `mark` is what was searched for.
    """
    tags = {tag.index: tag for tag in analysis.tags}
    evidence = set(analysis.call_tags.evidence) if analysis.call_tags else set()
    sound = analysis.sound if addresses else None
    return {
        "call": analysis.metadata.call_id,
        "language": words.language,
        "mark": mark.strip(),
        "sound": None
        if sound is None or addresses is None
        else {"url": addresses["sound"], "peaks": addresses["peaks"], "duration": sound.duration},
        "notice": None if sound else sound_notice(analysis, is_there, words),
        "lanes": lanes(analysis, words),
        "lines": [_line(x, tags.get(x.index), x.index in evidence, words) for x in _utterances(analysis)],
        "speech": [_span(region) for region in merged(analysis.transcript.talk_regions)],
        "risks": _risks(analysis, tags, words),
        "text": _interface(words),
    }


def sound_notice(analysis: CallAnalysis, is_there: bool, words: Words) -> str:
    """Return why there is no sound to play."""
    if analysis.sound is None:
        return words.t("This call was imported as a transcript: there is no recording to play.")
    if is_there:
        return words.t(
            "Started otherwise than by `streamlit run app.py`, the app cannot play along the lines."
        )
    gone = REFUSALS["missing"]
    return words.t(gone)


def lanes(analysis: CallAnalysis, words: Words) -> list[dict[str, str]]:
    """Return role and name of each channel, by who speaks on it; a mono recording has one lane."""
    count = min(analysis.sound.channels, 2) if analysis.sound else 0
    if count == 1:
        return [{"role": "unknown", "name": words.t("Both sides")}]
    found = []
    for channel in range(count):
        spoken = Counter(x.role for x in _utterances(analysis) if x.speaker == f"channel {channel}")
        role = spoken.most_common(1)[0][0] if spoken else "unknown"
        name = words.t(ROLE_NAMES[role]) if role != "unknown" else words.t("Channel {n}", n=channel + 1)
        found.append({"role": role, "name": name})
    return found


def merged(regions: tuple[SpeechRegion, ...]) -> list[SpeechRegion]:
    """Return the regions of each channel with small gaps closed: fewer marks to draw."""
    joined: list[SpeechRegion] = []
    for region in sorted(regions, key=lambda x: (x.channel, x.start)):
        last = joined[-1] if joined else None
        if last and last.channel == region.channel and region.start - last.end < _MERGE_SECONDS:
            joined[-1] = SpeechRegion(last.channel, last.start, max(last.end, region.end))
        else:
            joined.append(region)
    return joined


def _utterances(analysis: CallAnalysis) -> tuple[Utterance, ...]:
    return analysis.transcript.utterances


def _line(said: Utterance, tag: UtteranceTags | None, is_evidence: bool, words: Words) -> dict[str, Any]:
    return {
        "index": said.index,
        "role": said.role if said.role in ROLES else "unknown",
        "name": words.t(ROLE_NAMES[said.role]) if said.role in ROLE_NAMES else said.speaker,
        "confidence": _confidence(said, words),
        "start": said.start,
        "clock": words.clock(said.start) if said.start is not None else f"#{said.index + 1}",
        "text": said.text,
        "chips": _chips(tag, words),
        "risky": bool(tag and tag.risk),
        "evidence": is_evidence,
    }


def _confidence(said: Utterance, words: Words) -> dict[str, str] | None:
    """How sure the role is, where it was guessed."""
    if said.role_confidence is None or said.role == "unknown":
        return None
    share = words.percent(said.role_confidence)
    title = words.t("The speaker's role was guessed from the words; this is how sure the guess is.")
    return {"text": words.t("guessed, {share}", share=share), "title": title}


def _chips(tag: UtteranceTags | None, words: Words) -> list[dict[str, str]]:
    if tag is None:
        return []
    named = [("risk", name) for name in tag.risk]
    named += [("intent", name) for name in tag.intent if name != "other" or not tag.risk]
    return [chip(name, axis, words, tag.scores.get(name)) for axis, name in named]


def chip(name: str, axis: str, words: Words, score: float | None = None) -> dict[str, str]:
    """Return a label as a chip: its name, its score where there is one, its meaning as the title."""
    parts = [words.t("Compliance risk")] if axis == "risk" else []
    parts += [label_meaning(name, words)]
    parts += [words.t("score {score}", score=f"{score:.2f}")] if score is not None else []
    shown = {"text": words.label(name, axis), "kind": axis, "title": " · ".join(filter(None, parts))}
    return shown if score is None else {**shown, "score": f"{score:.2f}"}


def _span(region: SpeechRegion) -> dict[str, float]:
    return {"channel": region.channel, "start": round(region.start, 2), "end": round(region.end, 2)}


def _risks(
    analysis: CallAnalysis, tags: dict[int, UtteranceTags], words: Words
) -> list[dict[str, float | str]]:
    found: list[dict[str, float | str]] = []
    for said in _utterances(analysis):
        tag = tags.get(said.index)
        if tag and tag.risk and said.start is not None and said.end is not None:
            names = ", ".join(words.label(name, "risk") for name in tag.risk if name in RISK_NAMES)
            region = SpeechRegion(_channel(said), said.start, said.end)
            found.append({**_span(region), "title": f"{words.clock(said.start)} {names}"})
    return found


def _channel(said: Utterance) -> int:
    number = said.speaker.removeprefix("channel ")
    return int(number) if number.isdecimal() else 0


def _interface(words: Words) -> dict[str, Any]:
    return {
        "play": words.t("Play (space)"),
        "pause": words.t("Pause (space)"),
        "back": words.t("Back 5 seconds (left arrow)"),
        "forward": words.t("On 5 seconds (right arrow)"),
        "speed": words.t("Speed"),
        "follow": words.t("Follow"),
        "follow_help": words.t("Keep the line that is spoken in view"),
        "next_risk": words.t("Next risk"),
        "next_risk_key": words.t("Go to the next line with a risk (R)"),
        "keys": words.t("Space plays, ← → 5 s, ↑ ↓ lines, R next risk"),
        "transcript": words.t("Transcript"),
        "refusals": {code: words.t(message) for code, message in REFUSALS.items()},
    }
