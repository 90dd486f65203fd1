"""An empty store and a full one, as the app finds them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st

from callanalysis.store.db import open_store

from .seed import seed

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a database with sixty calls."""
    folder = tmp_path_factory.mktemp("full")
    store = open_store(f"sqlite:///{folder / 'calls.db'}")
    seed(store, folder)
    store.close()
    return folder / "calls.db"


@pytest.fixture
def full(seeded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The full store, as the settings name it."""
    return _use(seeded, monkeypatch, tmp_path)


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty store, as the settings name it."""
    return _use(tmp_path / "empty.db", monkeypatch, tmp_path)


@pytest.fixture
def broken_store(seeded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that is no database."""
    path = tmp_path / "broken.db"
    shutil.copyfile(Path(__file__), path)
    return _use(path, monkeypatch, tmp_path)


def _use(database: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    monkeypatch.setenv("CALLANALYSIS_DB", f"sqlite:///{database}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "cache"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return database
