"""The shapes that flow between the stages, frozen: recording, regions, transcript, tags, measures, analysis.

Times are seconds from the start of the recording. The stages fill them; this module computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from callanalysis.labels import Ability, OverdueReason, Role, Willingness

Direction = Literal["outbound", "inbound"]


@dataclass(frozen=True, slots=True)
class CallMetadata:
    """One row of the call list. Only `call_id` is certain; `extra` keeps the columns we have no name for."""

    call_id: str
    file: str | None = None
    started_at: datetime | None = None  # with time zone
    direction: Direction | None = None
    collector_id: str | None = None
    collector_name: str | None = None
    team: str | None = None
    debtor_id: str | None = None
    debtor_name: str | None = None
    account_id: str | None = None
    product: str | None = None
    days_past_due: int | None = None
    balance: float | None = None
    currency: str | None = None
    number_dialled: str | None = None
    jurisdiction: str | None = None
    collector_channel: int | None = None
    language: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpeechRegion:
    """A stretch of speech on one channel."""

    channel: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word (or Chinese character group) with its times, where the engine gives them."""

    text: str
    start: float
    end: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker said without a pause worth naming.

    `speaker` is the channel as "channel 0", or what a transcript calls it. `mean_log_probability` is per token
    (natural logarithm), None where the text was not made by a recogniser.
    """

    index: int
    speaker: str
    start: float | None
    end: float | None
    text: str
    words: tuple[Word, ...] = ()
    mean_log_probability: float | None = None
    role: Role = "unknown"
    role_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The utterances of one call in order of start, with the language and the engine that wrote them.

    `talk_regions` is the voice activity that the measures use; empty for imported transcripts.
    """

    call_id: str
    language: str
    utterances: tuple[Utterance, ...]
    engine: str
    talk_regions: tuple[SpeechRegion, ...] = ()


@dataclass(frozen=True, slots=True)
class Sound:
    """What is known of the sound file behind a call. `notes` are codes of faults that did not stop it."""

    path: str
    content_hash: str  # SHA-256 of the file, hexadecimal
    duration: float
    channels: int
    sample_rate: int  # Hz, of the file
    codec: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UtteranceTags:
    """Labels of one utterance, with the probability of every label its speaker can carry."""

    index: int
    intent: tuple[str, ...]
    risk: tuple[str, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says that an utterance of a stored call carries; None on an axis they did not judge.

    `where` is what a fault of it is told of (file:line); `at` is None for "now".
    """

    where: str
    call_id: str
    utterance: int
    intent: tuple[str, ...] | None
    risk: tuple[str, ...] | None
    reviewer: str
    at: datetime | None = None  # with time zone


@dataclass(frozen=True, slots=True)
class Correction:
    """A stored answer beside what the machine had said, with the utterance as the reviewer met it.

    `context` are up to three earlier turns, oldest first; `tags_version` names the model of the machine's labels.
    """

    call_id: str
    utterance: int
    language: str
    debtor_name: str | None
    role: Role
    context: tuple[tuple[Role, str], ...]
    text: str
    machine_intent: tuple[str, ...]
    machine_risk: tuple[str, ...]
    intent: tuple[str, ...] | None
    risk: tuple[str, ...] | None
    reviewer: str
    at: datetime
    tags_version: str


@dataclass(frozen=True, slots=True)
class CallTags:
    """Judgement on a whole call. `score` is 0-1, None for unknown; `evidence` are utterance indices."""

    willingness: Willingness
    score: float | None
    ability: Ability
    overdue_reason: OverdueReason
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to pay, with the utterance it was made in."""

    amount: float | None
    due_date: date | None
    kind: str
    evidence: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One communication measure. `value` is None where it is not available, and `reason` says why."""

    name: str
    value: float | None
    unit: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """What made each layer, so that one layer can be redone alone."""

    speech: str | None = None
    tags: str | None = None
    measures: str | None = None
    rules: str | None = None


@dataclass(frozen=True, slots=True)
class CallAnalysis:
    """Everything known of one call. `sound` is None for an imported transcript."""

    metadata: CallMetadata
    sound: Sound | None
    transcript: Transcript
    tags: tuple[UtteranceTags, ...]
    call_tags: CallTags | None
    measures: tuple[Measure, ...]
    versions: Versions
    promise: Promise | None = None
    findings: tuple[Mapping[str, object], ...] = ()
    identity_hash: str = ""  # content hash of the sound, or of the imported transcript


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be analysed: which, at which stage, what was wrong, what to do."""

    source: str  # path of the file, or file and line of the transcript
    call_id: str | None
    stage: str
    code: str
    fault: str
    remedy: str
    at: datetime
    attempts: int = 1
