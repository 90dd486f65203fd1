"""A CallAnalysis as rows, and rows as a CallAnalysis. It knows both shapes and no database."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from callanalysis.schema import (
    CallAnalysis,
    CallMetadata,
    CallTags,
    Measure,
    Promise,
    Sound,
    SpeechRegion,
    Transcript,
    Utterance,
    UtteranceTags,
    Versions,
    Word,
)
from callanalysis.store.tables import (
    CallDetailRow,
    CallRow,
    MeasureRow,
    UtteranceLabelRow,
    UtteranceRow,
)

Row = dict[str, Any]

_LISTED = (
    "file", "direction", "collector_id", "collector_name", "team", "debtor_id", "debtor_name", "account_id",
    "product", "days_past_due", "balance", "currency", "number_dialled", "jurisdiction", "collector_channel",
)  # fmt: skip
SHOWN_MEASURES = ("talk_share", "silence_share", "pace_collector", "pace_debtor")  # columns of calls
_SCORE_DIGITS = 4


def metadata_hash(metadata: CallMetadata) -> str:
    """Return a digest of everything the call list says of a call, to notice a corrected list."""
    content = json.dumps(asdict(metadata), default=str, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def metadata_row(metadata: CallMetadata) -> Row:
    """Return the columns of calls that come from the call list."""
    at = metadata.started_at
    offset = at.utcoffset() if at else None
    return {name: getattr(metadata, name) for name in _LISTED} | {
        "call_id": metadata.call_id,
        "metadata_hash": metadata_hash(metadata),
        "started_at": at,
        "utc_offset": None if offset is None else round(offset.total_seconds() / 60),
        "metadata_language": metadata.language,
    }


def call_row(analysis: CallAnalysis) -> Row:
    """Return the row of calls, without its key and the time of saving."""
    transcript, tags, promise = analysis.transcript, analysis.call_tags, analysis.promise
    measures = {measure.name: measure.value for measure in analysis.measures}
    return {
        **metadata_row(analysis.metadata),
        **_sound_row(analysis),
        **_risk_row(analysis.tags),
        "identity_hash": analysis.identity_hash,
        "language": transcript.language,
        "engine": transcript.engine,
        "utterance_count": len(transcript.utterances),
        "willingness": tags.willingness if tags else None,
        "willingness_score": tags.score if tags else None,
        "ability": tags.ability if tags else None,
        "overdue_reason": tags.overdue_reason if tags else None,
        "promise_amount": promise.amount if promise else None,
        "promise_due": promise.due_date if promise else None,
        "promise_kind": promise.kind if promise else None,
        "promise_evidence": promise.evidence if promise else None,
        **{name: measures.get(name) for name in SHOWN_MEASURES},
        **{f"{layer}_version": version for layer, version in asdict(analysis.versions).items()},
    }


def detail_row(analysis: CallAnalysis) -> Row:
    """Return the row of call_details, without its key."""
    regions = analysis.transcript.talk_regions
    return {
        "extra": dict(analysis.metadata.extra),
        "sound_notes": list(analysis.sound.notes) if analysis.sound else [],
        "evidence": list(analysis.call_tags.evidence) if analysis.call_tags else [],
        "findings": [dict(finding) for finding in analysis.findings],
        "regions": [[region.channel, round(region.start, 3), round(region.end, 3)] for region in regions],
    }


def utterance_rows(analysis: CallAnalysis) -> list[Row]:
    """Return the rows of utterances, without the call's key."""
    scores = {tags.index: _rounded(tags.scores) for tags in analysis.tags}
    return [
        {
            "position": utterance.index,
            **{name: getattr(utterance, name) for name in ("speaker", "role", "start", "end", "text")},
            "role_confidence": utterance.role_confidence,
            "mean_log_probability": utterance.mean_log_probability,
            "words": [[word.text, word.start, word.end, word.probability] for word in utterance.words],
            "scores": scores.get(utterance.index),
        }
        for utterance in analysis.transcript.utterances
    ]


def label_rows(analysis: CallAnalysis) -> list[Row]:
    """Return the rows of utterance_labels, without the call's key."""
    return [
        {"position": tags.index, "axis": axis, "label": label, "rank": rank, "score": tags.scores.get(label)}
        for tags in analysis.tags
        for axis, labels in (("intent", tags.intent), ("risk", tags.risk))
        for rank, label in enumerate(labels)
    ]


def call_label_rows(analysis: CallAnalysis) -> list[Row]:
    """Return the rows of call_labels, without the call's key."""
    roles = {utterance.index: utterance.role for utterance in analysis.transcript.utterances}
    counts = Counter((row["axis"], row["label"], roles[row["position"]]) for row in label_rows(analysis))
    return [{"axis": axis, "label": label, "role": role, "n": n} for (axis, label, role), n in counts.items()]


def measure_rows(analysis: CallAnalysis) -> list[Row]:
    """Return the rows of measures, without the call's key."""
    return [{"position": place, **asdict(measure)} for place, measure in enumerate(analysis.measures)]


