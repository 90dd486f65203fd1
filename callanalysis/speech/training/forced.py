"""Where each phone is spoken: the likeliest path of a known phone sequence through CTC probabilities.

Viterbi over the labels with blanks between them (Graves 2006, section 4.1, maximum in place of the sum).
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def force_align(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the frame in the middle of each label, as float; NaN where the sequence cannot fit the frames.

    `log_probabilities` (frames, classes) with the blank at 0, `labels` (n,) without blanks.
    """
    frames, states = log_probabilities.shape[0], 2 * labels.shape[0] + 1
    score = np.full(states, -np.inf)
    came = np.zeros((frames, states), dtype=np.int8)
    score[0] = log_probabilities[0, 0]
    if states > 1:
        score[1] = log_probabilities[0, labels[0]]
    for t in range(1, frames):
        for s in range(min(states, 2 * t + 2) - 1, -1, -1):
            best, step = score[s], 0
            if s > 0 and score[s - 1] > best:
                best, step = score[s - 1], 1
            if s > 1 and s % 2 == 1 and labels[s // 2] != labels[s // 2 - 1] and score[s - 2] > best:
                best, step = score[s - 2], 2
            label = labels[s // 2] if s % 2 else 0
            score[s] = best + log_probabilities[t, label]
            came[t, s] = step
    total, count = np.zeros(labels.shape[0]), np.zeros(labels.shape[0])
    state = states - 1 if states == 1 or score[states - 1] > score[states - 2] else states - 2
    if score[state] == -np.inf:
        return np.full(labels.shape[0], np.nan)
    for t in range(frames - 1, -1, -1):
        if state % 2:
            total[state // 2] += t
            count[state // 2] += 1
        state -= came[t, state]
    return total / count
