"""Training from the corpus to a model folder: words, labels, phrases, honest scores, calls.

Stages run in that order and each goes on where it was stopped. Started with the same corpus, options and text
it ends with the same weights. It knows files and the order of the stages; each stage lives in its own module.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.utils import logging as transformers_logging

from callanalysis.company import ALONE, Member, company
from callanalysis.errors import InputError
from callanalysis.labels import intents_of
from callanalysis.tagging.augment import without_roles
from callanalysis.tagging.call_training import fit_calls, train_call_head
from callanalysis.tagging.corpus import Example, read_calls, read_utterances
from callanalysis.tagging.decisions import fit_mixture, fit_thresholds
from callanalysis.tagging.encoders import Shape, open_encoder
from callanalysis.tagging.finetuning import Teacher, finetune, train_wide
from callanalysis.tagging.inputs import TagInput
from callanalysis.tagging.loop import LoopOptions, Precision, Report, Stage
from callanalysis.tagging.metrics import Flags
from callanalysis.tagging.model import TaggerModel
from callanalysis.tagging.pretraining import pretrain, sample_dialogues
from callanalysis.tagging.scoring import Scorer, Scores, lengths_of, load_tokenizer
from callanalysis.tagging.serving import serving_form
from callanalysis.tagging.tokens import Codec, train_tokenizer

SMALL = Shape()
TOKENIZER_LINES = 240_000  # of the text files, from which it is trained
WORK = "training"  # folder inside the model folder, gone when the training is done


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What a training run is made of.

    `encoder` is a folder or a hub name, None for our own small one, which first learns words from the
    `text` files. `passes` count over the training part of the corpus.
    """

    corpus: Path
    out: Path
    encoder: str | None = None
    text: tuple[Path, ...] = ()
    text_lines: int | None = None  # of each file; None for all
    text_steps: int = 6000
    text_tokens: int = 65_536  # a step
    passes: float = 6.0
    wide_passes: float = 6.0
    learning_rate: float | None = None  # 6e-4 for our own encoder, 4e-5 for another
    seed: int = 20261123
    precision: Precision = "bf16"
    resume: bool = False
    call_steps: int = 1500
    save_every: float = 60.0  # seconds between checkpoints
    shape: Shape = SMALL
    processes: int = 1  # that share the work, each on one thread


Tell = Callable[[str], None]


def train(options: TrainingOptions, report: Report, tell: Tell) -> Path:
    """Train a tagger and return its folder; `report` hears of progress, `tell` of stages.

    Raises:
        InputError: the corpus or a text file cannot be used, or another run's leftovers are in the way.
        CheckpointError: the encoder cannot be opened.
    """
    transformers_logging.disable_progress_bar()
    claim(options)
    run = _Run(options, report, tell)
    run.prepare()
    meeting = options.out / WORK / "meeting"
    with company(options.processes, meeting, _take_part, replace(options, resume=True)) as run.member:
        run.learn()
    run.member = ALONE
    run.fit_scores()
    run.learn_calls()
    return run.finish()


def _take_part(member: Member, options: TrainingOptions) -> None:
    """The stages that several processes share, as one of those that do not lead."""
    run = _Run(options, lambda progress: None, lambda line: None)
    run.prepare()
    run.member = member
    run.learn()


