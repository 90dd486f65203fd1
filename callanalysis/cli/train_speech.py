"""`callanalysis train-speech`: train or fine-tune a Whisper-format checkpoint from pairs of sound and text."""

from __future__ import annotations

import logging
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
    steps: Annotated[int, typer.Option(min=1)] = 11_000,
    until: Annotated[
        int | None,
        typer.Option(help="Stop at this step; a later start goes on, with more pairs if you like."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Default 1e-3, or 1e-5 for fine-tuning.")
    ] = None,
    seed: int = 1,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
) -> None:
    """Train from nothing, or fine-tune with --from; a run that was stopped goes on where it was."""
    import torch

    from callanalysis.speech.training.loop import Plan
    from callanalysis.speech.training.run import Job, train

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if threads:
        torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped politely, the run saves its state
    plan = Plan.of_length(steps, seed, fresh=base is None, learning_rate=learning_rate)
    plan = replace(plan, until=until)
    report = train(Job(tuple(pairs), out, work, base), plan)
    typer.echo(report)
