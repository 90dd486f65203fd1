"""Invented calls for the store's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from callanalysis.schema import (
    CallAnalysis,
    CallMetadata,
    CallTags,
    Measure,
    Sound,
    SpeechRegion,
    Transcript,
    Utterance,
    UtteranceTags,
    Versions,
    Word,
)

BEIJING = timezone(timedelta(hours=8))


def a_call(call_id: str = "C-1", *texts: str, risk: tuple[str, ...] = (), **listed: object) -> CallAnalysis:
    """A two-channel call: both sides take turns with `texts`; the first line has the risk."""
    texts = texts or ("您好，请问是王建国先生吗？", "是我，我下个月分期还款。")
    utterances = tuple(
        Utterance(
            index=i,
            speaker=f"channel {i % 2}",
            start=i * 3.0,
            end=i * 3.0 + 2.5,
            text=text,
            words=(Word(text, i * 3.0, i * 3.0 + 2.5, 0.9),),
            mean_log_probability=-0.25,
            role="debtor" if i % 2 else "collector",
        )
        for i, text in enumerate(texts)
    )
    tags = tuple(
        UtteranceTags(
            u.index,
            ("greet", "verify_identity") if u.role == "collector" else ("request_instalment",),
            risk if u.index == 0 else (),
            {"greet": 0.9, "verify_identity": 0.8} if u.role == "collector" else {"request_instalment": 0.7},
        )
        for u in utterances
    )
    regions = tuple(SpeechRegion(i % 2, i * 3.0, i * 3.0 + 2.5) for i in range(len(texts)))
    metadata = CallMetadata(call_id, started_at=datetime(2026, 6, 11, 10, 12, tzinfo=BEIJING))
    return CallAnalysis(
        metadata=replace(metadata, **listed),  # type: ignore[arg-type]
        sound=Sound(
            f"/calls/{call_id}.wav", f"hash of {call_id}", 30.0, 2, 8000, "pcm_mulaw", ("extension",)
        ),
        transcript=Transcript(call_id, "zh", utterances, "demo", regions),
        tags=tags,
        call_tags=CallTags("medium", 0.6, "constrained", "ability", (1,)),
        measures=(
            Measure("talk_share", 0.55, "ratio"),
            Measure("pace_debtor", None, "characters/min", "mono"),
        ),
        versions=Versions("demo 1", "tagger 1", "1"),
        identity_hash=f"hash of {call_id}",
    )