def analysis_of(call: CallRow, detail: CallDetailRow, parts: Parts) -> CallAnalysis:
    """Return the analysis that the rows were made from; `parts` are in order of position."""
    transcript = Transcript(
        call_id=call.call_id,
        language=call.language,
        utterances=tuple(_utterance(row) for row in parts.utterances),
        engine=call.engine,
        talk_regions=tuple(SpeechRegion(*region) for region in detail.regions),
    )
    return CallAnalysis(
        metadata=_metadata(call, detail),
        sound=_sound(call, detail),
        transcript=transcript,
        tags=tuple(_tags(parts)),
        call_tags=_call_tags(call, detail),
        measures=tuple(Measure(row.name, row.value, row.unit, row.reason) for row in parts.measures),
        versions=Versions(call.speech_version, call.tags_version, call.measures_version, call.rules_version),
        promise=_promise(call),
        findings=tuple(detail.findings),
        identity_hash=call.identity_hash,
    )


class Parts:
    """The rows of one call besides calls and call_details, gathered as they come."""

    __slots__ = ("labels", "measures", "utterances")

    def __init__(self) -> None:
        self.utterances: list[UtteranceRow] = []
        self.labels: list[UtteranceLabelRow] = []
        self.measures: list[MeasureRow] = []


def local_time(utc: datetime | None, offset: int | None) -> datetime | None:
    """Return a stored time with the offset it was given in."""
    return None if utc is None else utc.astimezone(timezone(timedelta(minutes=offset or 0)))


def _sound_row(analysis: CallAnalysis) -> Row:
    sound = analysis.sound
    if sound is None:
        ends = [x.end for x in analysis.transcript.utterances if x.end is not None]
        nothing = dict.fromkeys(("sound_path", "content_hash", "channels", "sample_rate", "codec"))
        return nothing | {"duration": max(ends, default=None)}
    return {
        "sound_path": sound.path,
        "content_hash": sound.content_hash,
        "duration": sound.duration,
        "channels": sound.channels,
        "sample_rate": sound.sample_rate,
        "codec": sound.codec,
    }


def _risk_row(tags: Iterable[UtteranceTags]) -> Row:
    risky = [tag.risk for tag in tags if tag.risk]
    counts = Counter(label for labels in risky for label in labels)
    return {
        "risk_count": len(risky),
        "risk_labels": ",".join(sorted(counts, key=lambda label: (-counts[label], label))),
    }


def _metadata(call: CallRow, detail: CallDetailRow) -> CallMetadata:
    return CallMetadata(
        call_id=call.call_id,
        started_at=local_time(call.started_at, call.utc_offset),
        language=call.metadata_language,
        extra=cast(Mapping[str, str], detail.extra),
        **{name: getattr(call, name) for name in _LISTED},
    )


def _sound(call: CallRow, detail: CallDetailRow) -> Sound | None:
    if call.sound_path is None:
        return None
    return Sound(
        path=call.sound_path,
        content_hash=call.content_hash or "",
        duration=call.duration or 0.0,
        channels=call.channels or 0,
        sample_rate=call.sample_rate or 0,
        codec=call.codec or "",
        notes=tuple(detail.sound_notes),
    )


def _utterance(row: UtteranceRow) -> Utterance:
    return Utterance(
        index=row.position,
        speaker=row.speaker,
        start=row.start,
        end=row.end,
        text=row.text,
        words=tuple(Word(*word) for word in row.words),
        mean_log_probability=row.mean_log_probability,
        role=cast(Any, row.role),
        role_confidence=row.role_confidence,
    )


def _tags(parts: Parts) -> Iterable[UtteranceTags]:
    labels: defaultdict[tuple[int, str], list[UtteranceLabelRow]] = defaultdict(list)
    for row in parts.labels:
        labels[row.position, row.axis].append(row)
    for utterance in parts.utterances:
        if utterance.scores is not None:
            intent = _ranked(labels[utterance.position, "intent"])
            risk = _ranked(labels[utterance.position, "risk"])
            yield UtteranceTags(utterance.position, intent, risk, utterance.scores)


def _ranked(rows: Sequence[UtteranceLabelRow]) -> tuple[str, ...]:
    return tuple(row.label for row in sorted(rows, key=lambda row: row.rank))


def _call_tags(call: CallRow, detail: CallDetailRow) -> CallTags | None:
    if call.willingness is None:
        return None
    return CallTags(
        willingness=cast(Any, call.willingness),
        score=call.willingness_score,
        ability=cast(Any, call.ability),
        overdue_reason=cast(Any, call.overdue_reason),
        evidence=tuple(detail.evidence),
    )


def _promise(call: CallRow) -> Promise | None:
    if call.promise_kind is None:
        return None
    return Promise(call.promise_amount, call.promise_due, call.promise_kind, call.promise_evidence)


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {label: round(float(score), _SCORE_DIGITS) for label, score in scores.items()}
