"""Work for a training step that is made while the step before it runs: by a thread, or by processes beside a GPU.

It knows an order of places and what makes the work of one, not what is learnt.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

MOST_MAKERS = 8  # processes
_PREFETCHED = 3  # pieces of work that wait for each process

Work = TypeVar("Work")


def in_order(make: Callable[[int], Work], places: range, device: torch.device) -> Iterator[Work]:
    """Yield `make(place)` for every place, in this order.

    Beside a CPU that computes, a thread makes the next one: more would take its time. Beside a GPU processes make
    them, so `make` returns tensors of the CPU.
    """
    makers = min(MOST_MAKERS, len(os.sched_getaffinity(0)) - 2)
    if device.type == "cpu" or makers < 1:
        yield from _by_thread(make, places)
        return
    loader = DataLoader(
        _Places(make),
        batch_size=None,
        sampler=places,
        num_workers=makers,
        prefetch_factor=_PREFETCHED,
        multiprocessing_context="fork",
        worker_init_fn=_alone,
    )
    yield from loader


class _Places(Dataset[Work]):
    def __init__(self, make: Callable[[int], Work]) -> None:
        self._make = make

    def __getitem__(self, place: int) -> Work:
        return self._make(place)


def _alone(_: int) -> None:
    """A tokenizer that was told to be parallel stands still for ever in a process that was forked after its use."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _by_thread(make: Callable[[int], Work], places: range) -> Iterator[Work]:
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        pending = pool.submit(make, places[0]) if places else None
        for place in places:
            assert pending is not None
            work = pending.result()
            pending = pool.submit(make, place + places.step) if place != places[-1] else None
            yield work
