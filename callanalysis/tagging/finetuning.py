"""Fine-tuning of the utterance heads: intent, risk and speaker together, on varied examples.

It knows examples and the model; thresholds and calls come afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from callanalysis.labels import Role
from callanalysis.tagging.augment import Sample, Strength, vary
from callanalysis.tagging.batches import Order, collate
from callanalysis.tagging.corpus import Example
from callanalysis.tagging.loop import Loop, LoopOptions, Stage
from callanalysis.tagging.model import Batch, TaggerModel
from callanalysis.tagging.tokens import Codec

TOKENS_PER_BATCH = 4096
SMOOTHING = 0.02  # of the targets of a label that holds, and half of it of one that does not
FOCUS = 1.0  # power by which easy negatives count less (asymmetric loss, arXiv:2009.14119)
HIDDEN_TOKENS = 0.06  # share of tokens replaced by [MASK]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch with its answers: intent (batch, intents), risk (batch, risks), collector (batch,) 0 or 1."""

    batch: Batch
    intent: Tensor
    risk: Tensor
    collector: Tensor


def finetune(
    model: TaggerModel, codec: Codec, examples: Sequence[Example], options: LoopOptions, stage: Stage
) -> None:
    """Train `model` in place on the examples."""
    loop: Loop[Lesson] = Loop(model, options, stage.checkpoint)
    loop.resume()
    teacher = Teacher(model, codec, examples, options.seed)
    loop.run(teacher.lesson, lambda lesson: loss_of(model, lesson), stage.report)


class Teacher:
    """Makes the lesson of a step, from the seed and the number of the step alone."""

    def __init__(self, model: TaggerModel, codec: Codec, examples: Sequence[Example], seed: int) -> None:
        self.codec, self.seed, self.strength = codec, seed, Strength()
        self.device = next(model.parameters()).device
        self.intents, self.risks = model.config.intents, model.config.risks
        self.samples = [Sample(x.input, x.role, x.intent, x.risk) for x in examples]
        self.sides: dict[Role, list[int]] = {"collector": [], "debtor": []}
        for i, example in enumerate(examples):
            self.sides[example.role].append(i)
        lengths = [len(x.ids) for x in codec.encode([s.input for s in self.samples])]
        self.order = Order(lengths, TOKENS_PER_BATCH, seed)

    def lesson(self, step: int) -> Lesson:
        """Return the lesson of that step."""
        number, chosen = self.order.batch(step)
        samples = [self._varied(number, i) for i in chosen]
        encoded = self.codec.encode([s.input for s in samples])
        batch = collate(encoded, [s.input.role for s in samples], self.codec.pad, self.device)
        intent = [[name in s.intent for name in self.intents] for s in samples]
        risk = [[name in s.risk for name in self.risks] for s in samples]
        speaker = [s.speaker == "collector" for s in samples]
        return Lesson(
            self._hide(batch, step),
            *(torch.tensor(x, dtype=torch.float32, device=self.device) for x in (intent, risk, speaker)),
        )

    def _varied(self, number: int, index: int) -> Sample:
        rng = random.Random((self.seed * 31 + number) * 1_000_003 + index)
        sample = self.samples[index]
        other = self.samples[rng.choice(self.sides[sample.speaker])]
        return vary(sample, other, rng, self.strength)

    def _hide(self, batch: Batch, step: int) -> Batch:
        """Return the batch with a few tokens hidden."""
        mask = self.codec.tokenizer.mask_token_id
        if mask is None:
            return batch
        draw = torch.Generator().manual_seed(self.seed + step)
        specials = torch.tensor(self.codec.tokenizer.all_special_ids, device=self.device)
        chosen = torch.rand(batch.ids.shape, generator=draw).to(self.device) < HIDDEN_TOKENS
        ids = batch.ids.masked_fill(chosen & ~torch.isin(batch.ids, specials), int(mask))
        return Batch(ids, batch.mask, batch.segments, batch.roles)


def loss_of(model: TaggerModel, lesson: Lesson) -> Tensor:
    """Return the loss of a lesson: labels summed, examples averaged; the speaker counts where hidden."""
    logits = model(lesson.batch)
    loss = _label_loss(logits.intent, lesson.intent) + _label_loss(logits.risk, lesson.risk)
    hidden = (lesson.batch.roles == 2).float()
    role = nn.functional.binary_cross_entropy_with_logits(
        logits.role.float(), lesson.collector * 0.96 + 0.02, reduction="none"
    )
    return loss + (role * hidden).sum() / hidden.sum().clamp(min=1) * 0.5


def _label_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the asymmetric, smoothed cross-entropy of a multi-label head."""
    logits = logits.float()
    target = truth * (1 - 1.5 * SMOOTHING) + SMOOTHING / 2
    free = (logits > -29).float()  # labels that the speaker can carry
    each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    easy = torch.where(
        truth > 0, torch.ones_like(logits), torch.sigmoid(logits).detach().add(0.1).clamp(max=1)
    )
    weight = easy**FOCUS
    return (each * weight * free).sum(-1).mean()
