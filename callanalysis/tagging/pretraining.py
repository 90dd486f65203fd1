"""Masked-language pre-training of the encoder on plain dialogue, so that it has seen words before labels.

Text files have one line an utterance and a blank line between dialogues; `.xz` is unpacked on the way. It
knows no labels.
"""

from __future__ import annotations

import lzma
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from callanalysis.errors import InputError
from callanalysis.labels import Role
from callanalysis.tagging.batches import Order, collate
from callanalysis.tagging.inputs import CONTEXT_TURNS
from callanalysis.tagging.loop import Loop, LoopOptions, Stage
from callanalysis.tagging.model import Batch, TaggerModel
from callanalysis.tagging.tokens import Codec, Encoded

MASKED_SHARE = 0.15
LONGEST_LINE = 200  # characters; longer lines are cut


@dataclass(frozen=True, slots=True)
class Masked:
    """A batch with gaps: where they are (flat positions) and what stood there."""

    batch: Batch
    gaps: Tensor
    answers: Tensor

    def to(self, device: torch.device) -> Masked:
        """Return it with its tensors on that device."""
        return Masked(self.batch.to(device), self.gaps.to(device), self.answers.to(device))


def read_dialogues(path: Path) -> Iterator[list[str]]:
    """Yield the dialogues of a text file."""
    if not path.is_file():
        raise InputError(str(path), "no such text file", "Give .txt or .txt.xz files, one utterance a line")
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        dialogue: list[str] = []
        for line in file:
            text = line.strip()[:LONGEST_LINE]
            if text:
                dialogue.append(text)
            elif dialogue:
                yield dialogue
                dialogue = []
        if dialogue:
            yield dialogue


def sample_dialogues(paths: Sequence[Path], lines: int | None, seed: int) -> list[list[str]]:
    """Return dialogues drawn at random from the files, about `lines` lines of each, None for all."""
    chosen: list[list[str]] = []
    for path in paths:
        dialogues = list(read_dialogues(path))
        random.Random(seed).shuffle(dialogues)
        taken = 0
        for dialogue in dialogues:
            if lines is not None and taken >= lines:
                break
            chosen.append(dialogue)
            taken += len(dialogue)
    return chosen


class Reading:
    """Dialogues as token ids: every line is an input with its role and, half of the times, the lines before it.

    Two sides take turns, who begins is drawn. The ids are kept once, in one array: 42 million characters as tuples
    would take several gigabytes, and as much again in every process that makes batches.
    """

    def __init__(self, dialogues: Sequence[Sequence[str]], codec: Codec, seed: int) -> None:
        self._codec = codec
        said = [line for dialogue in dialogues for line in dialogue]
        pieces = [np.array(ids, dtype=np.int32) for ids in codec.pieces(said)]
        self._ids = np.concatenate([*pieces, np.zeros(0, np.int32)])
        self._starts = np.cumsum([0, *(len(ids) for ids in pieces)])
        self.roles, self._context = _sides([len(dialogue) for dialogue in dialogues], random.Random(seed))

    @property
    def lengths(self) -> list[int]:
        """The number of tokens of every input."""
        limits, counts = self._codec.lengths, np.diff(self._starts)
        own = np.minimum(counts, limits.text) + 3
        ends = np.cumsum([0, *(counts + 1)])  # each turn of the context has its role before it
        index = np.arange(len(counts))
        before = ends[index] - ends[index - np.array(self._context)]
        before = np.minimum(before, np.clip(limits.total - own - 1, 0, limits.context))
        return [int(x) for x in own + before + (before > 0)]

    def input(self, index: int) -> Encoded:
        """Return one input laid out as the tagger reads it."""
        first = index - self._context[index]
        context = [(self.roles[i], self._turn(i)) for i in range(first, index)]
        return self._codec.lay_out(self.roles[index], self._turn(index), context)

    def _turn(self, index: int) -> list[int]:
        ids: list[int] = self._ids[self._starts[index] : self._starts[index + 1]].tolist()
        return ids


