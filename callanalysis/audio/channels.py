"""Which channels of a file are sides of the call, and which are silent or copies of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from callanalysis.audio.levels import HOP_SECONDS, Levels
from callanalysis.audio.tones import SILENCE_DB

_SHORTEST_SOUND = 0.2  # seconds above SILENCE_DB that make a channel more than a click
_COPY = 0.99  # squared correlation: what differs lies 20 dB below, as after lossy coding of a copy
_LEAK = 0.9  # squared correlation of a channel on which the other is heard and nothing else
_LEAK_GAIN = 10 ** (-10 / 10)  # energy ratio; a copy 10 dB lower is cross-talk on a dead side


@dataclass(frozen=True, slots=True)
class Sides:
    """The channels to keep, in their order, and the notes on those left out.

    More than two in `kept` is for the reader to refuse; none means silence throughout.
    """

    kept: tuple[int, ...]
    notes: tuple[str, ...] = ()


def find_sides(levels: Levels) -> Sides:
    """Return the sides of the call.

    Of two channels both are kept though one is dead, so that a channel keeps its speaker; copies are mono.
    """
    count = len(levels.decibels)
    living = [channel for channel in range(count) if _is_living(levels, channel)]
    own = [
        channel for index, channel in enumerate(living) if not _copies_any(levels, channel, living[:index])
    ]
    if not own:
        return Sides(())
    if len(own) == 1 and len(living) == count > 1:
        return Sides((own[0],), ("identical_channels",))
    if count == 2:
        return Sides((0, 1), ("dead_channel",) if len(own) == 1 else ())
    return Sides(tuple(own), ("extra_channels",) if len(own) < count else ())


def _is_living(levels: Levels, channel: int) -> bool:
    seconds = float((levels.decibels[channel] > SILENCE_DB).sum()) * HOP_SECONDS
    return seconds >= _SHORTEST_SOUND and not _is_leak(levels.products, channel)


def _is_leak(products: np.ndarray, channel: int) -> bool:
    energy = products[channel, channel]
    return any(
        energy < _LEAK_GAIN * products[other, other] and _likeness(products, channel, other) > _LEAK
        for other in range(len(products))
    )


def _copies_any(levels: Levels, channel: int, others: list[int]) -> bool:
    return any(_likeness(levels.products, channel, other) > _COPY for other in others)


def _likeness(products: np.ndarray, a: int, b: int) -> float:
    """Squared correlation; a change of gain or sign does not lower it."""
    power = products[a, a] * products[b, b]
    return float(products[a, b] ** 2 / power) if power > 0 else 0.0
