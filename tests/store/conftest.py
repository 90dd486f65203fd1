from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from callanalysis.store.db import Store, open_store
from callanalysis.store.engine import open_engine

POSTGRES = os.environ.get("CALLANALYSIS_TEST_POSTGRES")  # URL of an empty database that tests may fill


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not POSTGRES, reason=(
    "set CALLANALYSIS_TEST_POSTGRES to the URL of an empty database")))])  # fmt: skip
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calls.db'}"
    assert POSTGRES
    engine = open_engine(POSTGRES)
    everything = MetaData()
    everything.reflect(engine)
    everything.drop_all(engine)
    engine.dispose()
    return POSTGRES


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()