def _sides(lengths: Sequence[int], rng: random.Random) -> tuple[list[Role], list[int]]:
    """Return the role of every line, and how many lines before it are its context."""
    sides: tuple[Role, Role] = ("collector", "debtor")
    roles: list[Role] = []
    context: list[int] = []
    for length in lengths:
        first = rng.randrange(2)
        blank = rng.random() < 0.15 or length == 1
        roles += ["unknown" if blank else sides[(first + i) % 2] for i in range(length)]
        context += [min(i, CONTEXT_TURNS) if rng.random() < 0.5 else 0 for i in range(length)]
    return roles, context


class MaskedLanguage(nn.Module):
    """The encoder with a head that guesses what stood in the gaps; the head shares the word vectors."""

    def __init__(self, model: TaggerModel, tokenizer_mask: int, specials: Sequence[int]) -> None:
        super().__init__()
        self.model, self.mask_id = model, tokenizer_mask
        words = model.encoder.get_input_embeddings()
        self.dense = nn.Linear(words.embedding_dim, words.embedding_dim)
        self.norm = nn.LayerNorm(words.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(words.num_embeddings))
        self._specials = torch.tensor(sorted(specials))

    def loss(self, masked: Masked) -> Tensor:
        """Return the cross-entropy at the gaps."""
        states, _ = self.model.encode(masked.batch)
        found = self.norm(nn.functional.gelu(self.dense(states.flatten(0, 1)[masked.gaps])))
        words = self.model.encoder.get_input_embeddings().weight
        logits = nn.functional.linear(found, words, self.bias)
        return nn.functional.cross_entropy(logits.float(), masked.answers)

    def gap(self, batch: Batch, seed: int) -> Masked:
        """Return the batch with 15 % of its tokens hidden: 90 % of these as [MASK], 10 % as another token."""
        draw = torch.Generator().manual_seed(seed)
        ids = batch.ids.clone()
        free = (batch.mask > 0) & ~torch.isin(ids, self._specials.to(ids.device))
        chosen = free & (torch.rand(ids.shape, generator=draw).to(ids.device) < MASKED_SHARE)
        if not bool(chosen.any()):
            chosen = free if bool(free.any()) else batch.mask > 0
        answers = ids[chosen]
        other = torch.randint(0, len(self.bias), ids.shape, generator=draw).to(ids.device)
        swap = torch.rand(ids.shape, generator=draw).to(ids.device) < 0.1
        ids[chosen] = torch.where(swap, other, torch.full_like(ids, self.mask_id))[chosen]
        hidden = Batch(ids, batch.mask, batch.segments, batch.roles)
        return Masked(hidden, chosen.flatten().nonzero().squeeze(-1), answers)


def pretrain(
    model: TaggerModel,
    codec: Codec,
    dialogues: Callable[[], Sequence[Sequence[str]]],
    tokens: int,
    options: LoopOptions,
    stage: Stage,
) -> None:
    """Train the encoder of `model` in place to fill gaps in the dialogues; a step reads about `tokens` of them.

    They are asked for only if there is something left to do.
    """
    tokenizer = codec.tokenizer
    specials = [i for i in tokenizer.all_special_ids if i != tokenizer.mask_token_id]
    task = MaskedLanguage(model, int(tokenizer.mask_token_id), specials).to(next(model.parameters()).device)
    loop: Loop[Masked] = Loop(task, options, stage)
    if loop.resume() and loop.done == loop.steps:
        return
    reading = Reading(dialogues(), codec, options.seed)
    order = Order(reading.lengths, tokens, options.seed)

    def work_at(step: int) -> Masked:
        _, chosen = order.batch(step)
        roles = [reading.roles[i] for i in chosen]
        batch = collate([reading.input(i) for i in chosen], roles, codec.pad, torch.device("cpu"))
        return task.gap(batch, options.seed + step)

    loop.run(work_at, task.loss)
