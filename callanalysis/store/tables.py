"""The tables, typed. Times are UTC; `utc_offset` keeps in minutes what the call list said.

What a page sorts or filters by stands on the calls row, indexed; what is only read with one call stands in
call_details. Tables change by a migration only, see migrations/.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Utc(TypeDecorator[datetime]):
    """A time with zone in Python, UTC without zone in the database, alike in every database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC without zone; a time without zone is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value}: give the time with its zone")
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, with zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables of the store."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: Utc, dict[str, Any]: JSON, list[Any]: JSON, str: Text}  # noqa: RUF012


class CallRow(Base):
    """One call: what the list says, its sound, the judgement on it, figures to sort and filter by."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(unique=True)
    identity_hash: Mapped[str] = mapped_column(index=True)
    metadata_hash: Mapped[str]
    saved_at: Mapped[datetime]
    # the call list
    file: Mapped[str | None]
    started_at: Mapped[datetime | None]
    utc_offset: Mapped[int | None]  # minutes
    direction: Mapped[str | None]
    collector_id: Mapped[str | None]
    collector_name: Mapped[str | None]
    team: Mapped[str | None]
    debtor_id: Mapped[str | None]
    debtor_name: Mapped[str | None]
    account_id: Mapped[str | None]
    product: Mapped[str | None]
    days_past_due: Mapped[int | None]
    balance: Mapped[float | None]
    currency: Mapped[str | None]
    number_dialled: Mapped[str | None]
    jurisdiction: Mapped[str | None]
    collector_channel: Mapped[int | None]
    metadata_language: Mapped[str | None]  # as the list gives it
    # the sound; all but the duration are NULL for an imported transcript
    sound_path: Mapped[str | None]
    content_hash: Mapped[str | None]
    duration: Mapped[float | None]  # seconds; of an imported transcript the end of its last turn
    channels: Mapped[int | None]
    sample_rate: Mapped[int | None]
    codec: Mapped[str | None]
    # transcript and tags
    language: Mapped[str]
    engine: Mapped[str]
    willingness: Mapped[str | None]  # NULL: not tagged
    willingness_score: Mapped[float | None]
    ability: Mapped[str | None]
    overdue_reason: Mapped[str | None]
    promise_amount: Mapped[float | None]
    promise_due: Mapped[date | None]
    promise_kind: Mapped[str | None]
    promise_evidence: Mapped[int | None]
    utterance_count: Mapped[int]
    risk_count: Mapped[int]  # utterances with any risk label
    risk_labels: Mapped[str]  # comma-separated, most frequent first
    # measures that the call list shows
    talk_share: Mapped[float | None]
    silence_share: Mapped[float | None]
    pace_collector: Mapped[float | None]
    pace_debtor: Mapped[float | None]
    # versions
    speech_version: Mapped[str | None]
    tags_version: Mapped[str | None]
    measures_version: Mapped[str | None]
    rules_version: Mapped[str | None]


_SORTED = (
    "started_at", "collector_name", "team", "product", "days_past_due", "balance", "language", "duration",
    "willingness", "willingness_score", "risk_count", "utterance_count", "talk_share", "silence_share",
    "pace_collector", "pace_debtor",
)  # fmt: skip
for _column in _SORTED:  # the row's id follows, as the order among equals
    Index(None, getattr(CallRow, _column), CallRow.id)
for _column in ("collector_id", "team", "product", "language", "willingness", "account_id", "debtor_id"):
    Index(None, getattr(CallRow, _column), CallRow.started_at, CallRow.id)


class CallDetailRow(Base):
    """What is read only together with the whole call."""

    __tablename__ = "call_details"

    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    extra: Mapped[dict[str, Any]]
    sound_notes: Mapped[list[Any]]
    evidence: Mapped[list[Any]]  # utterance indices of the judgement on the call
    findings: Mapped[list[Any]]
    regions: Mapped[list[Any]]  # [channel, start, end]


class UtteranceRow(Base):
    """One utterance; `scores` holds the probability of every label its speaker can carry."""

    __tablename__ = "utterances"

    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    speaker: Mapped[str]
    role: Mapped[str]
    role_confidence: Mapped[float | None]
    start: Mapped[float | None]
    end: Mapped[float | None]
    text: Mapped[str]
    mean_log_probability: Mapped[float | None]
    words: Mapped[list[Any]]  # [text, start, end, probability]
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # NULL: not tagged


class UtteranceLabelRow(Base):
    """A label that an utterance carries."""

    __tablename__ = "utterance_labels"
    __table_args__ = ({"sqlite_with_rowid": False},)

    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    axis: Mapped[str] = mapped_column(String(16), primary_key=True)
    label: Mapped[str] = mapped_column(String(64), primary_key=True)
    rank: Mapped[int]  # the order in which the tagger gave them
    score: Mapped[float | None]


class CallLabelRow(Base):
    """How many utterances of a role carry a label in a call: what filters and figures read."""

    __tablename__ = "call_labels"
    __table_args__ = (
        Index(None, "call_pk"),
        {"sqlite_with_rowid": False},
    )

    axis: Mapped[str] = mapped_column(String(16), primary_key=True)
    label: Mapped[str] = mapped_column(String(64), primary_key=True)
    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    n: Mapped[int]


class MeasureRow(Base):
    """One measure of one call; `reason` says why there is no value."""

    __tablename__ = "measures"
    __table_args__ = ({"sqlite_with_rowid": False},)

    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int]
    value: Mapped[float | None]
    unit: Mapped[str]
    reason: Mapped[str | None]


class CorrectionRow(Base):
    """A reviewer's answer on one utterance, never changed; NULL on an axis that was not judged.

    Text, context and the machine's labels are those the reviewer met: a call can be tagged or heard anew.
    """

    __tablename__ = "corrections"
    __table_args__ = (Index(None, "call_pk", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    call_pk: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    position: Mapped[int]
    role: Mapped[str]
    context: Mapped[list[Any]]  # [role, text] of the turns before
    text: Mapped[str]
    machine_intent: Mapped[list[Any]]
    machine_risk: Mapped[list[Any]]
    intent: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    risk: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    reviewer: Mapped[str]
    at: Mapped[datetime]
    tags_version: Mapped[str]
    identity: Mapped[str] = mapped_column(String(64), unique=True)  # digest of the answer as it was given


class FailureRow(Base):
    """An input that could not be analysed; `fingerprint` tells whether it has changed since."""

    __tablename__ = "failures"

    source: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str | None] = mapped_column(index=True)
    stage: Mapped[str]
    code: Mapped[str]
    fault: Mapped[str]
    remedy: Mapped[str]
    at: Mapped[datetime]
    attempts: Mapped[int]
    fingerprint: Mapped[str | None]


class SourceRow(Base):
    """A file seen before: while size and time are the same, its content need not be read again."""

    __tablename__ = "sources"

    path: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str]
    duration: Mapped[float | None]


class RunRow(Base):
    """A batch at work; a heartbeat that stops, or a process that is gone, frees what it claimed."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]


class ClaimRow(Base):
    """A call that a running batch has taken on."""

    __tablename__ = "claims"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
