"""What a network must offer to be a recogniser here: it hears windows, streaming.py does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from callanalysis.schema import Word

Features = Any  # what the network's encoder makes of a window


@dataclass(frozen=True, slots=True)
class Heard:
    """A window after the encoder: one item of a decoding batch."""

    features: Features
    seconds: float  # of sound


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was said in one window; `text` is empty where nothing was.

    Word times are seconds from the window's first sample. `attempts` counts how often it was decoded.
    """

    text: str
    mean_log_probability: float
    words: tuple[Word, ...] = ()
    attempts: int = 1


class WindowDecoder(Protocol):
    """A network that hears windows of at most 30 s; it keeps the order of what it is given.

    `name` says which network, down to the weights.
    """

    name: str

    def knows(self, language: str) -> bool:
        """Whether the network can write this language."""
        ...

    def encode(self, samples: np.ndarray) -> Features:
        """Return the features of one window's float32 samples at 16 kHz."""
        ...

    def language_probabilities(self, features: Sequence[Features]) -> list[dict[str, float]]:
        """Return for each window the probability of each language code."""
        ...

    def decode(self, batch: Sequence[Heard], language: str) -> list[Decoded]:
        """Return what was said in each window."""
        ...