class _Run:
    """One training run: the model as it grows, where it keeps its checkpoints, and who takes part."""

    member: Member = ALONE

    def __init__(self, options: TrainingOptions, report: Report, tell: Tell) -> None:
        self.options, self.report, self.tell = options, report, tell
        self.work = options.out / WORK
        self.train = read_utterances(options.corpus, "train")
        self.valid = read_utterances(options.corpus, "valid")
        if not self.train or not self.valid:
            raise InputError(str(options.corpus), "no training or no validation family", "Add more scenes")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def prepare(self) -> None:
        """Make or reopen the model and its tokenizer."""
        torch.manual_seed(self.options.seed)
        if self.options.encoder is None:
            saved = self.work / "tokenizer"
            if not saved.is_dir():
                self._own_tokenizer().save_pretrained(saved)
            self.tokenizer: Any = load_tokenizer(saved)
            self.model = TaggerModel(self.options.shape.config(len(self.tokenizer)))
        else:
            self.model, self.tokenizer = open_encoder(self.options.encoder, self.options.shape.wide_buckets)
        self.model.to(self.device)
        self.codec = Codec(self.tokenizer, lengths_of(self.model.config))

    @cached_property
    def dialogues(self) -> list[list[str]]:
        """The dialogues of the text files."""
        return sample_dialogues(self.options.text, self.options.text_lines, self.options.seed)

    def _own_tokenizer(self) -> Any:
        """Return a tokenizer of the text files and the training families, a fifth of it from these."""
        words = [line for dialogue in self.dialogues for line in dialogue]
        words = random.Random(self.options.seed).sample(words, min(len(words), TOKENIZER_LINES))
        own = [x.text for x in self.train]
        times = max(1, len(words) // (4 * max(1, len(own))))
        return train_tokenizer([*words, *own * times], self.options.shape.vocabulary)

    def learn(self) -> None:
        """Go through the stages that are shared: words, labels, phrases."""
        if self.options.text and self.options.encoder is None:
            self.read_words()
        self.learn_labels()
        self.learn_phrases()

    def read_words(self) -> None:
        """Pre-train the encoder on the text files and the training families."""
        options = self._stage("words", self.options.text_steps, 1e-3)
        tokens = self.options.text_tokens
        self.tell(f"words: {options.steps:,} steps of {tokens:,} tokens")
        pretrain(self.model, self.codec, self._to_read, tokens, options, self._files("words"))

    def _to_read(self) -> list[list[str]]:
        own: dict[str, list[str]] = {}
        for x in self.train:
            own.setdefault(x.family, []).append(x.text)
        dialogues = [*self.dialogues, *own.values()]
        self.tell(f"words: {sum(map(len, dialogues)):,} lines of {len(dialogues):,} dialogues")
        return dialogues

    def learn_labels(self) -> None:
        """Fine-tune the transformer and its utterance heads."""
        teacher = Teacher(self.model, self.codec, self.train, self.options.seed)
        steps = round(self.options.passes * teacher.order.first_pass)
        self.tell(f"labels: {len(self.train):,} utterances, {steps:,} steps")
        usual = 6e-4 if self.model.ngrams is not None else 4e-5
        stage = self._stage("labels", steps, self.options.learning_rate or usual)
        finetune(
            self.model,
            self.codec,
            self.train,
            replace(stage, average=0.99, fast="ngrams.table.weight"),
            self._files("labels"),
        )

    def learn_phrases(self) -> None:
        """Train the wide path."""
        teacher = Teacher(self.model, self.codec, self.train, self.options.seed)
        steps = max(1, round(self.options.wide_passes * teacher.order.first_pass))
        self.tell(f"phrases: {steps:,} steps")
        options = self._stage("phrases", steps, 60.0)
        options = replace(options, weight_decay=0.0, precision="fp32", plain=True)
        train_wide(self.model, self.codec, self.train, options, self._files("phrases"))

    def fit_scores(self) -> None:
        """Fit shares, temperatures and thresholds of the utterance heads on the validation families."""
        _round_to_half(self.model)  # as it is stored, so that thresholds fit what is shipped
        config, scorer = self.model.config, self._scorer()
        lines = [x.input for x in self.valid]
        hidden = [without_roles(line) for line in lines]
        intent, risk = truth_of(self.valid, config.intents, config.risks)
        spoken = np.array([[n in intents_of(x.role) for n in config.intents] for x in self.valid])
        collector = np.array([[x.role == "collector"] for x in self.valid])
        deep, wide = self._apart(scorer, lines)
        deep_role, wide_role = (x.collector[:, None] for x in self._apart(scorer, hidden))
        fitted = {
            "intent": fit_mixture(deep.intent, wide.intent, intent, spoken),
            "risk": fit_mixture(deep.risk, wide.risk, risk, np.broadcast_to(collector, risk.shape)),
            "role": fit_mixture(deep_role, wide_role, collector, np.ones_like(collector)),
        }
        config.deep_share = {head: share for head, (share, _) in fitted.items()}
        config.temperatures = {head: temperature for head, (_, temperature) in fitted.items()}
        self.tell(f"share of the transformer beside the wide path: {config.deep_share}")
        scores = scorer.score(lines)
        config.thresholds = fit_thresholds(config.intents, scores.intent, intent)
        config.thresholds |= fit_thresholds(config.risks, scores.risk, risk)

    def _scorer(self) -> Scorer:
        """Return a scorer in the form that serves, so that what is fitted fits it, and soon."""
        return Scorer(self.model, self.codec, serving_form(self.model.eval()))

    def _apart(self, scorer: Scorer, lines: Sequence[TagInput]) -> tuple[Scores, Scores]:
        """Return the logits of the transformer alone and of the wide path alone."""
        found = []
        for share in (1.0, 0.0):
            self.model.config.deep_share = dict.fromkeys(("intent", "risk", "role"), share)
            found.append(scorer.logits(lines))
        return found[0], found[1]

    def learn_calls(self) -> None:
        """Train the call head and fit its temperatures."""
        calls = read_calls(self.options.corpus, "train")
        self.tell(f"calls: {len(calls)}")
        scorer = self._scorer()
        options = self._stage("calls", self.options.call_steps, 3e-3)
        options = replace(options, average=0.99, precision="fp32")
        train_call_head(scorer, calls, options, self._files("calls"))
        _round_to_half(self.model)
        fit_calls(scorer, read_calls(self.options.corpus, "valid"))

    def finish(self) -> Path:
        """Write the model folder and drop the checkpoints."""
        out = self.options.out
        self.model.to("cpu").half().save_pretrained(out)
        self.tokenizer.save_pretrained(out)
        shutil.rmtree(self.work)
        return out

    def _stage(self, name: str, steps: int, rate: float) -> LoopOptions:
        return LoopOptions(
            name,
            steps,
            rate,
            seed=self.options.seed,
            precision=self.options.precision,
            save_every=self.options.save_every,
        )

    def _files(self, name: str) -> Stage:
        return Stage(self.work / f"{name}.pt", self.report, self.member)


def claim(options: TrainingOptions) -> None:
    """Note the options beside the checkpoints; refuse to mix two runs."""
    work = options.out / WORK
    note, written = work / "options.json", _written(options)
    if options.resume and note.exists() and json.loads(note.read_text("utf-8")) != written:
        remedy = "Give the options of that run, or start anew without --resume"
        raise InputError(str(work), "belongs to a run with other options", remedy)
    if not options.resume:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(written, ensure_ascii=False, indent=1), "utf-8")


def truth_of(lines: Sequence[Example], intents: Sequence[str], risks: Sequence[str]) -> tuple[Flags, Flags]:
    """Return the true labels of lines: (lines, intents) and (lines, risks)."""
    intent = np.array([[name in x.intent for name in intents] for x in lines], dtype=bool)
    risk = np.array([[name in x.risk for name in risks] for x in lines], dtype=bool)
    return intent.reshape(len(lines), -1), risk.reshape(len(lines), -1)


def _round_to_half(model: TaggerModel) -> None:
    """Round the weights to the half precision in which they are stored."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.copy_(tensor.half().float())


def _written(options: TrainingOptions) -> dict[str, Any]:
    kept = {k: v for k, v in asdict(options).items() if k not in ("resume", "out", "save_every")}
    return {
        k: [str(x) for x in v] if isinstance(v, tuple) else v if v is None else str(v)
        for k, v in kept.items()
    }
