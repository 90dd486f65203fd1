"""How fast lines are tagged, beside a plain `transformers` text-classification pipeline with the same weights.

Both get the same texts with role and context laid out alike, in the same order, and take turns on the machine; what
is reported is the median. It knows no files.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import PreTrainedModel, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging as transformers_logging

from callanalysis.labels import ROLES
from callanalysis.tagging.decisions import probabilities
from callanalysis.tagging.inputs import TagInput
from callanalysis.tagging.model import Batch, TaggerConfig, TaggerModel
from callanalysis.tagging.predict import Tagger
from callanalysis.tagging.scoring import Scorer

PLAIN_BATCHES = (8, 32)  # batch sizes that the plain pipeline may choose from; one by one is slower still


@dataclass(frozen=True, slots=True)
class TaggerSpeed:
    """Utterances a second of both; `plain_batch` is the batch size at which the plain pipeline was fastest.

    `tokens` is the mean of an input with its context, `apart` the largest difference of a probability between the
    two (a context cut inside a word reads otherwise as text), `rounds` how often each was timed.
    """

    lines: int
    tokens: float
    threads: int
    rounds: int
    tagger: float
    plain: float
    plain_batch: int
    apart: float

    @property
    def ratio(self) -> float:
        """Return how many times faster the tagger is."""
        return self.tagger / self.plain


def measure(tagger: Tagger, lines: Sequence[TagInput], rounds: int) -> TaggerSpeed:
    """Return the speeds on these lines; the plain pipeline has the best of PLAIN_BATCHES.

    The tagger's time covers all of its work: tokens, encoder, heads, wide path, thresholds, tags.
    """
    plain = PlainPipeline(tagger.scorer)
    inputs = plain.inputs(lines)
    runs: dict[int, Callable[[], object]] = {0: lambda: tagger.tag_utterances(lines)}
    runs |= {size: partial(plain.run, inputs, size) for size in PLAIN_BATCHES}
    seconds = _interleaved(runs, rounds)
    batch = min(PLAIN_BATCHES, key=seconds.__getitem__)
    return TaggerSpeed(
        lines=len(lines),
        tokens=float(np.mean([len(x.ids) for x in tagger.scorer.codec.encode(lines)])),
        threads=torch.get_num_threads(),
        rounds=rounds,
        tagger=len(lines) / seconds[0],
        plain=len(lines) / seconds[batch],
        plain_batch=batch,
        apart=_apart(tagger.scorer, plain, lines),
    )


class PlainPipeline:
    """The same weights in `transformers.pipeline("text-classification")`, in float32."""

    def __init__(self, scorer: Scorer) -> None:
        self._lengths = scorer.codec.lengths
        self._tokenizer = _pair_tokenizer(scorer.codec.tokenizer)
        transformers_logging.set_verbosity(
            logging.CRITICAL
        )  # it lists every class it knows, but not this one
        self._pipeline: Any = pipeline(
            "text-classification",
            model=_PlainClassifier(scorer.model, self._tokenizer),
            tokenizer=self._tokenizer,
            device="cpu",
            top_k=None,
            function_to_apply="sigmoid",
        )

    def inputs(self, lines: Sequence[TagInput]) -> list[dict[str, str]]:
        """Return the lines as pairs of texts: the utterance with its role, and what is read of the context."""
        return [self._input(line) for line in lines]

    def run(self, inputs: Sequence[dict[str, str]], batch_size: int) -> list[dict[str, float]]:
        """Return the probability of every label, line by line, at temperature 1."""
        options = {"batch_size": batch_size, "truncation": True, "max_length": self._lengths.total}
        found = self._pipeline(list(inputs), **options)
        return [{label["label"]: label["score"] for label in labels} for labels in found]

    def _input(self, line: TagInput) -> dict[str, str]:
        text, before = f"[{line.role}]{line.text}", "".join(line.context)
        spelled = self._tokenizer(before, add_special_tokens=False, return_offsets_mapping=True)
        offsets, room = spelled["offset_mapping"], self._lengths.context
        if len(offsets) > room:
            before = before[offsets[-room][0] :]
        return {"text": text, "text_pair": before} if before else {"text": text}


class _PlainClassifier(PreTrainedModel):  # type: ignore[misc]
    """A tagger with the interface of a sequence classifier."""

    config_class = TaggerConfig

    def __init__(self, model: TaggerModel, tokenizer: Any) -> None:
        names = [*model.config.intents, *model.config.risks]
        super().__init__(TaggerConfig(encoder=model.config.encoder, id2label=dict(enumerate(names))))
        self.tagger = model
        self._roles = torch.tensor([tokenizer.convert_tokens_to_ids(f"[{role}]") for role in ROLES])
        self.eval()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> SequenceClassifierOutput:
        """Return the logits (batch, intents + risks); the token after the first says who speaks."""
        roles = (input_ids[:, 1:2] == self._roles).int().argmax(1)
        out = self.tagger(Batch(input_ids, attention_mask, token_type_ids, roles))
        return SequenceClassifierOutput(logits=torch.cat([out.intent, out.risk], dim=1))


def _pair_tokenizer(tokenizer: Any) -> Any:
    """Return a copy of a fast tokenizer that lays out a pair of texts as tokens.Codec does."""
    start, end = tokenizer.cls_token or tokenizer.bos_token, tokenizer.sep_token or tokenizer.eos_token
    pair = copy.deepcopy(tokenizer)
    pair.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in (start, end)],
    )
    pair.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return pair


def _interleaved(runs: Mapping[int, Callable[[], object]], rounds: int) -> dict[int, float]:
    """Return the median seconds of each run, after one that does not count; they take turns."""
    seconds: dict[int, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(taken) for name, taken in seconds.items()}


def _apart(scorer: Scorer, plain: PlainPipeline, lines: Sequence[TagInput]) -> float:
    """Return the largest difference of a probability between the two, at temperature 1."""
    logits = scorer.logits(lines)
    ours = probabilities(np.concatenate([logits.intent, logits.risk], axis=1), 1.0)
    names = [*scorer.config.intents, *scorer.config.risks]
    theirs = [[said[name] for name in names] for said in plain.run(plain.inputs(lines), PLAIN_BATCHES[-1])]
    return float(np.abs(ours - np.array(theirs)).max())
