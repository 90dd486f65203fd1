"""Several processes that train one network: each hears its own batches, all take the mean of their gradients.

On a CPU this beats threads: on two cores a step of 77 s of sound took 0.36 s by two processes of one thread each,
0.58 s by one process of two. It knows processes and gradients, not what is learnt.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn


@dataclass(frozen=True, slots=True)
class Member:
    """One of `size` processes; number 0 also reports and saves."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that reports and saves."""
        return self.rank == 0

    def share(self, place: int) -> int:
        """Return which batch this process takes as number `place` of its own."""
        return place * self.size + self.rank

    def same_weights(self, parameters: Iterable[torch.Tensor]) -> None:
        """Give every process the weights of the leading one."""
        if self.size > 1:
            for parameter in parameters:
                dist.broadcast(parameter.detach(), src=0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes; where one has none, it counts as zero there."""
        if self.size == 1:
            return
        every = list(parameters)
        there = torch.tensor([p.grad is not None for p in every], dtype=torch.int32)
        dist.all_reduce(there)
        learnt = [p for p, count in zip(every, there.tolist(), strict=True) if count]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in learnt])
        dist.all_reduce(flat)
        flat /= self.size
        for parameter, mean in zip(learnt, torch.split(flat, [p.numel() for p in learnt]), strict=True):
            parameter.grad = mean.view_as(parameter)


ALONE = Member()


def usual_processes() -> int:
    """Return how many processes train best here: one a core, one where there is a GPU."""
    return 1 if torch.cuda.is_available() else len(os.sched_getaffinity(0))


@contextmanager
def company(size: int, meeting: Path, work: Callable[..., Any], *args: Any) -> Iterator[Member]:
    """Start `size` - 1 processes that call `work(member, *args)`, and yield the member that this process is.

    They find one another by the file `meeting` and end with this process. Every process computes on one thread.
    """
    if size == 1:
        yield Member()
        return
    meeting.unlink(missing_ok=True)
    context = mp.get_context("spawn")
    others = [
        context.Process(target=_join, args=(Member(rank, size), meeting, work, args), daemon=True)
        for rank in range(1, size)
    ]
    for process in others:
        process.start()
    threads = torch.get_num_threads()
    try:
        _meet(Member(0, size), meeting)
        yield Member(0, size)
    finally:
        for process in others:
            process.terminate()
        dist.destroy_process_group()
        torch.set_num_threads(threads)
        meeting.unlink(missing_ok=True)


def _join(member: Member, meeting: Path, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    _meet(member, meeting)
    work(member, *args)


def _meet(member: Member, meeting: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting.absolute()}", rank=member.rank, world_size=member.size
    )
