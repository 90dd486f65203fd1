"""Error rates of transcripts: characters for Chinese, words for English, with an interval over recordings.

It compares text with text; who wrote it is not its matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
import numpy as np


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Errors ÷ units over `n` recordings; `low` and `high` bound the 95 % interval (bootstrap over recordings)."""

    unit: str  # "CER" or "WER"
    errors: int
    units: int
    n: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Errors a unit; 0 where there are no units."""
        return self.errors / self.units if self.units else 0.0

    def __str__(self) -> str:
        interval = f"95 % {self.low:.1%}-{self.high:.1%}"
        return f"{self.unit} {self.rate:.1%} ({interval}; {self.errors}/{self.units}, n={self.n})"


def normalise(text: str, language: str) -> str:
    """Return the text as it is compared: NFKC, lower case, no punctuation; Chinese without spaces."""
    text = unicodedata.normalize("NFKC", text).lower()
    if language == "zh":
        return re.sub(r"[\W_]+", "", text)
    return " ".join(re.sub(r"[^\w' ]+|_", " ", text).split())


def error_rate(
    references: Sequence[str], hypotheses: Sequence[str], language: str, seed: int = 0
) -> ErrorRate:
    """Return the character (zh) or word (en) error rate of the hypotheses; empty references count insertions."""
    counts = np.array(
        [_count(r, h, language) for r, h in zip(references, hypotheses, strict=True)], dtype=float
    )
    counts = counts.reshape(-1, 2)
    errors, units = counts.sum(axis=0)
    low, high = _bootstrap(counts, seed) if len(counts) else (0.0, 0.0)
    return ErrorRate("CER" if language == "zh" else "WER", int(errors), int(units), len(counts), low, high)


def _count(reference: str, hypothesis: str, language: str) -> tuple[int, int]:
    reference, hypothesis = normalise(reference, language), normalise(hypothesis, language)
    units = len(reference) if language == "zh" else len(reference.split())
    if not units:
        return (len(hypothesis) if language == "zh" else len(hypothesis.split())), 0
    process = jiwer.process_characters if language == "zh" else jiwer.process_words
    out = process(reference, hypothesis)
    return out.substitutions + out.deletions + out.insertions, units


def _bootstrap(counts: np.ndarray, seed: int, draws: int = 1000) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(counts), (draws, len(counts)))
    sums = counts[picks].sum(axis=1)
    rates = sums[:, 0] / np.maximum(sums[:, 1], 1)
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)
