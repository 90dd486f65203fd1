"""Windows cover the speech, hold one utterance of one side, and fit into what Whisper hears."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalysis.audio.levels import HOP_SECONDS, Levels
from callanalysis.schema import SpeechRegion
from callanalysis.speech.windows import WindowOptions, plan_windows


def levels(seconds: float, channels: int = 2, quiet_at: tuple[float, ...] = ()) -> Levels:
    frames = round(seconds / HOP_SECONDS)
    decibels = np.full((channels, frames), -26.0)
    for place in quiet_at:
        decibels[:, round(place / HOP_SECONDS) - 5 : round(place / HOP_SECONDS) + 5] = -60
    return Levels(decibels, decibels * 0, decibels * 0, np.eye(channels))


def spans(
    regions: list[tuple[int, float, float]], seconds: float = 100, quiet_at: tuple[float, ...] = ()
) -> list[tuple[int, float, float]]:
    windows = plan_windows(
        [SpeechRegion(*region) for region in regions], levels(seconds, 2, quiet_at), seconds
    )
    return [(window.channel, round(window.start, 1), round(window.end, 1)) for window in windows]


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([], []),
        ([(0, 1, 2)], [(0, 1, 2)]),
        ([(0, 1, 2), (0, 2.4, 3)], [(0, 1, 3)]),  # a short pause stands inside
        ([(0, 1, 2), (0, 2.6, 3)], [(0, 1, 2), (0, 2.6, 3)]),
        ([(0, 1, 2), (1, 2.1, 3), (0, 3.2, 4)], [(0, 1, 2), (1, 2.1, 3), (0, 3.2, 4)]),
        ([(1, 5, 6), (0, 1, 2), (0, 5, 6)], [(0, 1, 2), (0, 5, 6), (1, 5, 6)]),
        ([(0, 0, 20), (0, 20.2, 40)], [(0, 0, 20), (0, 20.2, 40)]),  # joined they would not fit
    ],
)
def test_joining(regions: list[tuple[int, float, float]], expected: list[tuple[int, float, float]]) -> None:
    assert spans(regions) == expected


def test_long_speech_is_cut_where_it_is_least_loud() -> None:
    assert spans([(0, 10, 60)], quiet_at=(17.0, 30.0, 52.0)) == [(0, 10, 30), (0, 30, 52), (0, 52, 60)]


times = st.lists(st.tuples(st.integers(0, 1), st.floats(0.2, 70), st.floats(0, 5)), max_size=12)


@given(times)
def test_every_second_of_speech_is_in_one_window(parts: list[tuple[int, float, float]]) -> None:
    now, regions = 0.0, []
    for channel, length, pause in parts:
        regions.append(SpeechRegion(channel, now + pause, now + pause + length))
        now = regions[-1].end
    options = WindowOptions()
    windows = plan_windows(regions, levels(now + 1), now + 1, options)
    assert list(windows) == sorted(windows, key=lambda window: window.start)
    for window in windows:
        assert 0 <= window.heard_from <= window.start < window.end <= window.heard_to <= now + 1
        assert window.heard_to - window.heard_from < 30
    for region in regions:
        inside = [window for window in windows if window.channel == region.channel]
        covered = sum(max(0.0, min(w.end, region.end) - max(w.start, region.start)) for w in inside)
        assert covered == pytest.approx(region.end - region.start)
    for first, second in pairwise(windows):
        if first.channel == second.channel:
            assert first.heard_to <= second.heard_from + 1e-9
