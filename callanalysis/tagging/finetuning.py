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
from callanalysis.tagging.model import MASKED, Batch, Logits, TaggerModel
from callanalysis.tagging.tokens import Codec
from callanalysis.tagging.wide import WideHead

TOKENS_PER_BATCH = 8192
SMOOTHING = 0.02  # of the targets of a label that holds, and half of it of one that does not
FOCUS = 1.0  # power by which easy negatives count less (asymmetric loss, arXiv:2009.14119)
POSITIVES = 8.0  # in the wide path: measured on validation, 1 loses 0.08 macro-F1
CPU = torch.device("cpu")
HIDDEN_TOKENS = 0.06  # share of tokens replaced by [MASK]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch with its answers: intent (batch, intents), risk (batch, risks), collector (batch,) 0 or 1."""

    batch: Batch
    intent: Tensor
    risk: Tensor
    collector: Tensor

    def to(self, device: torch.device) -> Lesson:
        """Return the lesson on that device."""
        return Lesson(
            self.batch.to(device), *(x.to(device) for x in (self.intent, self.risk, self.collector))
        )


def finetune(
    model: TaggerModel, codec: Codec, examples: Sequence[Example], options: LoopOptions, stage: Stage
) -> None:
    """Train `model` in place on the examples."""
    loop: Loop[Lesson] = Loop(model, options, stage)
    loop.resume()
    teacher = Teacher(model, codec, examples, options.seed)
    loop.run(teacher.lesson, lambda lesson: loss_of(model, model.deep(lesson.batch), lesson))


def train_wide(
    model: TaggerModel, codec: Codec, examples: Sequence[Example], options: LoopOptions, stage: Stage
) -> None:
    """Train the wide path of `model` in place on the examples; the transformer is not touched."""
    wide = model.wide
    if wide is None:
        return
    teacher = Teacher(model, codec, examples, options.seed)
    wide.idf.copy_(_inverse_frequencies(wide, codec, examples))
    loop: Loop[Lesson] = Loop(wide, options, stage)
    loop.resume()

    def loss(lesson: Lesson) -> Tensor:
        read = model.read_wide(lesson.batch)
        assert read is not None
        return _plain_loss(model.masked(read, lesson.batch), lesson)

    loop.run(teacher.lesson, loss)


def _inverse_frequencies(wide: WideHead, codec: Codec, examples: Sequence[Example]) -> Tensor:
    """Return log(lines / lines with the n-gram) + 1 of every bucket."""
    count = torch.zeros(wide.buckets, device=wide.idf.device)
    for start in range(0, len(examples), 256):
        part = examples[start : start + 256]
        batch = collate(
            codec.encode([x.input for x in part]), [x.role for x in part], codec.pad, wide.idf.device
        )
        keys, there = wide.keys(batch.ids, batch.mask, batch.segments)
        for row, flags in zip(keys, there > 0, strict=True):
            count[row[flags].unique()] += 1
    return torch.log((len(examples) + 1) / (count + 1)) + 1


class Teacher:
    """Makes the lesson of a step, on the CPU, from the seed and the number of the step alone."""

    def __init__(self, model: TaggerModel, codec: Codec, examples: Sequence[Example], seed: int) -> None:
        self.codec, self.seed, self.strength = codec, seed, Strength()
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
        batch = collate(encoded, [s.input.role for s in samples], self.codec.pad, CPU)
        intent = [[name in s.intent for name in self.intents] for s in samples]
        risk = [[name in s.risk for name in self.risks] for s in samples]
        speaker = [s.speaker == "collector" for s in samples]
        return Lesson(
            self._hide(batch, step),
            *(torch.tensor(x, dtype=torch.float32) for x in (intent, risk, speaker)),
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
        specials = torch.tensor(self.codec.tokenizer.all_special_ids)
        chosen = torch.rand(batch.ids.shape, generator=draw) < HIDDEN_TOKENS
        ids = batch.ids.masked_fill(chosen & ~torch.isin(batch.ids, specials), int(mask))
        return Batch(ids, batch.mask, batch.segments, batch.roles)


def loss_of(model: TaggerModel, said: Logits, lesson: Lesson) -> Tensor:
    """Return the loss of what was said: labels summed, examples averaged; the speaker counts where hidden."""
    logits = model.masked(said, lesson.batch)
    loss = _label_loss(logits.intent, lesson.intent) + _label_loss(logits.risk, lesson.risk)
    hidden = (lesson.batch.roles == 2).float()
    role = nn.functional.binary_cross_entropy_with_logits(
        logits.role.float(), lesson.collector * 0.96 + 0.02, reduction="none"
    )
    return loss + (role * hidden).sum() / hidden.sum().clamp(min=1) * 0.5


def _plain_loss(logits: Logits, lesson: Lesson) -> Tensor:
    """Return the cross-entropy in which a label that holds counts POSITIVES times: most labels are rare."""
    said = torch.cat([logits.intent, logits.risk, logits.role.unsqueeze(-1)], dim=1).float()
    truth = torch.cat([lesson.intent, lesson.risk, lesson.collector.unsqueeze(-1)], dim=1)
    weight = torch.full_like(said[0], POSITIVES)
    weight[-1] = 1.0
    each = nn.functional.binary_cross_entropy_with_logits(said, truth, reduction="none", pos_weight=weight)
    return (each * (said > MASKED + 1)).sum(-1).mean()


def _label_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the asymmetric, smoothed cross-entropy of a multi-label head."""
    logits = logits.float()
    target = truth * (1 - 1.5 * SMOOTHING) + SMOOTHING / 2
    free = (logits > MASKED + 1).float()  # labels that the speaker can carry
    each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    easy = torch.where(
        truth > 0, torch.ones_like(logits), torch.sigmoid(logits).detach().add(0.1).clamp(max=1)
    )
    weight = easy**FOCUS
    return (each * weight * free).sum(-1).mean()
