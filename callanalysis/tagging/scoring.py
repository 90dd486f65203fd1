"""Scores of every label for lines of text: batches of like length, windows over long texts.

It opens a model folder and knows nothing of thresholds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from callanalysis.errors import CheckpointError
from callanalysis.labels import Role
from callanalysis.tagging.batches import by_length, collate
from callanalysis.tagging.decisions import probabilities
from callanalysis.tagging.inputs import TagInput
from callanalysis.tagging.metrics import Floats
from callanalysis.tagging.model import TaggerConfig, TaggerModel
from callanalysis.tagging.serving import Reader, serving_form
from callanalysis.tagging.tokens import Codec, Encoded, Lengths

TOKENS_PER_BATCH = 4096
OVERLAP = 16  # tokens that two windows of a long text share
MOST_WINDOWS = 64
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw logits of lines: intent (lines, intents), risk (lines, risks), collector (lines,)."""

    intent: Floats
    risk: Floats
    collector: Floats

    def at(self, temperatures: dict[str, float]) -> Scores:
        """Return them as probabilities."""
        return Scores(
            intent=probabilities(self.intent, temperatures.get("intent", 1.0)),
            risk=probabilities(self.risk, temperatures.get("risk", 1.0)),
            collector=probabilities(self.collector, temperatures.get("role", 1.0)),
        )


class Scorer:
    """A model with its tokenizer, ready to score lines; `read` does so in another form than the model's own."""

    def __init__(self, model: TaggerModel, codec: Codec, read: Reader | None = None) -> None:
        self.model, self.codec = model, codec
        self._read = read or model
        self.config: TaggerConfig = model.config
        self.device = next(model.parameters()).device

    def score(self, lines: Sequence[TagInput]) -> Scores:
        """Return the probabilities of the lines."""
        return self.logits(lines).at(self.config.temperatures)

    def logits(self, lines: Sequence[TagInput]) -> Scores:
        """Return the logits of the lines; of a text in several windows each label's highest."""
        intents, labels = len(self.config.intents), len(self.config.intents) + len(self.config.risks)
        firsts, encoded, roles = self._windows(lines)
        read = np.empty((len(encoded), labels + 1))
        self.model.eval()
        with torch.inference_mode():
            for chosen in by_length([len(x.ids) for x in encoded], TOKENS_PER_BATCH):
                batch = collate(
                    [encoded[i] for i in chosen], [roles[i] for i in chosen], self.codec.pad, self.device
                )
                out = self._read(batch)
                both = torch.cat([out.intent, out.risk, out.role.unsqueeze(-1)], dim=1)
                read[chosen] = both.float().cpu().numpy()
        best = np.maximum.reduceat(read, firsts) if lines else read
        return Scores(best[:, :intents], best[:, intents:labels], best[:, labels])

    def _windows(self, lines: Sequence[TagInput]) -> tuple[list[int], list[Encoded], list[Role]]:
        """Return the first window of each line, and of all windows their ids and who speaks."""
        size = self.codec.lengths.text
        firsts: list[int] = []
        encoded: list[Encoded] = []
        roles: list[Role] = []
        for line, (text, context) in zip(lines, self.codec.spell(lines), strict=True):
            firsts.append(len(encoded))
            starts = range(0, max(len(text) - OVERLAP, 1), size - OVERLAP) if len(text) > size else (0,)
            for start in list(starts)[:MOST_WINDOWS]:
                encoded.append(self.codec.lay_out(line.role, text[start : start + size], context))
                roles.append(line.role)
        return firsts, encoded, roles


def load(folder: Path) -> Scorer:
    """Return the model in a folder, in its serving form; raise CheckpointError where it is missing or damaged."""
    missing = [n for n in ("config.json", WEIGHTS, "tokenizer.json") if not (folder / n).is_file()]
    if missing:
        fault = f"holds no tagger ({', '.join(missing)} missing)" if folder.is_dir() else "no such folder"
        remedy = "Train one (callanalysis train --out FOLDER), or name its folder with CALLANALYSIS_TAGGER"
        raise CheckpointError(str(folder), fault, remedy)
    transformers_logging.disable_progress_bar()
    try:
        model = TaggerModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        tokenizer = load_tokenizer(folder)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        remedy = "Copy the folder anew, or train again"
        raise CheckpointError(str(folder), f"cannot be read as a tagger ({error})", remedy) from error
    model.eval()
    return Scorer(model, Codec(tokenizer, lengths_of(model.config)), serving_form(model))


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer saved in a folder: our own fast one, or the one of another encoder."""
    try:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def lengths_of(config: TaggerConfig) -> Lengths:
    """Return the token limits that a model was trained with."""
    return Lengths(config.total_length, config.context_length)


def weights_hash(folder: Path) -> str:
    """Return the first eight digits of the SHA-256 of the weights."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:8]
