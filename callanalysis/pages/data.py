"""What the pages read: the store, opened once, and its frames, kept until the database changes."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pandas as pd
import streamlit as st
from sqlalchemy.engine import make_url

from callanalysis.schema import CallAnalysis, Failure, Sound
from callanalysis.settings import Settings
from callanalysis.store.db import Store, open_store
from callanalysis.store.figures import Facets
from callanalysis.store.filters import CallFilter

_SERVER_SECONDS = 15  # how long frames of a database server are kept
_KEPT = 200  # frames
_PAUSE_SECONDS = 600


def database_url() -> str:
    """Return the address of the database that the settings name."""
    return Settings().db


def change_counter(url: str) -> str:
    """Return a text that changes when the database may have: by its file, on a server by the clock."""
    path = make_url(url).database if "://" in url else url
    if "://" in url and not url.startswith("sqlite"):
        return str(int(time.time() / _SERVER_SECONDS))
    stamps = []
    for name in (f"{path}", f"{path}-wal"):
        try:
            found = os.stat(name)
        except OSError:
            continue
        stamps.append(f"{found.st_mtime_ns}.{found.st_size}")
    return "/".join(stamps)


def calls(wanted: CallFilter) -> pd.DataFrame:
    """Return the frame of calls, see Store.calls."""
    url = database_url()
    return _calls(url, change_counter(url), wanted)


def count(wanted: CallFilter) -> int:
    """Return how many calls the filter takes."""
    url = database_url()
    return _count(url, change_counter(url), replace(wanted, limit=None, offset=0))


def facets() -> Facets:
    """Return what there is to choose from."""
    url = database_url()
    return _facets(url, change_counter(url))


def utterance_tags(wanted: CallFilter) -> pd.DataFrame:
    """Return the frame of labels, see Store.utterance_tags."""
    url = database_url()
    return _tags(url, change_counter(url), wanted)


def call(call_id: str) -> CallAnalysis | None:
    """Return a whole call."""
    return _store(database_url()).call(call_id)


def failures() -> list[Failure]:
    """Return what could not be analysed."""
    return _store(database_url()).failures()


def find_sound(call_id: str) -> Sound | None:
    """Return the sound of a stored call, None where there is no such call or it has none."""
    found = call(call_id)
    return found.sound if found else None


@st.cache_resource(show_spinner=False)
def _store(url: str) -> Store:
    return open_store(url)


@st.cache_data(show_spinner=False, max_entries=_KEPT, ttl=_PAUSE_SECONDS)
def _calls(url: str, changed: str, wanted: CallFilter) -> pd.DataFrame:
    return _store(url).calls(wanted)


@st.cache_data(show_spinner=False, max_entries=_KEPT, ttl=_PAUSE_SECONDS)
def _count(url: str, changed: str, wanted: CallFilter) -> int:
    return _store(url).count(wanted)


@st.cache_data(show_spinner=False, max_entries=2, ttl=_PAUSE_SECONDS)
def _facets(url: str, changed: str) -> Facets:
    return _store(url).facets()


@st.cache_data(show_spinner=False, max_entries=4, ttl=_PAUSE_SECONDS)
def _tags(url: str, changed: str, wanted: CallFilter) -> pd.DataFrame:
    return _store(url).utterance_tags(wanted)
