"""Create the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Kind = sa.types.TypeEngine[Any]
_TEXT, _INTEGER, _TIME = sa.Text(), sa.Integer(), sa.DateTime()
_NUMBER: _Kind = sa.Double()
_CALLS = (
    ("file", _TEXT), ("started_at", _TIME), ("utc_offset", _INTEGER), ("direction", _TEXT),
    ("collector_id", _TEXT), ("collector_name", _TEXT), ("team", _TEXT), ("debtor_id", _TEXT),
    ("debtor_name", _TEXT), ("account_id", _TEXT), ("product", _TEXT), ("days_past_due", _INTEGER),
    ("balance", _NUMBER), ("currency", _TEXT), ("number_dialled", _TEXT), ("jurisdiction", _TEXT),
    ("collector_channel", _INTEGER), ("metadata_language", _TEXT), ("sound_path", _TEXT),
    ("content_hash", _TEXT), ("duration", _NUMBER), ("channels", _INTEGER), ("sample_rate", _INTEGER),
    ("codec", _TEXT), ("willingness", _TEXT), ("willingness_score", _NUMBER), ("ability", _TEXT),
    ("overdue_reason", _TEXT), ("promise_amount", _NUMBER), ("promise_due", sa.Date()),
    ("promise_kind", _TEXT), ("promise_evidence", _INTEGER), ("talk_share", _NUMBER),
    ("silence_share", _NUMBER), ("pace_collector", _NUMBER), ("pace_debtor", _NUMBER),
    ("speech_version", _TEXT), ("tags_version", _TEXT), ("measures_version", _TEXT), ("rules_version", _TEXT),
)  # fmt: skip
_SORTED = (
    "started_at", "collector_name", "team", "product", "days_past_due", "balance", "language", "duration",
    "willingness", "willingness_score", "risk_count", "utterance_count", "talk_share", "silence_share",
    "pace_collector", "pace_debtor",
)  # fmt: skip
_FILTERED = ("collector_id", "team", "product", "language", "willingness", "account_id", "debtor_id")


def upgrade() -> None:
    """Create every table, and on SQLite the index of what was said."""
    _create_calls()
    _create_call_parts()
    _create_labels()
    _create_batch_tables()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE call_search USING fts5("
            "words, content='', columnsize=0, tokenize=\"unicode61 remove_diacritics 2\")"
        )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _INTEGER, primary_key=True),
        *_required(
            ("call_id", _TEXT), ("identity_hash", _TEXT), ("metadata_hash", _TEXT), ("saved_at", _TIME)
        ),
        *_optional(*_CALLS),
        *_required(("language", _TEXT), ("engine", _TEXT), ("utterance_count", _INTEGER)),
        *_required(("risk_count", _INTEGER), ("risk_labels", _TEXT)),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.UniqueConstraint("call_id", name="uq_calls_call_id"),
    )
    _index("calls", "identity_hash")
    for column in _SORTED:
        _index("calls", column, "id")
    for column in _FILTERED:
        _index("calls", column, "started_at", "id")


def _create_call_parts() -> None:
    op.create_table(
        "call_details",
        *_required(("call_pk", _INTEGER)),
        *_required(
            *((name, sa.JSON()) for name in ("extra", "sound_notes", "evidence", "findings", "regions"))
        ),
        *_part_of_call("call_details"),
    )
    op.create_table(
        "utterances",
        *_required(("call_pk", _INTEGER), ("position", _INTEGER), ("speaker", _TEXT), ("role", _TEXT)),
        *_optional(("role_confidence", _NUMBER), ("start", _NUMBER), ("end", _NUMBER)),
        *_required(("text", _TEXT)),
        *_optional(("mean_log_probability", _NUMBER)),
        *_required(("words", sa.JSON())),
        *_optional(("scores", sa.JSON())),
        *_part_of_call("utterances", "position"),
    )
    op.create_table(
        "measures",
        *_required(("call_pk", _INTEGER), ("name", sa.String(64)), ("position", _INTEGER), ("unit", _TEXT)),
        *_optional(("value", _NUMBER), ("reason", _TEXT)),
        *_part_of_call("measures", "name"),
        sqlite_with_rowid=False,
    )


def _create_labels() -> None:
    op.create_table(
        "utterance_labels",
        *_required(("call_pk", _INTEGER), ("position", _INTEGER), ("axis", sa.String(16))),
        *_required(("label", sa.String(64)), ("rank", _INTEGER)),
        *_optional(("score", _NUMBER)),
        *_part_of_call("utterance_labels", "position", "axis", "label"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call_labels",
        *_required(("axis", sa.String(16)), ("label", sa.String(64)), ("call_pk", _INTEGER)),
        *_required(("role", sa.String(16)), ("n", _INTEGER)),
        *_references_call("call_labels"),
        sa.PrimaryKeyConstraint("axis", "label", "call_pk", "role", name="pk_call_labels"),
        sqlite_with_rowid=False,
    )
    _index("call_labels", "call_pk")


def _create_batch_tables() -> None:
    op.create_table(
        "failures",
        *_required(("source", _TEXT), ("stage", _TEXT), ("code", _TEXT), ("fault", _TEXT), ("remedy", _TEXT)),
        *_required(("at", _TIME), ("attempts", _INTEGER)),
        *_optional(("call_id", _TEXT), ("fingerprint", _TEXT)),
        sa.PrimaryKeyConstraint("source", name="pk_failures"),
    )
    _index("failures", "call_id")
    op.create_table(
        "sources",
        *_required(("path", _TEXT), ("size", sa.BigInteger()), ("modified_ns", sa.BigInteger())),
        *_required(("content_hash", _TEXT)),
        *_optional(("duration", _NUMBER)),
        sa.PrimaryKeyConstraint("path", name="pk_sources"),
    )
    op.create_table(
        "runs",
        *_required(("id", sa.String(36)), ("host", _TEXT), ("pid", _INTEGER)),
        *_required(("started_at", _TIME), ("heartbeat_at", _TIME)),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_table(
        "claims",
        *_required(("call_id", _TEXT), ("run_id", sa.String(36))),
        sa.PrimaryKeyConstraint("call_id", name="pk_claims"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], "fk_claims_run_id_runs", ondelete="CASCADE"),
    )
    _index("claims", "run_id")


def _required(*columns: tuple[str, _Kind]) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=False) for name, kind in columns)


def _optional(*columns: tuple[str, _Kind]) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind) for name, kind in columns)


def _part_of_call(table: str, *more: str) -> Iterator[sa.Constraint]:
    yield from _references_call(table)
    yield sa.PrimaryKeyConstraint("call_pk", *more, name=f"pk_{table}")


def _references_call(table: str) -> Iterator[sa.Constraint]:
    name = f"fk_{table}_call_pk_calls"
    yield sa.ForeignKeyConstraint(["call_pk"], ["calls.id"], name, ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
