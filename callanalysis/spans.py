"""Stretches of time as (start, end) in seconds: joined, cut, measured. It knows nothing of who speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Span: TypeAlias = tuple[float, float]


def union(spans: Iterable[Span], bridge: float = 0.0) -> tuple[Span, ...]:
    """Return the spans joined where they overlap or lie at most `bridge` seconds apart, in order."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if joined and start - joined[-1][1] <= bridge:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def total(spans: Iterable[Span]) -> float:
    """Return the seconds of spans that do not overlap."""
    return sum(end - start for start, end in spans)


def gaps(spans: Sequence[Span], duration: float) -> tuple[Span, ...]:
    """Return what `spans`, a union, leaves free between 0 and `duration`."""
    edges = [0.0, *(min(max(edge, 0.0), duration) for span in spans for edge in span), duration]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((start, end) for start, end in pairs if end > start)


def without(spans: Sequence[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """Return what is left of `spans` outside `taken`; both are unions."""
    left: list[Span] = []
    for start, end in spans:
        inside = [(max(a, start) - start, min(b, end) - start) for a, b in taken if a < end and b > start]
        left += [(start + a, start + b) for a, b in gaps(inside, end - start)]
    return tuple(left)
