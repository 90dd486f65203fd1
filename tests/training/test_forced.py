from __future__ import annotations

import itertools

import numpy as np
import pytest

from callanalysis.speech.training.forced import force_align


def by_hand(log_probabilities: np.ndarray, labels: list[int]) -> float:
    """The best path by trying all of them."""
    best = -np.inf
    frames, classes = log_probabilities.shape
    for path in itertools.product(range(classes), repeat=frames):
        said = [k for k, _ in itertools.groupby(path) if k]
        if said == labels:
            best = max(best, sum(log_probabilities[t, k] for t, k in enumerate(path)))
    return float(best)


def score_of(log_probabilities: np.ndarray, labels: list[int], frames: np.ndarray) -> float:
    path = np.zeros(len(log_probabilities), dtype=int)
    path[np.round(frames).astype(int)] = labels
    return float(log_probabilities[np.arange(len(path)), path].sum())


def test_spikes_are_found_and_a_repeated_label_needs_a_blank() -> None:
    table = np.full((10, 4), -5.0)
    table[:, 0] = -0.5
    for frame, label in ((2, 1), (3, 1), (5, 2), (8, 2)):
        table[frame, label] = -0.01
    assert force_align(table, np.array([1, 2, 2])).tolist() == [2.5, 5.0, 8.0]


@pytest.mark.parametrize("seed", range(8))
def test_the_path_is_the_best_one(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(6, 3)) * 3
    table[:, 0] += 2  # spikes of one frame, so that the middle of a label is its frame
    labels = [1, 2, 1]
    frames = force_align(table, np.array(labels))
    if np.all(frames == np.round(frames)):
        assert score_of(table, labels, frames) <= by_hand(table, labels) + 1e-9
    assert np.all(np.diff(frames) > 0)


def test_too_few_frames_have_no_places() -> None:
    assert np.isnan(force_align(np.zeros((2, 3)), np.array([1, 1, 1]))).all()
