"""`callanalysis train-speech`: train or fine-tune a Whisper-format checkpoint from pairs of sound and text."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="train-speech")(train_speech)


def train_speech(
    pairs: Annotated[
        list[Path], typer.Argument(help="JSON lines of {audio, text, language, phones?}.", exists=True)
    ],
    out: Annotated[Path, typer.Option(help="Where the checkpoint is written.")] = Path("speech.pt"),
    work: Annotated[
        Path, typer.Option(help="Folder of the run: state to resume from, log, sound cache.")
    ] = Path("speech-run"),
    base: Annotated[
        str | None, typer.Option("--from", help="Fine-tune this checkpoint: a name or a path.")
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="With --from: go on training what this command made from nothing.")
    ] = False,
    steps: Annotated[int, typer.Option(min=1)] = 15_000,
    until: Annotated[
        int | None,
        typer.Option(help="Stop at this step; a later start goes on, with more pairs if you like."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Default 1e-3, or 1e-5 for fine-tuning.")
    ] = None,
    seed: int = 1,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Share the work; default: one a core, one with a GPU.")
    ] = None,
    batch_seconds: Annotated[
        float | None,
        typer.Option(min=30, help="Seconds of sound a step and process; default: 40, 1920 with a GPU."),
    ] = None,
) -> None:
    """Train from nothing, or fine-tune with --from; a run that was stopped goes on where it was."""
    # One kernel for each shape of a batch; the default of 1,024 would make them again and again.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384")
    from callanalysis.company import usual_processes
    from callanalysis.speech.training.loop import Plan
    from callanalysis.speech.training.run import Job, train

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped politely, the run saves its state
    job = Job(tuple(pairs), out, work, base, own=own, batch_seconds=batch_seconds)
    plan = Plan.of_length(steps, seed, fresh=job.fresh, learning_rate=learning_rate)
    plan = replace(plan, until=until)
    report = train(replace(job, processes=processes or usual_processes()), plan)
    typer.echo(report)
