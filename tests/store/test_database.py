from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from callanalysis.errors import StoreError
from callanalysis.store.db import open_store
from callanalysis.store.engine import open_engine
from callanalysis.store.schema_version import HEAD, SCRIPTS
from callanalysis.store.tables import Base

from .examples import a_call


def test_the_scripts_make_the_tables_of_tables_py(url):
    open_store(url).close()
    with open_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    assert [d for d in differences if not getattr(d[1], "name", "").startswith("call_search")] == []


def test_head_is_the_newest_script():
    assert max(path.name[:4] for path in (SCRIPTS / "versions").glob("0*.py")) == HEAD


def test_sqlite_settings(tmp_path):
    store = open_store(str(tmp_path / "calls.db"))
    with store._engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000


def test_a_store_opened_again_keeps_its_calls(url):
    open_store(url).save(a_call())
    assert open_store(url).call("C-1") == a_call()


def test_two_starts_at_once_make_one_database(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [str(tmp_path / "calls.db")] * 4))
    assert [store.count() for store in stores] == [0] * 4


def test_writers_wait_for_each_other(tmp_path):
    stores = [open_store(str(tmp_path / "calls.db")) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: stores[i % 4].save(a_call(f"C-{i}")), range(40)))
    assert stores[0].count() == 40


def newer(path):
    open_store(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def garbage(path):
    path.write_bytes(b"this is no database, but long enough to have a header" * 100)


def damaged(path):
    store = open_store(str(path))
    for i in range(50):
        store.save(a_call(f"C-{i}"))
    store.close()
    content = bytearray(path.read_bytes())
    content[100:20_000] = b"\xff" * (20_000 - 100)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (newer, "written by a newer version"),
        (foreign, "tables that callanalysis did not make"),
        (garbage, "no database, or is damaged"),
        (damaged, "damaged"),
        (lambda path: path.mkdir(), "this is a folder"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(tmp_path, make, fault):
    path = tmp_path / "calls.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=fault) as caught:
        open_store(str(path)).calls()
    assert caught.value.remedy
    assert str(path) in caught.value.subject
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("no/such/folder/calls.db", "does not exist"),
        ("oracel://x", "no such kind of database"),
        ("mysql+pymysql://user:secret@localhost/x", "driver pymysql is not installed"),
        ("sqlite:///:memory:/x/y.db", "does not exist"),
    ],
)
def test_an_address_that_leads_nowhere(url, fault):
    with pytest.raises(StoreError, match=fault) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)
