"""Open a database: the connection's settings, and every database error told as a StoreError with a remedy."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from callanalysis.errors import StoreError

BUSY_SECONDS = 30.0  # how long a writer waits for another one
_RESTORE = "Restore it from a backup, or name another database with --db to start a new one"

# part of the driver's message: (fault, remedy)
_FAULTS = {
    "file is not a database": ("the file is no database, or is damaged", _RESTORE),
    "malformed": ("the database is damaged", _RESTORE),
    "unable to open": (
        "the database file cannot be opened or created",
        "Check that its folder exists and may be written, or name another database with --db",
    ),
    "readonly": ("the database may not be written", "Give the user who runs callanalysis the right to it"),
    "disk is full": ("the disk is full", "Make room and run again: what was stored stays"),
    "locked": (
        f"another program has kept the database locked for {BUSY_SECONDS:.0f} seconds",
        "Run again when it has finished",
    ),
    "could not connect": ("the server does not answer", "Check the address in --db and that it runs"),
    "connection refused": ("the server does not answer", "Check the address in --db and that it runs"),
    "authentication failed": ("the server refuses user or password", "Correct the address in --db"),
    "does not exist": ("the server has no such database, role or table", "Create it, or correct --db"),
}


def open_engine(url: str) -> Engine:
    """Return an engine for an SQLAlchemy URL or the path of an SQLite file; raises StoreError."""
    target = _target(url)
    options: dict[str, Any] = {}
    if target.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    try:
        engine = create_engine(target, **options)
    except ModuleNotFoundError as e:
        raise StoreError(
            _shown(target), f"the database driver {e.name} is not installed", f"pip install {e.name}"
        ) from e
    event.listen(engine, "handle_error", _tell)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for transactions that write: SQLite then waits for its turn at their start."""
    return engine.execution_options(writes=True)


def keep_wal(engine: Engine) -> None:
    """Let readers of an SQLite file go on while another process writes; the file remembers it."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
                cursor.execute("PRAGMA journal_mode = WAL")


def shown_url(engine: Engine) -> str:
    """Return the address without its password."""
    return _shown(engine.url)


def _target(url: str) -> URL:
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        target = make_url(url)
        target.get_dialect()
    except ArgumentError as e:  # the message would repeat the address with its password
        remedy = "Write it as sqlite:///calls.db or postgresql+psycopg://user@host/database"
        fault = (
            "no such kind of database" if isinstance(e, NoSuchModuleError) else "the address cannot be read"
        )
        raise StoreError("--db", fault, remedy) from None
    except ModuleNotFoundError as e:
        raise StoreError(
            "--db", f"the database driver {e.name} is not installed", f"pip install {e.name}"
        ) from e
    return target


def _shown(url: URL) -> str:
    return url.database or ":memory:" if url.get_backend_name() == "sqlite" else url.render_as_string()


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, for DDL too
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tell(context: ExceptionContext) -> None:
    """Raise the StoreError for a database error; one we have no words for goes on as it is."""
    message = str(context.original_exception).lower()
    for part, (fault, remedy) in _FAULTS.items():
        if part in message:
            where = _shown(context.engine.url) if context.engine else "the database"
            raise StoreError(where, fault, remedy) from context.original_exception


def check_folder(engine: Engine) -> None:
    """Raise StoreError where the folder of an SQLite file is missing, which SQLite itself would not name."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise StoreError(path, f"the folder {folder} does not exist", "Create it, or correct --db")
    if Path(path).is_dir():
        raise StoreError(path, "this is a folder", "Name a file in it, for example callanalysis.db")
    if not Path(path).exists() and not os.access(folder, os.W_OK):
        raise StoreError(path, f"the folder {folder} may not be written", "Name another database with --db")
