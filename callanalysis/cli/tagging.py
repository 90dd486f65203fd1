"""`callanalysis corpus add`, `train`, `evaluate`, `tag` and `retag`: the tagger from scenes to tags."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callanalysis.cli.export import DatabaseOption
from callanalysis.errors import InputError
from callanalysis.settings import PROJECT, Settings

if TYPE_CHECKING:
    from callanalysis.tagging.loop import Progress
    from callanalysis.tagging.predict import Tagger
    from callanalysis.tagging.relearning import Relearning

CORPUS = PROJECT / "models" / "tagger" / "corpus"
TAGGER = PROJECT / "models" / "tagger"
CorpusOption = Annotated[Path, typer.Option("--corpus", help="Folder of the training corpus.")]
_TAG_CHUNK = 2000  # lines held in memory with their scores
_RETAG_EVERY = 100  # calls between two lines of progress
_SHOWN = 20  # failed calls named


class HeldOut(StrEnum):
    """The parts that can be evaluated."""

    VALID = "valid"
    TEST = "test"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    corpus = typer.Typer(no_args_is_help=True, help="The tagger's training corpus.")
    corpus.command("add")(add)
    app.add_typer(corpus, name="corpus")
    app.command("train")(train)
    app.command("evaluate")(evaluate)
    app.command("tag")(tag)
    app.command("retag")(retag)


def add(
    files: Annotated[
        list[Path], typer.Argument(help="Scene files, as callanalysis/tagging/scenes.py has them.")
    ],
    corpus: CorpusOption = CORPUS,
) -> None:
    """Check tagged scenes and put them into the corpus; families that are there are replaced."""
    from callanalysis.tagging.corpus import add_scenes

    for path in files:
        if not path.is_file():
            raise InputError(str(path), "no such file", "Give text files with tagged scenes")
    added = add_scenes(corpus, files)
    typer.echo(
        f"{added.families} families ({added.new_families} new), {added.utterances} utterances, "
        f"{added.calls} whole calls in {corpus}"
    )


def train(
    corpus: CorpusOption = CORPUS,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the model; models/tagger, or the one in use.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="Hugging Face encoder (folder or name) instead of our own."),
    ] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option("--text", help="Plain dialogue (.txt, .txt.xz) to learn words from; may be repeated."),
    ] = None,
    passes: Annotated[
        float | None,
        typer.Option(
            "--epochs", min=0, help="Passes of the transformer over the corpus: 6, with corrections 2."
        ),
    ] = None,
    text_steps: Annotated[int, typer.Option("--text-steps", min=1, help="Steps on plain dialogue.")] = 6000,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a stopped run was.")] = False,
    seed: Annotated[int, typer.Option("--seed")] = 20261123,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Share the work; default: one a core, one with a GPU.")
    ] = None,
    with_corrections: Annotated[
        bool,
        typer.Option(
            "--with-corrections",
            help="Train the model in use further, on reviewers' corrections too; replace it unless a label falls.",
        ),
    ] = False,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Replace the model even where the F1 of a label falls.")
    ] = False,
    db: DatabaseOption = None,
) -> None:
    """Train a tagger from the corpus; the same corpus, text and options give the same weights.

    With corrections, exit code 0: the model is in place; 1: a label fell, and the model in use stays.
    """
    from callanalysis.company import usual_processes
    from callanalysis.tagging.predict import folder_in_use
    from callanalysis.tagging.relearning import Relearning, going_on
    from callanalysis.tagging.training import TrainingOptions
    from callanalysis.tagging.training import train as run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped politely, it leaves no text behind
    current = folder_in_use(Settings())
    options = TrainingOptions(
        corpus=corpus,
        out=out or (current if with_corrections else TAGGER),
        encoder=encoder,
        text=tuple(text or ()),
        text_steps=text_steps,
        seed=seed,
        resume=resume,
        processes=processes or usual_processes(),
    )
    if with_corrections and encoder is None and not text:
        options = going_on(options, current)
    if passes is not None:
        options = replace(options, passes=passes)
    if with_corrections:
        _relearn(Relearning(options, current, accept_losses), db)
        return
    if accept_losses or db is not None:
        raise InputError(
            "--accept-losses, --db", "they go with --with-corrections", "Add it, or leave them out"
        )
    folder = run(options, _show, typer.echo)
    typer.echo(f"wrote {folder}; its figures: callanalysis evaluate --tagger {folder} --part valid")


def _relearn(wanted: Relearning, db: str | None) -> None:
    from callanalysis.store.db import open_store
    from callanalysis.tagging.comparison_table import as_text, fallen_text
    from callanalysis.tagging.relearning import relearn

    corrections = open_store(db or Settings().db).corrections.newest()
    outcome = relearn(wanted, corrections, _show, typer.echo)
    for comparison in outcome.comparisons:
        typer.echo(as_text(comparison))
    if outcome.is_in_place:
        typer.echo(f"{outcome.folder} is now version {outcome.after}; before: {outcome.before}")
        if outcome.kept is not None:
            typer.echo(
                f"the replaced model is kept in {outcome.kept}; to go back, set CALLANALYSIS_TAGGER to it "
                "and run callanalysis retag"
            )
        return
    typer.echo(
        f"{wanted.training.out} stays as it is, version {outcome.before}: on validation the F1 of these labels "
        f"fell by more than its interval:\n{fallen_text(outcome.fallen)}\n"
        f"The new model waits in {outcome.folder}; the same command with --resume --accept-losses puts it in place.",
        err=True,
    )
    raise typer.Exit(1)


def evaluate(
    tagger: Annotated[
        Path | None, typer.Option("--tagger", help="Model folder; else the one in use.")
    ] = None,
    part: Annotated[HeldOut, typer.Option("--part", help="Held-out part.")] = HeldOut.VALID,
    corpus: CorpusOption = CORPUS,
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")] = None,
) -> None:
    """Print precision, recall and F1 of every label with the floor beside them."""
    from callanalysis.tagging.corpus import read_calls, read_utterances
    from callanalysis.tagging.evaluation import Material
    from callanalysis.tagging.evaluation import evaluate as figures_of
    from callanalysis.tagging.report_table import as_json as plain
    from callanalysis.tagging.report_table import as_text

    material = Material(
        part=part.value,
        lines=read_utterances(corpus, part.value),
        calls=read_calls(corpus, part.value),
        train=read_utterances(corpus, "train"),
        valid=read_utterances(corpus, "valid"),
    )
    if not material.lines:
        raise InputError(str(corpus), f"no family in the {part.value} part", "Add more scenes")
    figures = figures_of(open_given(tagger), material)
    if as_json is not None:
        as_json.write_text(json.dumps(plain(figures), ensure_ascii=False, indent=1) + "\n", "utf-8")
    typer.echo(as_text(figures))


def tag(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Lines with id, role, context, text.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; else standard output.")] = None,
    tagger: Annotated[
        Path | None, typer.Option("--tagger", help="Model folder; else the one in use.")
    ] = None,
) -> None:
    """Tag lines of text: intents, risks and the probability of every label."""
    from callanalysis.tagging.corpus import write_rows
    from callanalysis.tagging.lines import read_lines, tagged_rows

    lines = read_lines(source)
    model = open_given(tagger)
    chunks = [lines[i : i + _TAG_CHUNK] for i in range(0, len(lines), _TAG_CHUNK)]
    rows = (row for chunk in chunks for row in tagged_rows(chunk, model.tag_utterances(chunk)))
    if out is None:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        write_rows(out, rows)
        typer.echo(f"{len(lines)} lines tagged by {model.version}: {out}", err=True)


def retag(
    tagger: Annotated[
        Path | None, typer.Option("--tagger", help="Model folder; else the one in use.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Tag all stored calls anew where another version tagged them; no sound is decoded.

    Exit code 0: all calls carry this version's tags; 1: some failed and keep the tags they had.
    """
    from callanalysis.retagging import retag as retag_store
    from callanalysis.store.db import open_store

    model, store = open_given(tagger), open_store(db or Settings().db)

    def report(number: int, of: int) -> None:
        if number == of or number % _RETAG_EVERY == 0:
            typer.echo(f"{number} of {of} calls", err=True)

    try:
        outcome = retag_store(store, model, report)
    except KeyboardInterrupt:
        typer.echo("Stopped. What was done is stored; the same command goes on from here.", err=True)
        raise typer.Exit(130) from None
    before = f", {outcome.current} had them before" if outcome.current else ""
    typer.echo(f"{outcome.done} calls have the tags of {model.version}{before}.")
    if outcome.failed:
        typer.echo(f"failed, with their old tags kept: {', '.join(outcome.failed[:_SHOWN])}", err=True)
        raise typer.Exit(1)


def open_given(folder: Path | None) -> Tagger:
    """Return the tagger in a folder, or the one that the settings name."""
    from callanalysis.tagging.predict import open_folder, open_tagger

    return open_tagger(Settings()) if folder is None else open_folder(folder)


def _show(progress: Progress) -> None:
    """Print progress: one line that renews itself on a terminal, else a line every tenth of the way."""
    if sys.stderr.isatty():
        end = "\n" if progress.step == progress.steps else "\r"
        print(f"{progress!s:<78}", end=end, file=sys.stderr, flush=True)
    elif progress.step == progress.steps or progress.step % max(20, progress.steps // 400 * 20) == 0:
        print(progress, file=sys.stderr, flush=True)
