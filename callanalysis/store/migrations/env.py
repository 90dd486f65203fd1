"""How Alembic runs our scripts: over the connection that schema_version.py holds, SQLite in batch mode.

A new script is made by `python -m callanalysis.store.migrations "What it does"`.
"""

from __future__ import annotations

from typing import Literal

from alembic import context

from callanalysis.store.search import TABLE
from callanalysis.store.tables import Base, Utc


def _is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    return not (kind == "table" and (name or "").startswith(TABLE))


def _render(kind: str, item: object, _: object) -> str | Literal[False]:
    return "sa.DateTime()" if kind == "type" and isinstance(item, Utc) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    include_object=_is_ours,
    render_item=_render,
    transaction_per_migration=False,
)
context.run_migrations()
