"""The training loop: steps, learning rate, averaged weights, progress with time left, checkpoints.

A run that was stopped goes on from its checkpoint to exactly the weights of a run that was not: batches and
random numbers follow from the seed and the number of the step alone. It knows neither text nor labels.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

from callanalysis.ahead import in_order
from callanalysis.company import ALONE, Member

FAST = 5.0
REPORT_EVERY = 20  # steps
Precision = Literal["bf16", "fp32"]
Work = TypeVar("Work")


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How to step. `average` is the decay of the averaged weights, 0 for none; `save_every` is in seconds."""

    name: str
    steps: int
    learning_rate: float
    warmup: float = 0.06  # share of the steps
    weight_decay: float = 0.05
    average: float = 0.0
    seed: int = 20261123
    precision: Precision = "bf16"  # measured on one AVX-512 core: 2.5 times fp32
    save_every: float = 60.0
    plain: bool = False  # gradient descent with momentum instead of AdamW
    fast: str = ""  # name of parameters that learn FAST times as quickly: each row is seen seldom


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: `loss` is averaged over the latest steps, `left` is seconds to go."""

    name: str
    step: int
    steps: int
    loss: float
    left: float

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.left), 60)
        return (
            f"{self.name}: step {self.step}/{self.steps}, loss {self.loss:.4f}, {minutes}:{seconds:02d} left"
        )


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a stage of training keeps its checkpoint, whom it tells of its progress, and who takes part."""

    checkpoint: Path | None = None
    report: Report | None = None
    member: Member = ALONE


class Loop(Generic[Work]):
    """Trains the weights of `model` in place; of several processes each takes a part of the steps."""

    def __init__(self, model: nn.Module, options: LoopOptions, stage: Stage = Stage()) -> None:
        self.model, self.options, self.stage = model, options, stage
        self.steps = -(-options.steps // stage.member.size)
        self.device = next(model.parameters()).device
        self.optimizer = _optimizer(model, options)
        self.averaged = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.done = 0

    def resume(self) -> bool:
        """Load the checkpoint if there is one of this stage; return whether there was."""
        checkpoint = self.stage.checkpoint
        if checkpoint is None or not checkpoint.exists():
            return False
        state = torch.load(checkpoint, map_location=self.device, weights_only=True)
        if state["stage"] != self.options.name or state["steps"] != self.steps:
            return False
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.averaged = state["averaged"]
        self.done = int(state["done"])
        return True

    def run(self, work_at: Callable[[int], Work], loss_of: Callable[[Work], Tensor]) -> None:
        """Step to the end; afterwards the model holds the averaged weights where averaging was asked for.

        `work_at` makes work of the CPU's tensors; for another device the work has a method `to`.
        """
        member, report = self.stage.member, self.stage.report
        member.same_weights(self.model.state_dict().values())
        self.model.train()
        started, saved, first = time.monotonic(), time.monotonic(), self.done
        mean = torch.zeros((), device=self.device)
        for work in self._works(work_at):
            loss = self._step(self.done, work, loss_of)
            mean = loss if self.done == first else 0.98 * mean + 0.02 * loss
            self.done += 1
            now = time.monotonic()
            if report is not None and (self.done % REPORT_EVERY == 0 or self.done == self.steps):
                left = (now - started) / (self.done - first) * (self.steps - self.done)
                report(Progress(self.options.name, self.done, self.steps, float(mean), left))
            if now - saved > self.options.save_every:
                self.save()
                saved = now
        self.save()
        if self.options.average:
            self.take_average()
        self.model.eval()

    def _works(self, work_at: Callable[[int], Work]) -> Iterator[Work]:
        """Yield the work of the steps to come; beside a GPU other processes make it."""
        places, member = range(self.done, self.steps), self.stage.member
        if self.device.type == "cpu":
            yield from (work_at(member.share(step)) for step in places)
        else:
            for work in in_order(lambda step: work_at(member.share(step)), places, self.device):
                yield work.to(self.device)  # type: ignore[attr-defined]

    def _step(self, step: int, work: Work, loss_of: Callable[[Work], Tensor]) -> Tensor:
        """Take one step and return its loss."""
        torch.manual_seed(self.options.seed * 1_000_003 + self.stage.member.share(step))
        rate = self.options.learning_rate * _schedule(step, self.steps, self.options.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        with self._autocast():
            loss = loss_of(work)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.stage.member.average_gradients(self.model.parameters())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        if self.options.average:
            decay = min(self.options.average, (1 + step) / (10 + step))
            named = dict(self.model.named_parameters())
            with torch.no_grad():
                torch._foreach_lerp_([self.averaged[name] for name in named], list(named.values()), 1 - decay)
        return loss.detach()

    def _autocast(self) -> AbstractContextManager[object]:
        """Return the context in which the forward pass runs."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bf16")

    def take_average(self) -> None:
        """Put the averaged weights into the model."""
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(self.averaged[name])

    def save(self) -> None:
        """Write the checkpoint, whole or not at all; only the leading process does."""
        checkpoint = self.stage.checkpoint
        if checkpoint is None or not self.stage.member.leads:
            return
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "stage": self.options.name,
            "steps": self.steps,
            "done": self.done,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averaged": self.averaged,
        }
        partial = checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, checkpoint)


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to a twentieth."""
    warm = max(1, round(steps * warmup))
    if step < warm:
        return (step + 1) / warm
    gone = (step - warm) / max(1, steps - warm)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * gone))


def _optimizer(model: nn.Module, options: LoopOptions) -> torch.optim.Optimizer:
    groups, rate = _groups(model, options), options.learning_rate
    if options.plain:
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def _groups(model: nn.Module, options: LoopOptions) -> list[dict[str, object]]:
    """Return the parameters in groups: fast ones, matrices, which decay, and the rest, which do not."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    fast = [p for name, p in named if options.fast and name.endswith(options.fast)]
    slow = [p for name, p in named if not options.fast or not name.endswith(options.fast)]
    groups = [
        {"params": fast, "weight_decay": 0.0, "scale": FAST},
        {"params": [p for p in slow if p.ndim >= 2], "weight_decay": options.weight_decay, "scale": 1.0},
        {"params": [p for p in slow if p.ndim < 2], "weight_decay": 0.0, "scale": 1.0},
    ]
    return [group for group in groups if group["params"]]
