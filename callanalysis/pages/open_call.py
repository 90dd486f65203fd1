"""Going from page to page: into a call, and from a call to the ones beside it in the list it came from."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from callanalysis.pages.frame import PAGES

_IDS = "call.list"  # in the session: the calls of the list page that was last seen, in its order


def open_call(call_id: str, listed: list[str] | None = None, search: str = "") -> NoReturn:
    """Show a call; `listed` are the calls to leaf through from there."""
    if listed is not None:
        st.session_state[_IDS] = listed
    params = {"call": call_id} | ({"q": search} if search else {})
    st.switch_page(f"{PAGES}/call.py", query_params=params)


def neighbours(call_id: str) -> tuple[str | None, str | None]:
    """Return the calls before and after this one in the list it was opened from."""
    listed: list[str] = st.session_state.get(_IDS, [])
    if call_id not in listed:
        return None, None
    at = listed.index(call_id)
    return (listed[at - 1] if at else None), (listed[at + 1] if at + 1 < len(listed) else None)
