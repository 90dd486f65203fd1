"""The filters above the list of calls, kept in step with the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import streamlit as st

from callanalysis.i18n import OWN_NAMES, Words
from callanalysis.labels import COLLECTOR_INTENTS, DEBTOR_INTENTS, RISK_NAMES, WILLINGNESS
from callanalysis.pages import frame
from callanalysis.pages.list_view import ANY_RISK, ListView, Params, from_params, to_params
from callanalysis.store.figures import Facets

_VIEW = "calls.view"  # in the session: the address of the list as it was last shown
_PREFIX = "calls."  # of widget keys
_MANY = ("collector", "team", "product", "spoken", "willingness", "risk", "intent")
_EARLIEST = date(2000, 1, 1)  # where an address gives the last day alone
_INTENTS = tuple(label.name for label in (*COLLECTOR_INTENTS, *DEBTOR_INTENTS))


def current_view() -> ListView:
    """Return the view that the address asks for, or the last one of the session where it asks for none.

    Where the address has changed without the filters, they are set to it.
    """
    asked: Params = {name: values for name, values in frame.address().items() if name != "lang"}
    kept: Params | None = st.session_state.get(_VIEW)
    if kept is not None and asked in ({}, kept):
        view = from_params(kept)
        if f"{_PREFIX}search" not in st.session_state:  # back from another page
            _set_widgets(view)
        return view
    view = from_params(asked)
    _set_widgets(view)
    return view


def keep_view(view: ListView) -> None:
    """Write the view to the address and the session."""
    params = to_params(view)
    st.session_state[_VIEW] = params
    frame.set_address(params)


def show_filters(facets: Facets, view: ListView, words: Words) -> ListView:
    """Show the filters and return the view they say; a changed filter leads to the first page."""
    search, days, clear = st.columns([5, 2.4, 1], vertical_alignment="bottom")
    search.text_input(
        words.t("Search what was said"),
        key=f"{_PREFIX}search",
        placeholder=words.t("Search what was said"),
        label_visibility="collapsed",
        type="search",
    )
    st.session_state.setdefault(f"{_PREFIX}days", ())
    days.date_input(
        words.t("Dates"),
        key=f"{_PREFIX}days",
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        help=words.t("First and last day; the calls of both are shown"),
    )
    _show_choices(facets, words)
    chosen = _from_widgets(view)
    clear.button(words.t("Clear filters"), on_click=_clear, disabled=not chosen.is_filtered, width="stretch")
    same = replace(chosen, page=view.page) == view
    return view if same else replace(chosen, page=1)


def _show_choices(facets: Facets, words: Words) -> None:
    names = {key: f"{name} {key}" if name else key for key, name in facets.collectors}
    risks = {ANY_RISK: words.t("Any risk")} | {name: words.label(name, "risk") for name in RISK_NAMES}
    choices: tuple[tuple[str, str, list[str], Callable[[str], str]], ...] = (
        ("collector", words.t("Collector"), list(names), lambda key: names.get(key, key)),
        ("team", words.t("Team"), list(facets.teams), str),
        ("product", words.t("Product"), list(facets.products), str),
        ("spoken", words.t("Language"), list(facets.languages), lambda key: _spoken(key)),
        (
            "willingness",
            words.t("Willingness"),
            [label.name for label in WILLINGNESS],
            lambda name: words.label(name, "willingness"),
        ),
        ("risk", words.t("Compliance risk"), list(risks), risks.__getitem__),
        ("intent", words.t("Intent"), list(_INTENTS), lambda name: words.label(name, "intent")),
    )
    for column, (name, label, options, display) in zip(st.columns(len(choices)), choices, strict=True):
        key = f"{_PREFIX}{name}"
        known = [value for value in st.session_state.get(key, []) if value in options]
        st.session_state[key] = known
        column.multiselect(
            label, options, format_func=display, key=key, placeholder=label, label_visibility="collapsed"
        )


def _spoken(language: str) -> str:
    return {"zh": OWN_NAMES["zh"], "en": OWN_NAMES["en"]}.get(language, language)


def _from_widgets(view: ListView) -> ListView:
    days = [day.isoformat() for day in st.session_state[f"{_PREFIX}days"] or ()]
    params: Params = {name: list(st.session_state[f"{_PREFIX}{name}"]) for name in _MANY}
    params |= {"q": [(st.session_state[f"{_PREFIX}search"] or "").strip()], "from": days[:1], "to": days[1:]}
    return replace(from_params(params), order_by=view.order_by, descending=view.descending, page=view.page)


def _set_widgets(view: ListView) -> None:
    st.session_state[f"{_PREFIX}search"] = view.search
    first = view.first or (_EARLIEST if view.last else None)
    st.session_state[f"{_PREFIX}days"] = tuple(day for day in (first, view.last) if day)
    for name in _MANY:
        st.session_state[f"{_PREFIX}{name}"] = list(getattr(view, name))


def _clear() -> None:
    """Set every filter back; the order stays."""
    kept = from_params(st.session_state.get(_VIEW, {}))
    view = ListView(order_by=kept.order_by, descending=kept.descending)
    _set_widgets(view)
    st.session_state[_VIEW] = to_params(view)
    frame.set_address(to_params(view))
