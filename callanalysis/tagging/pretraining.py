"""Masked-language pre-training of the encoder on plain dialogue, so that it has seen words before labels.

Text files have one line an utterance and a blank line between dialogues; `.xz` is unpacked on the way. It
knows no labels.
"""

from __future__ import annotations

import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from callanalysis.errors import InputError
from callanalysis.labels import Role
from callanalysis.tagging.batches import Order, collate
from callanalysis.tagging.inputs import TagInput, context_before
from callanalysis.tagging.loop import Loop, LoopOptions, Stage
from callanalysis.tagging.model import Batch, TaggerModel
from callanalysis.tagging.tokens import Codec

MASKED_SHARE = 0.15
TOKENS_PER_BATCH = 3072
LONGEST_LINE = 200  # characters; longer lines are cut


@dataclass(frozen=True, slots=True)
class Masked:
    """A batch with gaps: where they are (flat positions) and what stood there."""

    batch: Batch
    gaps: Tensor
    answers: Tensor


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


def sample_dialogues(paths: Sequence[Path], lines: int, seed: int) -> list[list[str]]:
    """Return dialogues drawn at random from the files, about `lines` lines of each."""
    chosen: list[list[str]] = []
    for path in paths:
        dialogues = list(read_dialogues(path))
        random.Random(seed).shuffle(dialogues)
        taken = 0
        for dialogue in dialogues:
            if taken >= lines:
                break
            chosen.append(dialogue)
            taken += len(dialogue)
    return chosen


def as_inputs(dialogues: Sequence[Sequence[str]], seed: int) -> list[TagInput]:
    """Return every line with the lines before it as context; two sides take turns, who begins is drawn."""
    rng = random.Random(seed)
    inputs: list[TagInput] = []
    sides: tuple[Role, Role] = ("collector", "debtor")
    for dialogue in dialogues:
        first = rng.randrange(2)
        blank = rng.random() < 0.15 or len(dialogue) == 1
        roles: list[Role] = ["unknown" if blank else sides[(first + i) % 2] for i in range(len(dialogue))]
        turns = list(zip(roles, dialogue, strict=True))
        for i, (role, text) in enumerate(turns):
            before = context_before(turns, i) if rng.random() < 0.5 else ()
            inputs.append(TagInput("", role, before, text))
    return inputs


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
    model: TaggerModel, codec: Codec, inputs: Sequence[TagInput], options: LoopOptions, stage: Stage
) -> None:
    """Train the encoder of `model` in place to fill gaps in the inputs."""
    tokenizer = codec.tokenizer
    specials = [i for i in tokenizer.all_special_ids if i != tokenizer.mask_token_id]
    task = MaskedLanguage(model, int(tokenizer.mask_token_id), specials)
    loop: Loop[Masked] = Loop(task, options, stage)
    loop.resume()
    encoded = codec.encode(inputs)
    order = Order([len(x.ids) for x in encoded], TOKENS_PER_BATCH, options.seed)

    def work_at(step: int) -> Masked:
        _, chosen = order.batch(step)
        batch = collate(
            [encoded[i] for i in chosen], [inputs[i].role for i in chosen], codec.pad, loop.device
        )
        return task.gap(batch, options.seed + step)

    loop.run(work_at, task.loss)
