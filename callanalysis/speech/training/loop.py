"""The training run: schedule, steps, checkpoints that resume, progress with ETA.

It knows tensors and files of weights; what the examples hold is made elsewhere.
"""

from __future__ import annotations

import io
import json
import logging
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from whisper.model import ModelDimensions

from callanalysis.ahead import in_order
from callanalysis.company import ALONE, Member
from callanalysis.speech.training.batches import Batch, Batches
from callanalysis.speech.training.model import FRAMES_PER_SECOND, TrainableWhisper, attention_penalty
from callanalysis.speech.training.sound import SoundBank

log = logging.getLogger(__name__)

REPORT_EVERY = 100  # steps
GUIDE_WIDTH = 0.1  # seconds, one standard deviation
GUIDE_WEIGHT, HERE_WEIGHT, PHONE_WEIGHT = 1.0, 0.5, 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: single utterances; over the last `window_steps` windows of 30 s, first in turn, then these only.

    The learning rate warms up, stays, and falls linearly to 2 % over the last `decay` steps. With `guided`, as a
    network that knows nothing needs it, attention is drawn to where each token is spoken and the encoder is taught
    to tell there.
    """

    steps: int
    window_steps: int
    decay: int
    warm_up: int = 500
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    guided: bool = True
    seed: int = 1
    until: int | None = None  # stop here and leave the rest of the plan to a later start
    save_every_seconds: float = 300.0

    @classmethod
    def of_length(cls, steps: int, seed: int, fresh: bool, learning_rate: float | None = None) -> Plan:
        """Return the plan of a run of `steps`; `fresh` means from nothing."""
        if not fresh:
            rate = learning_rate or 1e-5
            return cls(steps, window_steps=steps, decay=steps, learning_rate=rate, guided=False, seed=seed)
        rate = learning_rate or 1e-3
        return cls(steps, int(0.8 * steps), int(0.6 * steps), learning_rate=rate, seed=seed)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        falling = min(1.0, max(self.steps - step, 0) / max(self.decay, 1))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * max(falling, 0.02)

    def kind_at(self, step: int) -> tuple[str, int]:
        """Return which sequence of batches a step takes from, and its place there."""
        start = self.steps - self.window_steps
        if step < start:
            return "single", step
        only = self.steps - self.window_steps // 2
        half, odd = divmod(min(step, only) - start, 2)
        if step >= only:
            return "window", half + odd + step - only
        return ("window", half) if odd else ("single", start + half)


@dataclass(slots=True)
class Progress:
    """Where a run stands; saved with the weights."""

    step: int = 0
    seconds: float = 0.0  # spent in earlier starts
    heard: float = 0.0  # seconds of sound
    losses: dict[str, float] = field(default_factory=dict)  # running means


class Trainer:
    """One run, or one member's part in it. `folder` gets `state.pt` (to resume) and `log.jsonl`."""

    def __init__(
        self,
        model: TrainableWhisper,
        batches: Batches,
        sound: SoundBank,
        plan: Plan,
        folder: Path,
        member: Member | None = None,
    ) -> None:
        self.plan, self.folder, self._batches, self._sound = plan, folder, batches, sound
        self._member = member or ALONE
        self._device = sound.device
        self.model = model.to(self._device)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimizers = open_optimizers(self.model, plan)
        self.progress = Progress()
        self._losses_now: dict[str, torch.Tensor] = {}

    def resume(self) -> bool:
        """Load the saved state if there is one; return whether there was."""
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"], strict=False)
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(**state["progress"])
        self._losses_now = {k: torch.tensor(v) for k, v in self.progress.losses.items()}
        return True

    def run(self, after_step: Callable[[int], None] | None = None) -> None:
        """Train to the plan's last step, saving on the way; an interrupt saves and leaves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        started = saved = time.monotonic()
        before = self.progress.seconds
        self._member.same_weights(self._parameters)
        try:
            last = min(self.plan.until or self.plan.steps, self.plan.steps)
            for batch in in_order(self._batch, range(self.progress.step, last), self._device):
                self._step(batch.to(self._device))
                self.progress.seconds = before + time.monotonic() - started
                if after_step is not None:
                    after_step(self.progress.step)
                if self.progress.step % REPORT_EVERY == 0 and self._member.leads:
                    self._report()
                if time.monotonic() - saved > self.plan.save_every_seconds:
                    self.save()
                    saved = time.monotonic()
        finally:
            self.save()

    def save(self) -> None:
        """Write `state.pt` whole or not at all; only the leading member does."""
        if not self._member.leads:
            return
        self.progress.losses = {k: float(v) for k, v in self._losses_now.items()}
        state = {k: v for k, v in self.model.state_dict().items() if "token_embedding" not in k}
        partial = self.folder / "state.pt.partial"
        content = {
            "model": state,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": asdict(self.progress),
        }
        torch.save(content, partial)
        partial.replace(self.folder / "state.pt")

    def _batch(self, step: int) -> Batch:
        kind, place = self.plan.kind_at(step)
        batch: Batch = getattr(self._batches, kind)(self._member.share(place))
        return batch

    def _step(self, batch: Batch) -> None:
        plan, step = self.plan, self.progress.step
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = plan.rate_at(step)
        mel = self._sound.mel(batch.mixes, batch.mel_frames, batch.seed).bfloat16()
        outputs = self.model(mel, batch.first_frames, batch.inputs, batch.learnt, plan.guided)
        losses = self._losses(outputs.logits, outputs.ctc, batch)
        total = losses["text"] + PHONE_WEIGHT * losses["phones"]
        if outputs.attention is not None and len(batch.heard):
            losses["guide"] = attention_penalty(outputs.attention, batch.places, GUIDE_WIDTH)
            losses["here"] = self._tokens_here(outputs.audio, batch)
            total = total + GUIDE_WEIGHT * losses["guide"] + HERE_WEIGHT * losses["here"]
        torch.autograd.backward(total)
        self._member.average_gradients(self._parameters)
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for parameter in self._parameters:  # asking whether they are finite would make a GPU wait
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
        for optimizer in self._optimizers:
            optimizer.step()
        self.progress.step += 1
        self.progress.heard += batch.seconds * self._member.size
        self._remember({name: value.detach() for name, value in losses.items()})

    def _losses(self, logits: torch.Tensor, ctc: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
        targets = batch.targets.flatten()[batch.learnt]
        text = F.cross_entropy(logits, targets, ignore_index=-100, label_smoothing=self.plan.label_smoothing)
        right = (logits.detach().argmax(-1) == targets).sum() / (targets != -100).sum().clamp_min(1)
        return {"text": text, "right": right, "phones": self._phones(ctc.float(), batch)}

    def _phones(self, spelt: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The loss of each frame's phone where their times are known, else CTC."""
        if batch.aligned is not None:
            return F.cross_entropy(spelt.flatten(0, 1), batch.aligned.flatten())
        log_probabilities = F.log_softmax(spelt, dim=-1).transpose(0, 1)
        counts, frames = batch.phone_counts.cpu(), batch.frames.cpu()
        return F.ctc_loss(log_probabilities, batch.phones, frames, counts, zero_infinity=True)

    def _tokens_here(self, audio: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What the encoder says of this token and the one before it, where each token is spoken."""
        width, flat = batch.targets.shape[1], batch.heard
        targets, before = batch.targets.flatten()[flat], torch.roll(batch.targets, 1, dims=1).flatten()[flat]
        centres = batch.places.flatten()[flat]
        there = ~centres.isnan() & (targets != -100) & (before != -100)
        near = centres.nan_to_num() * FRAMES_PER_SECOND
        frames = (near + torch.rand_like(near) * 3 - 1.5).round().long().clamp_(0, audio.shape[1] - 1)
        this, last = self.model.tokens_here(audio[flat // width, frames])
        return F.cross_entropy(this, targets.where(there, -100), ignore_index=-100) + F.cross_entropy(
            last, before.where(there, -100), ignore_index=-100
        )

    def _remember(self, losses: dict[str, torch.Tensor]) -> None:
        """Running means, kept where they are computed: reading one would make a GPU wait."""
        kept = self._losses_now
        for name, value in losses.items():
            mean = kept.get(name, value).to(value.device)
            mean = torch.where(mean.isfinite(), mean, value)
            kept[name] = torch.where(value.isfinite(), mean + 0.04 * (value - mean), mean)

    def _report(self) -> None:
        progress, plan = self.progress, self.plan
        pace = progress.seconds / max(progress.step, 1)
        left = pace * (plan.steps - progress.step)
        figures = {name: round(float(value), 4) for name, value in self._losses_now.items()}
        line = {
            "step": progress.step,
            "hours": round(progress.heard / 3600, 2),
            **figures,
            "s_per_step": round(pace, 3),
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        log.info("step %d of %d, %s, %d min left", progress.step, plan.steps, figures, round(left / 60))


def open_optimizers(model: TrainableWhisper, plan: Plan) -> list[torch.optim.Optimizer]:
    """Return AdamW, and for a network that knows nothing Muon for the encoder's matrices, which learn slowest.

    Muon (Jordan 2024; with AdamW's step size, Liu 2025) came with torch 2.9; before that AdamW has all.
    """
    blocks = {id(p) for p in model.whisper.encoder.blocks.parameters() if p.dim() == 2}
    learnt = [p for p in model.parameters() if p.requires_grad]
    fresh = plan.guided and hasattr(torch.optim, "Muon")
    hidden = [p for p in learnt if id(p) in blocks] if fresh else []
    rest = [p for p in learnt if id(p) not in {id(h) for h in hidden}]
    rate, decay = plan.learning_rate, plan.weight_decay
    adam = torch.optim.AdamW(rest, rate, betas=(0.9, 0.98), weight_decay=decay, fused=True)
    if not hidden:
        return [adam]
    return [adam, torch.optim.Muon(hidden, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")]


def save_checkpoint(model: TrainableWhisper, dims: ModelDimensions, path: Path, half: bool = True) -> None:
    """Write the weights as openai-whisper writes its own: `{"dims", "model_state_dict"}`, in float16 by default.

    `whisper.load_model(path)` brings them back to float32. The file is a zip archive, which torch writes without
    compression and reads with: the rows of tokens that never occur are all alike and then take no room.
    """
    weights = model.full_weights()
    state = {k: v.half() if half and v.is_floating_point() else v for k, v in weights.items()}
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = io.BytesIO()
    torch.save({"dims": asdict(dims), "model_state_dict": state}, plain)
    with zipfile.ZipFile(plain) as stored, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in stored.infolist():
            packed.writestr(member.filename, stored.read(member))
    partial.replace(path)


def seed_everything(seed: int) -> None:
    """Set the seeds of torch and numpy."""
    torch.manual_seed(seed)
    np.random.seed(seed)
