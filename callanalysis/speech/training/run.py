"""One training run from manifests to a checkpoint: what `callanalysis train-speech` does."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

from callanalysis.company import Member, company
from callanalysis.errors import CheckpointError, InputError
from callanalysis.speech.training.batches import SECONDS_ON_GPU, SECONDS_PER_BATCH, Batches
from callanalysis.speech.training.examples import ExampleMaker
from callanalysis.speech.training.loop import Plan, Trainer, save_checkpoint, seed_everything
from callanalysis.speech.training.model import TrainableWhisper, new_whisper
from callanalysis.speech.training.pairs import Pairs, open_pairs
from callanalysis.speech.training.sound import SoundBank
from callanalysis.speech.training.text import TextCodec, Vocabulary, phones_of

log = logging.getLogger(__name__)

CTC_SIZES = (512, 8192)  # classes of the auxiliary CTC head: phones, or characters where no phones are given
# Whisper's tiny with three decoder layers: 34.8 M parameters, 19.9 M of them token rows, nearly all alike.
DEMO_DIMENSIONS = ModelDimensions(80, 1500, 384, 6, 4, 51865, 448, 384, 6, 3)


@dataclass(frozen=True, slots=True)
class Job:
    """From which pairs, to which checkpoint, in which folder, from which base (None: from nothing).

    `own` says that the base was made from nothing by this very training: it goes on with the same spelling and the same
    help. `processes` share the work, each on one thread. `batch_seconds` of sound make a step of each process, None
    for as much as suits the device.
    """

    manifests: tuple[Path, ...]
    out: Path
    work: Path
    base: str | None = None
    dims: ModelDimensions | None = None
    own: bool = False
    processes: int = 1
    batch_seconds: float | None = None

    @property
    def fresh(self) -> bool:
        """Whether the network knows nothing but what this training teaches it."""
        return self.base is None or self.own


def train(job: Job, plan: Plan, after_step: Callable[[int], None] | None = None) -> str:
    """Train, write the checkpoint and return a line that says what was done.

    `after_step` is told the number of steps done; what it raises ends the run, saved to be resumed.
    """
    material = _prepare(job)  # writes what every process reads
    with company(job.processes, job.work / "meeting", _take_part, job, plan) as member:
        trainer = _trainer(member, job, plan, material)
        trainer.run(after_step)
    save_checkpoint(trainer.model, trainer.model.whisper.dims, job.out)
    progress = trainer.progress
    return (
        f"{job.out}: {progress.step} steps, {progress.heard / 3600:.1f} h heard "
        f"in {progress.seconds / 60:.0f} min"
    )


def _take_part(member: Member, job: Job, plan: Plan) -> None:
    _trainer(member, job, plan, _prepare(job)).run()


@dataclass(frozen=True, slots=True)
class _Material:
    pairs: Pairs
    codec: TextCodec
    vocabulary: Vocabulary
    phones: list[str]


def _prepare(job: Job) -> _Material:
    pairs = _with_phones(open_pairs(list(job.manifests), job.work / "cache"))
    codec = TextCodec(fine=job.fresh)
    languages = sorted({row.language for row in pairs.rows})
    vocabulary, pairs = _vocabulary(pairs, codec, languages, job.work)
    return _Material(pairs, codec, vocabulary, _phone_names(pairs, job.work))


def _trainer(member: Member, job: Job, plan: Plan, material: _Material) -> Trainer:
    seed_everything(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seconds = job.batch_seconds or (SECONDS_PER_BATCH if device.type == "cpu" else SECONDS_ON_GPU)
    pairs, vocabulary, phones = material.pairs, material.vocabulary, material.phones
    batches = Batches(ExampleMaker(pairs, material.codec), vocabulary, phones, plan.seed, seconds)
    ids = torch.from_numpy(vocabulary.ids)
    model = TrainableWhisper(_network(job, plan), ids, _ctc_size(len(phones)), fresh=job.fresh)
    trainer = Trainer(model, batches, SoundBank(pairs.sound, device), plan, job.work, member)
    if trainer.resume() and member.leads:
        log.info("going on from step %d", trainer.progress.step)
    log.info("%d pairs, %.1f h, %d tokens", len(pairs.rows), pairs.hours, len(ids))
    return trainer


def _network(job: Job, plan: Plan) -> Whisper:
    if job.base is None:
        return new_whisper(job.dims or DEMO_DIMENSIONS, plan.seed)
    try:
        return whisper.load_model(job.base, device="cpu")
    except RuntimeError as error:
        remedy = "Give the path of a .pt file, or a name that `callanalysis models list` shows as present"
        raise CheckpointError(job.base, f"cannot be loaded: {error}", remedy) from error


def _vocabulary(pairs: Pairs, codec: TextCodec, languages: list[str], work: Path) -> tuple[Vocabulary, Pairs]:
    """The tokens of the run; one that goes on with more pairs keeps its own and leaves out what they cannot spell."""
    path = work / "vocabulary.json"
    texts = {row.text for row in pairs.rows}
    if not path.exists():
        spelt = (_tokens(text, codec) for text in texts)
        path.write_text(json.dumps(Vocabulary.of(spelt, codec, languages).ids.tolist()))
    vocabulary = Vocabulary(np.array(json.loads(path.read_text()), dtype=np.int64))
    known = set(vocabulary.ids.tolist())
    spelt_by = {text for text in texts if known.issuperset(_tokens(text, codec))}
    rows = tuple(row for row in pairs.rows if row.text in spelt_by)
    if len(rows) < len(pairs.rows):
        log.warning("%d pairs left out: the run's vocabulary cannot spell them", len(pairs.rows) - len(rows))
    return vocabulary, Pairs(rows, pairs.sound)


def _tokens(text: str, codec: TextCodec) -> tuple[int, ...]:
    return codec.tokens(text) + codec.tokens(text, leading_space=True)


def _phone_names(pairs: Pairs, work: Path) -> list[str]:
    """The CTC labels of the run; a run that goes on with more pairs keeps the places of those it had."""
    path = work / "phones.json"
    names: list[str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    names += sorted({p for row in pairs.rows for p in row.phones} - set(names))
    if len(names) > CTC_SIZES[-1]:
        remedy = f"Use at most {CTC_SIZES[-1]} different ones"
        raise InputError(str(work), f"{len(names)} different phones", remedy)
    path.write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    return names


def _ctc_size(phones: int) -> int:
    return next(size for size in CTC_SIZES if phones <= size)


def _with_phones(pairs: Pairs) -> Pairs:
    rows = (r if r.phones else replace(r, phones=tuple(phones_of(r.text, r.language))) for r in pairs.rows)
    return Pairs(tuple(rows), pairs.sound)
