"""The training run: schedule, steps, checkpoints that resume, progress with ETA.

It knows tensors and files of weights; what the examples hold is made elsewhere.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from whisper.model import ModelDimensions

from callanalysis.speech.training.batches import Batch, Batches, ahead
from callanalysis.speech.training.forced import force_align
from callanalysis.speech.training.model import FRAMES_PER_SECOND, TrainableWhisper, attention_penalty

log = logging.getLogger(__name__)

REPORT_EVERY = 50  # steps
GUIDE_WIDTH = 0.12  # seconds, one standard deviation
GUIDE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: first `short_steps` on short utterances, last `window_steps` with windows of 30 s mixed in.

    The learning rate warms up, stays, and falls linearly to 2 % over the last `decay` steps. A network that knows
    nothing needs a start: until `align_until` the CTC head learns phones of equal length instead of CTC, and
    until `guide_until` attention is drawn to where each token is spoken.
    """

    steps: int = 11_000
    short_steps: int = 2000
    window_steps: int = 4000
    decay: int = 4000
    warm_up: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    guide_until: int = 4000
    align_until: int = 300
    frozen: tuple[int, int] = (0, 0)  # from this step up to that one the decoder learns alone
    seed: int = 1
    until: int | None = None  # stop here and leave the rest of the plan to a later start
    save_every_seconds: float = 300.0

    @classmethod
    def of_length(cls, steps: int, seed: int, fresh: bool, learning_rate: float | None = None) -> Plan:
        """Return the plan of a run of `steps`, its phases in proportion; `fresh` means from nothing."""
        if not fresh:
            return cls(
                steps=steps,
                short_steps=0,
                window_steps=steps,
                decay=steps,
                guide_until=0,
                align_until=0,
                learning_rate=learning_rate or 1e-5,
                seed=seed,
            )
        share = steps / 11_000
        return cls(
            steps=steps,
            short_steps=int(2000 * share),
            window_steps=int(4000 * share),
            decay=int(4000 * share),
            guide_until=int(4000 * share),
            align_until=int(300 * share),
            learning_rate=learning_rate or 1e-3,
            seed=seed,
        )

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        falling = min(1.0, max(self.steps - step, 0) / max(self.decay, 1))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * max(falling, 0.02)

    def kind_at(self, step: int) -> tuple[str, int]:
        """Return which sequence of batches a step takes from, and its place there."""
        if step < self.short_steps:
            return "short", step
        start = self.steps - self.window_steps
        if step < start:
            return "single", step - self.short_steps
        half, odd = divmod(step - start, 2)
        return ("window", half) if odd else ("single", start - self.short_steps + half)

    def ctc_weight_at(self, step: int) -> float:
        """Return the weight of the CTC loss: none, then 1, then 0.6 once attention stands on its own."""
        return 0.0 if step < self.align_until else 1.0 if step < self.guide_until else 0.6


@dataclass(slots=True)
class Progress:
    """Where a run stands; saved with the weights."""

    step: int = 0
    seconds: float = 0.0  # spent in earlier starts
    heard: float = 0.0  # seconds of sound
    losses: dict[str, float] = field(default_factory=dict)


