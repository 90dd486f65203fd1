"""Page: the list of calls."""

import math
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import streamlit as st

from callanalysis.labels import RISK_NAMES
from callanalysis.pages import data, filters, markup, open_call
from callanalysis.pages.calls_table import calls_grid
from callanalysis.pages.components import show_grid
from callanalysis.pages.empty import nothing_stored
from callanalysis.pages.frame import current_words
from callanalysis.pages.list_view import PAGE_SIZE, to_filter

words = current_words()
facets = data.facets()
head = st.empty()
view = filters.show_filters(facets, filters.current_view(), words)
zone = ZoneInfo(st.context.timezone) if st.context.timezone else UTC
total = data.count(to_filter(view, zone))
pages = max(1, math.ceil(total / PAGE_SIZE))
view = replace(view, page=min(view.page, pages))
wanted = to_filter(view, zone)
frame = data.calls(wanted)
risky = data.count(replace(wanted, risks=wanted.risks or RISK_NAMES))

head.html(
    markup.title(
        words.t("Calls"),
        (
            words.n("<b>{count}</b> call", "<b>{count}</b> calls", total),
            words.n("<b>{count}</b> with a risk", "<b>{count}</b> with a risk", risky),
        ),
    )
)

if total:
    chosen = show_grid(calls_grid(frame, view, words), key="calls.grid")
    if chosen.sort:
        column, _, descending = chosen.sort.partition(":")
        view = replace(view, order_by=column, descending=descending == "true", page=1)
        filters.keep_view(view)
        st.rerun()
    if chosen.open:
        filters.keep_view(view)
        open_call.open_call(chosen.open, list(frame["call_id"]), view.search)
    if pages > 1:
        page = st.pagination(pages, default=view.page, key=f"calls.page.{view.page}.{pages}")
        if page != view.page:
            filters.keep_view(replace(view, page=page))
            st.rerun()
elif view.is_filtered:
    st.html(
        markup.notice(
            words.t("No call fits these filters"), words.t("Take a filter away, or clear them all.")
        )
    )
else:
    st.html(nothing_stored(len(data.failures()), words))
filters.keep_view(view)
