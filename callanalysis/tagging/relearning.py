"""Training with reviewers' corrections: learn, compare with the model in use, replace it unless a label fell.

The new model is made in a folder beside the one it is for and moved there at the end, so that the model in use is never
half of it. It knows corrections as they come from the store, and no database.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from callanalysis.errors import InputError
from callanalysis.schema import Correction
from callanalysis.tagging.comparison import Change, Comparison, compare, held_out, validation
from callanalysis.tagging.comparison_table import as_text
from callanalysis.tagging.corpus import read_utterances
from callanalysis.tagging.corrections import Lessons, lessons_of, write_corpus
from callanalysis.tagging.loop import Report
from callanalysis.tagging.placing import put_in_place
from callanalysis.tagging.predict import Tagger, open_folder
from callanalysis.tagging.training import WORK, Tell, TrainingOptions, train

PASSES = 2.0  # over the corpus, for a model that goes on from one that has learnt from it


@dataclass(frozen=True, slots=True)
class Relearning:
    """What to train and against what: `training.out` is where the model goes, `current` the model in use.

    `accept_losses` replaces the model also where labels fell.
    """

    training: TrainingOptions
    current: Path
    accept_losses: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: versions, figures, where the new model is, and the replaced one if there was one."""

    before: str
    after: str
    comparisons: tuple[Comparison, ...]
    fallen: tuple[Change, ...]  # on validation
    folder: Path
    is_in_place: bool
    kept: Path | None


def going_on(training: TrainingOptions, current: Path) -> TrainingOptions:
    """Return the options for training the model in use further instead of one from nothing."""
    return replace(training, encoder=str(current), passes=PASSES, wide_passes=PASSES)


def relearn(wanted: Relearning, corrections: Iterable[Correction], report: Report, tell: Tell) -> Outcome:
    """Train with the corrections (one per utterance) and put the model in place unless a label fell on validation.

    A label falls where its F1 goes down by more than its interval: the 95 % interval of the paired difference lies
    below zero (metrics.f1_changes). Each label is taken alone, so of fifty that are as good as before one or two may
    be stopped by chance: that is what `accept_losses` is for.

    A model that was refused, and a run that was stopped, wait in `<out>.next` for `resume`; anything else starts anew.

    Raises:
        InputError: there is nothing to learn from, nothing to resume, or the corpus cannot be used.
        CheckpointError: the model in use cannot be opened, or the new one not be put in its place.
    """
    lessons, before = lessons_of(corrections), open_folder(wanted.current)
    _check(wanted.training, lessons)
    new = _learn(wanted, lessons, before, report, tell)
    after = open_folder(new)
    trials = validation(read_utterances(wanted.training.corpus, "valid")), held_out(lessons.held_out)
    comparisons = tuple(compare(before, after, trial) for trial in trials)
    fallen = comparisons[0].fallen
    outcome = Outcome(before.version, after.version, comparisons, fallen, new, False, None)
    (new / "README.md").write_text(_card(outcome, after), "utf-8")
    if fallen and not wanted.accept_losses:
        return outcome
    out = wanted.training.out
    kept = put_in_place(new, out, open_folder(out).version if out.exists() else "")
    shutil.rmtree(_stage(out))
    return replace(outcome, folder=out, is_in_place=True, kept=kept)


def _check(training: TrainingOptions, lessons: Lessons) -> None:
    """Refuse before hours of training what would be refused after them."""
    if not lessons.train:
        fault = "all are of calls that are held out" if lessons.held_out else "the store holds none"
        raise InputError("corrections", fault, "Add some: callanalysis corrections add FILE.jsonl")
    if training.out.exists():
        open_folder(training.out)


def _learn(wanted: Relearning, lessons: Lessons, before: Tagger, report: Report, tell: Tell) -> Path:
    """Return the folder of the trained model, in the stage; the corpus, which holds what was said, does not stay."""
    training, stage = wanted.training, _stage(wanted.training.out)
    work = stage / f"{before.version}-{lessons.digest}"
    if not training.resume:
        shutil.rmtree(stage, ignore_errors=True)
    elif not work.is_dir():
        fault = "holds nothing to resume with these corrections and this model"
        raise InputError(str(stage), fault, "Start anew without --resume")
    stage.mkdir(mode=0o700, parents=True, exist_ok=True)
    corpus, new = work / "corpus", work / "tagger"
    tell(f"corrections: {len(lessons.train)} to learn from, {len(lessons.held_out)} held out")
    if not (new / "config.json").is_file() or (new / WORK).exists():
        try:
            write_corpus(corpus, training.corpus, lessons)
            train(replace(training, corpus=corpus, out=new), report, tell)
        finally:
            shutil.rmtree(corpus, ignore_errors=True)
    _note(new, lessons, _base(wanted, before))
    return new


def _stage(out: Path) -> Path:
    return out.with_name(f"{out.name}.next")


def _base(wanted: Relearning, before: Tagger) -> str | None:
    """Return what the training started from: a version, another encoder's name, or None for nothing."""
    return before.version if wanted.training.encoder == str(wanted.current) else wanted.training.encoder


def _note(new: Path, lessons: Lessons, base: str | None) -> None:
    """Write into the model's configuration how many corrections it learnt from, and from what model."""
    path = new / "config.json"
    config = json.loads(path.read_text("utf-8"))
    calls = {lesson.example.family for lesson in lessons.train}
    config["corrections"] = {
        "base": base,
        "learnt": len(lessons.train),
        "calls": len(calls),
        "held_out": len(lessons.held_out),
    }
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _card(outcome: Outcome, after: Tagger) -> str:
    """Return the model's card: what it learnt from, and its figures beside those of the model before it."""
    learnt = after.scorer.config.corrections
    head = (
        f"# The tagger, version {outcome.after}\n\n"
        f"Trained from {learnt['base'] or 'nothing'} on the corpus and {learnt['learnt']} corrections by reviewers of "
        f"{learnt['calls']} calls; {learnt['held_out']} corrections of other calls were held out.\n"
        f"Before is version {outcome.before}. It does badly on corrections by their nature: most are "
        "its mistakes.\n"
        "The text of calls went into this model: treat it as you treat the calls.\n"
    )
    return "\n".join((head, *map(as_text, outcome.comparisons)))
