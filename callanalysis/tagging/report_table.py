"""An evaluation as a Markdown table for people and as JSON for programs. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from callanalysis.tagging.evaluation import Axis, Evaluation, Share, Summary


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data."""
    return asdict(evaluation)


def as_text(evaluation: Evaluation) -> str:
    """Return the evaluation as Markdown; intervals are 95 %, by resampling whole families."""
    axes = {"intent": evaluation.intent, "risk": evaluation.risk}
    head = (
        f"Tagger {evaluation.tagger} on the {evaluation.part} part: "
        f"{evaluation.intent.overall.lines} utterances of {evaluation.families} families.\n"
        "Floor: character n-gram TF-IDF with logistic regression on the same utterances."
    )
    blocks = [
        head,
        table(("axis", "lines", "labels", "macro-F1", "micro-F1", "floor macro-F1"), _rows(axes)),
    ]
    blocks += ["\n".join(_sentences(evaluation))]
    for name, axis in axes.items():
        blocks += [f"### {name}\n\n{_labels(axis)}", f"### {name}: most often confused\n\n{_confused(axis)}"]
    return "\n\n".join(blocks) + "\n"


def _rows(axes: dict[str, Axis]) -> Iterable[tuple[str, ...]]:
    for name, axis in axes.items():
        yield _summary(name, axis.overall)
        for part, summary in axis.slices.items():
            yield _summary(f"{name}, {part}", summary)


def _summary(name: str, x: Summary) -> tuple[str, ...]:
    return (
        name,
        str(x.lines),
        str(x.labels),
        with_interval(x.macro, x.interval),
        number(x.micro),
        with_interval(x.floor, x.floor_interval),
    )


def _sentences(e: Evaluation) -> Iterable[str]:
    yield f"- lawful collector lines that were given a risk: {_share(e.lawful_flagged)}"
    yield f"- speaker told from the text alone: {_share(e.speaker)}"
    yield f"- calibration error: intent {number(e.intent.calibration)}, risk {number(e.risk.calibration)}"
    c = e.calls
    yield f"- calls ({c.n}): willingness {_share(c.willingness)}, kappa {number(c.kappa)} over {c.kappa_n}"
    yield f"- calls: ability {_share(c.ability)}, reason {_share(c.reason)}"


def _labels(axis: Axis) -> str:
    rows = (
        (
            x.label,
            str(x.n),
            number(x.precision),
            number(x.recall),
            with_interval(x.f1, x.interval),
            number(low.f1),
        )
        for x, low in zip(axis.labels, axis.floor_labels, strict=True)
    )
    return table(("label", "n", "precision", "recall", "F1", "floor F1"), rows)


def _confused(axis: Axis) -> str:
    rows = ((x.true, x.found, str(x.n)) for x in axis.confusions)
    return table(("true, but missed", "given instead", "lines"), rows)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table with columns of even width."""
    body = [head, *rows]
    widths = [max(len(row[i]) for row in body) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in body
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def number(value: float | None) -> str:
    """Return a figure with three digits, a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    """Return a figure with its interval."""
    return number(value) if interval is None else f"{number(value)} ({interval[0]:.2f}–{interval[1]:.2f})"


def _share(x: Share) -> str:
    if x.value is None or x.interval is None:
        return "– (n = 0)"
    return f"{x.value:.1%} of {x.n} ({x.interval[0]:.1%}–{x.interval[1]:.1%})"
