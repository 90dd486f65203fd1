"""Two charts of collectors: points with their intervals; those with too few calls in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from callanalysis.analytics.collectors import CollectorFigures
from callanalysis.analytics.intervals import Ratio
from callanalysis.i18n import Words
from callanalysis.pages.collectors_table import ratio_help

_INK, _GREY = "#2F5F9E", "#B6C0CC"
_TEXT = "#3A4756"
FONT = "'Segoe UI', -apple-system, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_ROW_PIXELS = 26
FIGURES = ("risk", "promises")


def interval_rows(figures: Sequence[CollectorFigures], figure: str, words: Words) -> pd.DataFrame:
    """Return one row per collector who has the figure: name, value, low, high, help, comparable."""
    rows = []
    for x in figures:
        ratio = getattr(x, figure)
        if isinstance(ratio, Ratio):
            name = f"{x.name} {x.collector_id}" if x.name else x.collector_id
            told = ratio_help(ratio, words)
            rows.append((name, ratio.value, ratio.low, ratio.high, told, x.is_comparable))
    return pd.DataFrame(rows, columns=["name", "value", "low", "high", "help", "comparable"])


def interval_chart(rows: pd.DataFrame, title: str, words: Words) -> Any:
    """Return points with 95 % intervals, one line per collector in the order of the rows."""
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=list(rows["name"]), title=None, axis=alt.Axis(labelLimit=180)),
        color=alt.condition("datum.comparable", alt.value(_INK), alt.value(_GREY)),
        tooltip=[alt.Tooltip("name:N", title=words.t("Collector")), alt.Tooltip("help:N", title=title)],
    )
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], labelExpr="datum.value * 100", title=None, domain=False)
    scale = alt.Scale(domain=[0, 1])
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q")
    points = base.mark_circle(size=70, opacity=1).encode(x=alt.X("value:Q", scale=scale, axis=axis))
    chart = (lines + points).properties(height=alt.Step(_ROW_PIXELS), title=title)
    chart = chart.configure(font=FONT).configure_view(stroke=None)
    chart = chart.configure_title(anchor="start", fontSize=13, fontWeight=600, color=_TEXT, offset=10)
    return chart.configure_axis(labelFontSize=12, labelColor=_TEXT, gridColor="#E9ECF0", tickColor="#DDE1E7")
