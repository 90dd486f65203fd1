"""Training of the call head on authored calls, read through the tags that the trained encoder gives.

The encoder is not touched: the head sees probabilities, mixed with the true labels now and then, so that
the sureness of a model on its own training calls does not become a habit. It knows tags and judgements.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from callanalysis.tagging.augment import Strength, vary_text
from callanalysis.tagging.call_head import ABILITIES, LEVELS, REASONS, CallHead, CallLogits
from callanalysis.tagging.call_judging import pad_calls, turn_features
from callanalysis.tagging.corpus import CallExample
from callanalysis.tagging.decisions import fit_temperature
from callanalysis.tagging.inputs import TagInput, context_before
from callanalysis.tagging.loop import Loop, LoopOptions, Stage
from callanalysis.tagging.metrics import Floats
from callanalysis.tagging.scoring import Scorer

VIEWS = 1  # varied readings of each call
BATCH = 32


@dataclass(frozen=True, slots=True)
class CallLesson:
    """A batch of calls with answers: level 0-3 or -1 for unknown, index of ability and of reason."""

    tags: Tensor
    mask: Tensor
    levels: Tensor
    ability: Tensor
    reason: Tensor


def read_views(scorer: Scorer, calls: Sequence[CallExample], views: int, seed: int) -> list[list[Floats]]:
    """Return per call its turn features: as written, and `views` times varied."""
    strength = Strength()
    found: list[list[Floats]] = [[] for _ in calls]
    for view in range(views + 1):
        lines: list[TagInput] = []
        for call in calls:
            rng = random.Random(f"{seed}:{view}:{call.id}")
            said = [vary_text(t.text, rng, strength) if view else t.text for t in call.turns]
            turns = [(turn.role, text) for turn, text in zip(call.turns, said, strict=True)]
            lines += [
                TagInput("", role, context_before(turns, i), text) for i, (role, text) in enumerate(turns)
            ]
        features = turn_features(scorer.score(lines))
        ends = np.cumsum([len(call.turns) for call in calls])
        for mine, part in zip(found, np.split(features, ends[:-1]), strict=True):
            mine.append(part)
    return found


def true_features(scorer: Scorer, call: CallExample) -> Floats:
    """Return the turn features of a call if the tagger were always right and sure."""
    names = [*scorer.config.intents, *scorer.config.risks]
    return np.array([[name in (*t.intent, *t.risk) for name in names] for t in call.turns], dtype=float)


def train_call_head(scorer: Scorer, calls: Sequence[CallExample], options: LoopOptions, stage: Stage) -> None:
    """Train the call head of the scorer's model in place, on the CPU: it is too small for anything else."""
    head: CallHead = scorer.model.call.to("cpu")
    views = read_views(scorer, calls, VIEWS, options.seed)
    truths = [true_features(scorer, call) for call in calls]
    loop: Loop[CallLesson] = Loop(head, options, stage)
    loop.resume()

    def lesson(step: int) -> CallLesson:
        rng = random.Random(options.seed * 1_000_003 + step)
        chosen = rng.sample(range(len(calls)), min(BATCH, len(calls)))
        tags = [_mixed(rng.choice(views[i]), truths[i], rng) for i in chosen]
        return lesson_of([calls[i] for i in chosen], tags)

    loop.run(lesson, lambda x: call_loss(head(x.tags, x.mask), x))


def lesson_of(calls: Sequence[CallExample], tags: Sequence[Floats]) -> CallLesson:
    """Return the lesson of these calls read as these features."""
    levels = [LEVELS.index(c.willingness) if c.willingness in LEVELS else -1 for c in calls]
    return CallLesson(
        *pad_calls(tags),
        levels=torch.tensor(levels),
        ability=torch.tensor([ABILITIES.index(c.ability) for c in calls]),
        reason=torch.tensor([REASONS.index(c.overdue_reason) for c in calls]),
    )


def call_loss(logits: CallLogits, lesson: CallLesson) -> Tensor:
    """Return the loss: known or not, ordinal level where known, ability and reason."""
    binary, classes = nn.functional.binary_cross_entropy_with_logits, nn.functional.cross_entropy
    known = (lesson.levels >= 0).float()
    above = (lesson.levels.unsqueeze(-1) > torch.arange(len(LEVELS) - 1)).float()
    steps = binary(logits.steps.float(), above * 0.94 + 0.03, reduction="none").mean(-1)
    return (
        (steps * known).sum() / known.sum().clamp(min=1) * 2
        + binary(logits.known.float(), known * 0.94 + 0.03)
        + classes(logits.ability.float(), lesson.ability, label_smoothing=0.05) * 0.5
        + classes(logits.reason.float(), lesson.reason, label_smoothing=0.05) * 0.5
    )


def _mixed(tags: Floats, truth: Floats, rng: random.Random) -> Floats:
    """Return features between what the model said and what is true, with a few turns lost."""
    share = rng.choice((0.0, 0.0, 0.5, 1.0)) * 0.9
    mixed = (1 - share) * tags + share * truth
    kept = [i for i in range(len(mixed)) if rng.random() > 0.06] or [0]
    return np.asarray(mixed[kept])


def fit_calls(scorer: Scorer, calls: Sequence[CallExample]) -> None:
    """Fit the call head's temperatures on validation calls, into the model's config."""
    if not calls:
        return
    config = scorer.config
    features = [views[0] for views in read_views(scorer, calls, 0, 0)]
    lesson = lesson_of(calls, features)
    with torch.inference_mode():
        logits = scorer.model.call(lesson.tags, lesson.mask)
    known = lesson.levels >= 0
    above = (lesson.levels.unsqueeze(-1) > torch.arange(len(LEVELS) - 1))[known]
    fitted = {
        "ability": _class_temperature(logits.ability, lesson.ability),
        "reason": _class_temperature(logits.reason, lesson.reason),
    }
    if bool(known.any()):
        fitted["willingness"] = fit_temperature(
            logits.steps[known].double().numpy(), above.numpy(), np.ones(above.shape, dtype=bool)
        )
    config.temperatures = config.temperatures | fitted


def _class_temperature(logits: Tensor, truth: Tensor) -> float:
    """Return the temperature with the lowest cross-entropy of a one-of-many head."""
    grid = [float(t) for t in np.exp(np.linspace(np.log(0.5), np.log(3.0), 31))]
    return min(grid, key=lambda t: float(nn.functional.cross_entropy(logits / t, truth)))
