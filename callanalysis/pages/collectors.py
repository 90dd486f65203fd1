"""Page: figures per collector."""

import streamlit as st

from callanalysis.analytics.collectors import COMPARABLE_CALLS, collector_figures
from callanalysis.pages import data, frame, markup
from callanalysis.pages.collectors_chart import FIGURES, interval_chart, interval_rows
from callanalysis.pages.collectors_table import SORTS, collectors_grid, ordered
from callanalysis.pages.components import show_grid
from callanalysis.pages.empty import nothing_stored
from callanalysis.store.filters import CallFilter

words = frame.current_words()
key, _, direction = st.query_params.get("sort", "name:up").partition(":")
sort = (key if key in SORTS else "name", direction == "down")
team = st.query_params.get("team", "")
teams = data.facets().teams
wanted = CallFilter(teams=(team,) if team in teams else ())
figures = collector_figures(data.calls(wanted), data.utterance_tags(wanted))

counts = [words.n("<b>{count}</b> collector", "<b>{count}</b> collectors", len(figures))]
st.html(markup.title(words.t("Collectors"), counts))
if not figures:
    st.html(nothing_stored(len(data.failures()), words))
    st.stop()

grid = show_grid(collectors_grid(figures, sort, words), key="collectors.grid")
if grid.open:
    st.switch_page(f"{frame.PAGES}/calls.py", query_params={"collector": grid.open})
if grid.sort:
    column, _, descending = grid.sort.partition(":")
    sort = (column, descending == "true")
told = words.t(
    "Points with 95 % intervals; where these overlap, it may be chance. Grey: fewer than {n} calls.",
    n=COMPARABLE_CALLS,
)
st.html(markup.text(told, css="ca-small"))
titles = {"risk": words.t("Calls with a risk, per 100"), "promises": words.t("Promise rate")}
shown = [
    *ordered([x for x in figures if x.is_comparable], *sort),
    *(x for x in figures if not x.is_comparable),
]
for column, figure in zip(st.columns(2, gap="large"), FIGURES, strict=True):
    rows = interval_rows(shown, figure, words)
    if len(rows):
        column.altair_chart(interval_chart(rows, titles[figure], words), width="stretch", theme=None)
address = {} if sort == ("name", False) else {"sort": [f"{sort[0]}:{'down' if sort[1] else 'up'}"]}
frame.set_address(address | ({"team": [team]} if team in teams else {}))
if grid.sort:
    st.rerun()
