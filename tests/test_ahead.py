"""Work made ahead comes in order, whoever makes it, and what goes wrong in the making is not lost."""

from __future__ import annotations

import os

import pytest
import torch

from callanalysis.ahead import in_order

CPU, GPU = torch.device("cpu"), torch.device("cuda")  # nothing is put on either


@pytest.mark.parametrize("device", [CPU, GPU])
def test_work_comes_in_order(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
    assert list(in_order(lambda place: place * place, range(3, 40), device)) == [i * i for i in range(3, 40)]
    assert list(in_order(lambda place: place, range(5, 5), device)) == []


def test_beside_a_gpu_other_processes_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
    makers = set(in_order(lambda place: os.getpid(), range(8), GPU))
    assert len(makers) == 2
    assert os.getpid() not in makers


@pytest.mark.parametrize("device", [CPU, GPU])
def test_an_error_in_the_making_reaches_the_training(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))

    def make(place: int) -> int:
        if place == 3:
            raise ValueError("no such pair")
        return place

    with pytest.raises(ValueError, match="no such pair"):
        list(in_order(make, range(6), device))
