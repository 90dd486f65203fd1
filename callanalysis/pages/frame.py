"""What stands around every page: the look, the language and its switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from callanalysis.i18n import LOCALES, OWN_NAMES, Language, Words, preferred_language, words_of
from callanalysis.pages.components import STYLES

_LANGUAGE = "language"  # in the session: what was chosen, by the address or the switch
_SWITCH = "language_switch"
PAGES = "callanalysis/pages"  # from app.py


def open_frame() -> Words:
    """Set up the page and return the words of the visitor's language; once a run, before the page."""
    st.set_page_config(page_title="callanalysis", layout="wide")
    st.html(STYLES)
    language = _language()
    with st.container(key="lang-box"):
        st.segmented_control(
            "Language / 语言",
            list(LOCALES),
            format_func=OWN_NAMES.__getitem__,
            required=True,
            key=_SWITCH,
            label_visibility="collapsed",
            on_change=_choose,
        )
    return words_of(language)


def current_words() -> Words:
    """Return the words of the run's language, for page files."""
    return words_of(_language())


def set_address(params: Mapping[str, Sequence[str]]) -> None:
    """Make the browser's address say `params` and, where it was chosen, the language."""
    chosen = st.session_state.get(_LANGUAGE)
    wanted = {name: list(values) for name, values in params.items()} | ({"lang": [chosen]} if chosen else {})
    if wanted != address():
        st.query_params.from_dict(wanted)


def address() -> dict[str, list[str]]:
    """Return what the browser's address says."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _language() -> Language:
    asked = st.query_params.get("lang")
    if asked in LOCALES and asked != st.session_state.get(_LANGUAGE):
        st.session_state[_LANGUAGE] = asked
    language: Language = st.session_state.get(_LANGUAGE) or preferred_language(st.context.locale)
    if st.session_state.get(_SWITCH) != language:
        st.session_state[_SWITCH] = language
    return language


def _choose() -> None:
    """The switch was used: the choice goes into the session and the address."""
    chosen = st.session_state[_SWITCH]
    st.session_state[_LANGUAGE] = chosen
    st.query_params["lang"] = chosen
