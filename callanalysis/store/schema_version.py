"""Bring a database to this version's tables, by Alembic, from inside the package.

A database of a newer version, or of another program, is refused and left as it is.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from callanalysis.errors import StoreError
from callanalysis.store.engine import check_folder, keep_wal, shown_url, writing

HEAD = "0002"  # the newest script in migrations/versions; a test holds it
SCRIPTS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"


def upgrade(engine: Engine) -> None:
    """Bring the database to HEAD, creating it where there is none; raises StoreError."""
    check_folder(engine)
    with engine.connect() as connection:
        is_current = _stored(connection) == HEAD
    if not is_current:
        _bring_up(engine)
    keep_wal(engine)


def _bring_up(engine: Engine) -> None:
    with writing(engine).begin() as connection:
        _wait_for_others(connection)
        found = _stored(connection)  # another process may have been faster
        if found != HEAD:
            _check_known(engine, connection, found)
            migrate(connection)


def _stored(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    value = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()
    return None if value is None else str(value)


def _check_known(engine: Engine, connection: Connection, found: str | None) -> None:
    if found is None:
        if strangers := inspect(connection).get_table_names():
            names = ", ".join(sorted(strangers)[:3])
            raise StoreError(
                shown_url(engine),
                f"it holds tables that callanalysis did not make ({names})",
                "Name an empty or a new database with --db",
            )
        return
    known = {path.name.split("_")[0] for path in (SCRIPTS / "versions").glob("0*.py")}
    if found not in known:
        raise StoreError(
            shown_url(engine),
            f"it was written by a newer version (tables {found}, known up to {HEAD})",
            "Install the newer callanalysis, or name another database with --db",
        )


def migrate(connection: Connection) -> None:
    """Run the scripts that the database lacks, in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _wait_for_others(connection: Connection) -> None:
    """On a server two starts at once take turns; SQLite's write lock does that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7211031)"))
