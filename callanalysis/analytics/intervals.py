"""Ratios and means with their 95 % intervals, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

Z = 1.959964  # standard normal quantile at 0.975
_T = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
)  # Student, 1 to 10 degrees of freedom


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numerator of denominator, with the bounds of its 95 % interval (0-1)."""

    numerator: int
    denominator: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0-1."""
        return self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean of `n` values; the interval is None for a single value."""

    value: float
    n: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class NotAvailable:
    """No figure, and why: a code that the app translates."""

    reason: str


def wilson(numerator: int, denominator: int, reason: str) -> Ratio | NotAvailable:
    """Return the ratio with Wilson's score interval (1927), NotAvailable(reason) for a denominator of 0."""
    if denominator == 0:
        return NotAvailable(reason)
    share, z2 = numerator / denominator, Z * Z / denominator
    centre = (share + z2 / 2) / (1 + z2)
    half = Z * math.sqrt(share * (1 - share) / denominator + z2 / (4 * denominator)) / (1 + z2)
    low = 0.0 if numerator == 0 else max(0.0, centre - half)
    high = 1.0 if numerator == denominator else min(1.0, centre + half)
    return Ratio(numerator, denominator, low, high)


def mean(values: Iterable[float | None], reason: str) -> Mean | NotAvailable:
    """Return the mean of the values that are there with Student's interval, or NotAvailable(reason)."""
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    if not known:
        return NotAvailable(reason)
    centre = fmean(known)
    if len(known) == 1:
        return Mean(centre, 1, None, None)
    half = student(len(known) - 1) * stdev(known) / math.sqrt(len(known))
    return Mean(centre, len(known), centre - half, centre + half)


def student(freedom: int) -> float:
    """Return Student's quantile at 0.975; above 10 degrees of freedom by the Cornish-Fisher expansion."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    first = (Z**3 + Z) / (4 * freedom)
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)
    return Z + first + second
