"""Calls as lines for other programs: JSON lines with all that is known, CSV with one row of figures a call.

It knows the written form; whoever calls it reads the store and opens the file.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TextIO

from callanalysis.privacy import mask, mask_name, mask_number
from callanalysis.schema import CallAnalysis, CallMetadata, Correction
from callanalysis.skills import DEFINITIONS

_METADATA = tuple(field.name for field in fields(CallMetadata) if field.name not in ("call_id", "extra"))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
CSV_COLUMNS = (
    "id", *_METADATA, "duration", "channels", "utterances", "willingness", "willingness_score", "ability",
    "overdue_reason", "promise_amount", "promise_due_date", "promise_kind", "risk_utterances", "risk_labels",
    *DEFINITIONS, "speech_version", "tags_version", "measures_version", "rules_version",
)  # fmt: skip


def masked(analysis: CallAnalysis) -> CallAnalysis:
    """Return the call with personal data covered in what was said, in names, numbers and other columns."""
    data = analysis.metadata
    utterances = tuple(
        replace(utterance, text=mask(utterance.text, [data.debtor_name]), words=())
        for utterance in analysis.transcript.utterances
    )
    return replace(
        analysis,
        metadata=replace(
            data,
            debtor_name=mask_name(data.debtor_name) or None,
            number_dialled=mask_number(data.number_dialled) or None,
            extra={name: mask(value) for name, value in data.extra.items()},
        ),
        transcript=replace(analysis.transcript, utterances=utterances),
    )


def call_object(analysis: CallAnalysis) -> dict[str, Any]:
    """Return a call as one JSON object, its keys in a fixed order; times ISO 8601, seconds from the start."""
    tags = {tag.index: tag for tag in analysis.tags}
    judged, promise = analysis.call_tags, analysis.promise
    return {
        "id": analysis.metadata.call_id,
        "metadata": _metadata(analysis) | {"extra": dict(analysis.metadata.extra)},
        "turns": [
            {
                "index": said.index,
                "role": said.role,
                "start": said.start,
                "end": said.end,
                "text": said.text,
                "intent": list(tags[said.index].intent) if said.index in tags else [],
                "risk": list(tags[said.index].risk) if said.index in tags else [],
            }
            for said in analysis.transcript.utterances
        ],
        "willingness": {
            "level": judged.willingness if judged else None,
            "score": judged.score if judged else None,
        },
        "ability": judged.ability if judged else None,
        "overdue_reason": judged.overdue_reason if judged else None,
        "promise": None
        if promise is None
        else {
            "amount": promise.amount,
            "due_date": promise.due_date.isoformat() if promise.due_date else None,
            "kind": promise.kind,
        },
        "findings": [dict(finding) for finding in analysis.findings],
        "measures": {measure.name: measure.value for measure in analysis.measures},
        "versions": asdict(analysis.versions),
    }


def correction_object(correction: Correction, is_masked: bool) -> dict[str, Any]:
    """Return a correction as one JSON object: what was said, by the machine's tags and by the reviewer's."""
    text = mask(correction.text, [correction.debtor_name]) if is_masked else correction.text
    return {
        "call": correction.call_id,
        "utterance": correction.utterance,
        "role": correction.role,
        "text": text,
        "machine": {"intent": list(correction.machine_intent), "risk": list(correction.machine_risk)},
        "intent": None if correction.intent is None else list(correction.intent),
        "risk": None if correction.risk is None else list(correction.risk),
        "reviewer": correction.reviewer,
        "at": correction.at.isoformat(),
        "tags_version": correction.tags_version,
    }


def write_jsonl(calls: Iterable[CallAnalysis], file: TextIO) -> int:
    """Write one line a call; returns how many."""
    count = 0
    for analysis in calls:
        file.write(json.dumps(call_object(analysis), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(calls: Iterable[CallAnalysis], file: TextIO) -> int:
    """Write a header and one row a call; returns how many. No cell is a formula to a spreadsheet."""
    writer = csv.DictWriter(file, CSV_COLUMNS)
    writer.writeheader()
    count = 0
    for analysis in calls:
        writer.writerow({column: harmless(value) for column, value in _row(analysis).items()})
        count += 1
    return count


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that would begin one gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def _metadata(analysis: CallAnalysis) -> dict[str, Any]:
    """The call list's columns; the language is the one that was recognised."""
    data: dict[str, Any] = {name: getattr(analysis.metadata, name) for name in _METADATA}
    at: datetime | None = analysis.metadata.started_at
    return data | {"started_at": at.isoformat() if at else None, "language": analysis.transcript.language}


def _row(analysis: CallAnalysis) -> dict[str, object]:
    judged, promise, sound = analysis.call_tags, analysis.promise, analysis.sound
    risks = Counter(label for tag in analysis.tags for label in tag.risk)
    return {
        "id": analysis.metadata.call_id,
        **_metadata(analysis),
        "duration": round(sound.duration, 3) if sound else None,
        "channels": sound.channels if sound else None,
        "utterances": len(analysis.transcript.utterances),
        "willingness": judged.willingness if judged else None,
        "willingness_score": judged.score if judged else None,
        "ability": judged.ability if judged else None,
        "overdue_reason": judged.overdue_reason if judged else None,
        "promise_amount": promise.amount if promise else None,
        "promise_due_date": promise.due_date if promise else None,
        "promise_kind": promise.kind if promise else None,
        "risk_utterances": sum(bool(tag.risk) for tag in analysis.tags),
        "risk_labels": " ".join(sorted(risks)),
        **{m.name: m.value for m in analysis.measures if m.name in DEFINITIONS},
        **{f"{layer}_version": version for layer, version in asdict(analysis.versions).items()},
    }
