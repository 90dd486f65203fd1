"""`callanalysis corrections add` and `corrections list`: what reviewers say against the machine's tags."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from callanalysis.cli.export import DatabaseOption
from callanalysis.settings import Settings


class Form(StrEnum):
    """How corrections are listed."""

    TEXT = "text"
    JSONL = "jsonl"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    corrections = typer.Typer(no_args_is_help=True, help="Reviewers' corrections of tags.")
    corrections.command("add")(add)
    corrections.command("list")(show)
    app.add_typer(corrections, name="corrections")


def add(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE.jsonl…",
            help="Lines with call, utterance, intent and/or risk, reviewer, perhaps at.",
        ),
    ],
    db: DatabaseOption = None,
) -> None:
    """Put corrections into the store, each file whole or not at all; what is there already is not doubled."""
    from callanalysis.intake.corrections import read_answers
    from callanalysis.store.db import open_store

    store, now = open_store(db or Settings().db), datetime.now(UTC)
    for path in files:
        added = store.corrections.add(read_answers(path, now), now)
        known = f", {added.known} were there already" if added.known else ""
        typer.echo(f"{path}: {added.new} corrections added{known}")


def show(
    form: Annotated[Form, typer.Option("--format", help="text, or JSON lines.")] = Form.TEXT,
    every: Annotated[bool, typer.Option("--all", help="Also answers that later ones have replaced.")] = False,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Names and numbers as they are.")] = False,
    db: DatabaseOption = None,
) -> None:
    """Print what counts: of each utterance and axis the newest answer, beside what the machine said."""
    from callanalysis.cli.printing import print_corrections
    from callanalysis.exports import correction_object
    from callanalysis.store.db import open_store

    kept = open_store(db or Settings().db).corrections
    rows = [correction_object(one, not unmasked) for one in (kept.every() if every else kept.newest())]
    if form == Form.JSONL:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        print_corrections(rows)
    typer.echo(f"{len(rows)} corrections", err=True)
