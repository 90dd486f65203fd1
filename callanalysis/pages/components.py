"""The two components of our own: the table of rows that open, and the player of a call.

All their JavaScript and CSS is in the package; nothing is fetched from elsewhere. Data go in as JSON and are
shown as text nodes, never as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
_WAVESURFER = {"WaveSurfer": "wavesurfer.min.js", "RegionsPlugin": "regions.min.js"}
STYLES = _FOLDER / "component" / "look.css"


def show_player(data: Mapping[str, Any], key: str) -> Any:
    """Show a call's sound and transcript; the result's `renew` is set when its address has run out."""
    return _player()(key=key, data=data, on_renew_change=_nothing)


def show_grid(data: Mapping[str, Any], key: str) -> Any:
    """Show a table; the result's `open` is the id of a row clicked, its `sort` "column:descending"."""
    return _grid()(key=key, data=data, on_open_change=_nothing, on_sort_change=_nothing)


def player_script() -> str:
    """Return the player's JavaScript: wavesurfer, its regions plugin and our own parts, as one module."""
    libraries = [_wrapped(name, file) for name, file in _WAVESURFER.items()]
    return "\n".join([*libraries, *map(_own, ("dom.js", "transcript.js", "waveform.js", "player.js"))])


def grid_script() -> str:
    """Return the table's JavaScript as one module."""
    return "\n".join(map(_own, ("dom.js", "grid.js")))


@cache
def _player() -> Callable[..., Any]:
    return st.components.v2.component("callanalysis_player", js=player_script(), isolate_styles=False)


@cache
def _grid() -> Callable[..., Any]:
    return st.components.v2.component("callanalysis_grid", js=grid_script(), isolate_styles=False)


def _wrapped(name: str, file: str) -> str:
    """A library in the form that browsers, AMD and CommonJS load, given the last of these to load into."""
    code = (_FOLDER / "vendor" / "wavesurfer" / file).read_text(encoding="utf-8")
    before = f"const {name} = ((module) => {{ const exports = module.exports;"
    return f"{before}\n{code}\nreturn module.exports; }})({{ exports: {{}} }});"


def _own(file: str) -> str:
    return (_FOLDER / "component" / file).read_text(encoding="utf-8")


def _nothing() -> None:
    """Triggers need a callback to be delivered; what they say is read from the result."""