class Trainer:
    """One run. `folder` gets `state.pt` (to resume) and `log.jsonl`."""

    def __init__(self, model: TrainableWhisper, batches: Batches, plan: Plan, folder: Path) -> None:
        self.plan, self.folder, self._batches = plan, folder, batches
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self._device)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._parameters,
            plan.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=plan.weight_decay,
            fused=True,
        )
        self.progress = Progress()

    def resume(self) -> bool:
        """Load the saved state if there is one; return whether there was."""
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"], strict=False)
        try:
            self._optimizer.load_state_dict(state["optimizer"])
        except ValueError:
            log.warning("the saved state is of another version: its weights are taken, its momentum is not")
        self.progress = Progress(**state["progress"])
        return True

    def run(self, after_step: Callable[[int], None] | None = None) -> None:
        """Train to the plan's last step, saving on the way; an interrupt saves and leaves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        started = saved = time.monotonic()
        before = self.progress.seconds
        try:
            for batch in ahead(self._upcoming()):
                self._step(batch)
                self.progress.seconds = before + time.monotonic() - started
                if after_step is not None:
                    after_step(self.progress.step)
                if self.progress.step % REPORT_EVERY == 0:
                    self._report()
                if time.monotonic() - saved > self.plan.save_every_seconds:
                    self.save()
                    saved = time.monotonic()
        finally:
            self.save()

    def save(self) -> None:
        """Write `state.pt` whole or not at all."""
        state = {k: v for k, v in self.model.state_dict().items() if "token_embedding" not in k}
        partial = self.folder / "state.pt.partial"
        content = {
            "model": state,
            "optimizer": self._optimizer.state_dict(),
            "progress": asdict(self.progress),
        }
        torch.save(content, partial)
        partial.replace(self.folder / "state.pt")

    def _upcoming(self) -> Iterator[Batch]:
        for step in range(self.progress.step, min(self.plan.until or self.plan.steps, self.plan.steps)):
            kind, place = self.plan.kind_at(step)
            yield getattr(self._batches, kind)(place)

    def _step(self, batch: Batch) -> None:
        plan, step = self.plan, self.progress.step
        for group in self._optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        guided = step < plan.guide_until
        dtype = torch.bfloat16
        frozen = plan.frozen[0] <= step < plan.frozen[1]
        outputs = self.model(batch.mel.to(self._device, dtype), batch.inputs.to(self._device), guided, frozen)
        losses = self._losses(outputs.logits, outputs.ctc, batch)
        total = losses["text"]
        if not frozen:
            total = total + plan.ctc_weight_at(step) * losses["ctc"]
        if outputs.attention is not None:
            centres = token_centres(outputs.ctc, batch).to(self._device)
            losses["guide"] = attention_penalty(outputs.attention, centres, GUIDE_WIDTH)
            losses["here"] = self._tokens_here(outputs.audio, centres, batch)
            total = total + GUIDE_WEIGHT * losses["guide"] + losses["here"]
        if step < plan.align_until:
            aligned = batch.aligned.to(self._device).flatten()
            losses["align"] = F.cross_entropy(outputs.ctc.float().flatten(0, 1), aligned, ignore_index=-100)
            total = total + losses["align"]
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        if math.isfinite(float(norm)):
            self._optimizer.step()
        self.progress.step += 1
        self.progress.heard += batch.seconds
        self._remember({name: float(value.detach()) for name, value in losses.items()})

    def _losses(self, logits: torch.Tensor, ctc: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        targets = batch.targets.to(self._device)
        text = F.cross_entropy(
            logits.flatten(0, 1),
            targets.flatten(),
            ignore_index=-100,
            label_smoothing=self.plan.label_smoothing,
        )
        with torch.no_grad():
            learnt = targets != -100
            right = (logits.argmax(-1) == targets)[learnt].float().mean()
        log_probabilities = F.log_softmax(ctc.float(), dim=-1).transpose(0, 1)
        spelt = F.ctc_loss(
            log_probabilities,
            batch.phones.to(self._device),
            batch.frames,
            batch.phone_counts,
            zero_infinity=True,
        )
        return {"text": text, "ctc": spelt, "right": right}

    def _tokens_here(self, audio: torch.Tensor, centres: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What the encoder says of this token and the one before it, where each token is spoken."""
        targets = batch.targets.to(self._device)
        before = torch.roll(targets, 1, dims=1)
        placed = ~centres.isnan() & (targets != -100) & (before != -100)
        example, _ = placed.nonzero(as_tuple=True)
        frames = (centres[placed] * FRAMES_PER_SECOND).round().long().clamp_(0, audio.shape[1] - 1)
        this, last = self.model.tokens_here(audio[example, frames])
        return F.cross_entropy(this, targets[placed]) + F.cross_entropy(last, before[placed])

    def _remember(self, losses: dict[str, float]) -> None:
        kept = self.progress.losses
        for name, value in losses.items():
            if math.isfinite(value):
                kept[name] = value if name not in kept else 0.96 * kept[name] + 0.04 * value

    def _report(self) -> None:
        progress, plan = self.progress, self.plan
        pace = progress.seconds / max(progress.step, 1)
        left = pace * (plan.steps - progress.step)
        figures = {name: round(value, 4) for name, value in progress.losses.items()}
        line = {
            "step": progress.step,
            "hours": round(progress.heard / 3600, 2),
            **figures,
            "s_per_step": round(pace, 3),
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        log.info("step %d of %d, %s, %d min left", progress.step, plan.steps, figures, round(left / 60))


def token_centres(ctc: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return when each token is spoken (batch, tokens) in seconds, NaN where that is not known.

    The CTC head says when the phones are spoken, which it learns long before the decoder attends to them.
    """
    probabilities = F.log_softmax(ctc.detach().float(), dim=-1).cpu().numpy()
    places = batch.places.numpy()
    centres = np.full(places.shape, np.nan, dtype=np.float32)
    ends = np.cumsum(batch.phone_counts.numpy())
    for i, (end, count) in enumerate(zip(ends, batch.phone_counts.numpy(), strict=True)):
        if count:
            frames = force_align(probabilities[i], batch.phones.numpy()[end - count : end])
            known = ~np.isnan(places[i])
            centres[i, known] = np.interp(places[i, known], np.arange(count), frames) / FRAMES_PER_SECOND
    return torch.from_numpy(centres)


def save_checkpoint(model: TrainableWhisper, dims: ModelDimensions, path: Path, half: bool = True) -> None:
    """Write the weights as openai-whisper writes its own: `{"dims", "model_state_dict"}`, in float16 by default.

    `whisper.load_model(path)` brings them back to float32.
    """
    weights = model.full_weights()
    state = {k: v.half() if half and v.is_floating_point() else v for k, v in weights.items()}
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": asdict(dims), "model_state_dict": state}, partial)
    partial.replace(path)


def seed_everything(seed: int) -> None:
    """Set the seeds of torch and numpy."""
    torch.manual_seed(seed)
    np.random.seed(seed)
