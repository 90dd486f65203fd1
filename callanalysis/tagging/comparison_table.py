"""A comparison of two taggers as Markdown. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from callanalysis.tagging.comparison import AxisChange, Change, Comparison
from callanalysis.tagging.report_table import number, table, with_interval

_HEAD = ("label", "n", "precision", "recall", "F1 before", "F1 after", "change of F1", "")


def as_text(comparison: Comparison) -> str:
    """Return the tables of a comparison; intervals are 95 %, by resampling whole families or calls."""
    blocks = [f"## On the {comparison.trial}"]
    for name, axis in comparison.axes.items():
        if not axis.lines:
            blocks.append(f"### {name}: none")
            continue
        blocks.append(
            f"### {name}: {axis.lines} lines, macro-F1 {number(axis.before)} → {number(axis.after)}"
        )
        blocks.append(table(_HEAD, _rows(axis)))
        given = ", ".join(f"{label} {before} → {after}" for label, before, after in axis.strangers)
        blocks += [f"Given to lines though none has it, before → after: {given}"] if given else []
    return "\n\n".join(blocks) + "\n"


def fallen_text(changes: Iterable[Change]) -> str:
    """Return the labels that fell, one a line."""
    return "\n".join(
        f"  {x.after.label}: F1 {number(x.before.f1)} → {number(x.after.f1)}, n = {x.after.n}, {_difference(x)}"
        for x in changes
    )


def _rows(axis: AxisChange) -> Iterable[tuple[str, ...]]:
    for x in axis.labels:
        yield (
            x.after.label,
            str(x.after.n),
            f"{number(x.before.precision)} → {number(x.after.precision)}",
            f"{number(x.before.recall)} → {number(x.after.recall)}",
            with_interval(x.before.f1, x.before.interval),
            with_interval(x.after.f1, x.after.interval),
            _difference(x),
            "fell" if x.fell else "",
        )


def _difference(x: Change) -> str:
    return f"{x.difference:+.3f} ({x.interval[0]:+.2f} to {x.interval[1]:+.2f})"
