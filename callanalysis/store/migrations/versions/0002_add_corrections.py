"""Add the corrections of reviewers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of corrections."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("machine_intent", sa.JSON(), nullable=False),
        sa.Column("machine_risk", sa.JSON(), nullable=False),
        sa.Column("intent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("risk", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("tags_version", sa.Text(), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.ForeignKeyConstraint(
            ["call_pk"], ["calls.id"], "fk_corrections_call_pk_calls", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("identity", name="uq_corrections_identity"),
    )
    op.create_index("ix_corrections_call_pk_position", "corrections", ["call_pk", "position"])
