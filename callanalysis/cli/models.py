"""`callanalysis models`: which speech models are here, and how to bring others to this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from callanalysis.settings import Settings

_MEGABYTE = 1_000_000
_FILE_WIDTH = 200  # columns where the output is no terminal


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    models = typer.Typer(no_args_is_help=True, help="List, fetch, import and verify speech models.")
    models.command("list")(list_command)
    models.command("fetch")(fetch_command)
    models.command("import")(import_command)
    models.command("verify")(verify_command)
    app.add_typer(models, name="models")


def list_command() -> None:
    """List the speech models: name, size, and whether they are here and verified by checksum."""
    from rich.console import Console
    from rich.table import Table

    from callanalysis.speech.carrier import list_models

    settings = Settings()
    table = Table("name", "size", "state", "file", box=None, pad_edge=False, highlight=False)
    for model in list_models(settings.models):
        size = (
            ""
            if model.size is None
            else f"{'about ' if model.path is None else ''}{model.size / _MEGABYTE:,.0f} MB"
        )
        table.add_row(model.name, size, model.state, str(model.path or ""), style="" if model.path else "dim")
    console = Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(table)
    console.print(
        f"In use: {settings.speech.model} (speech.model in callanalysis.toml or CALLANALYSIS_SPEECH__MODEL)"
    )


def fetch_command(
    name: Annotated[str, typer.Argument(help="An official name, such as small or large-v3-turbo.")],
) -> None:
    """Download an official Whisper model, checked by its checksum."""
    from callanalysis.speech.carrier import fetch_model

    typer.echo(f"{name}: {fetch_model(name, Settings().models)}")


def import_command(
    file: Annotated[Path, typer.Argument(help="A checkpoint carried over by hand, .pt or .safetensors.")],
    name: Annotated[str | None, typer.Option(help="The name to use it by; else the file's own.")] = None,
) -> None:
    """Check a checkpoint file and copy it to the other models."""
    from callanalysis.speech.carrier import import_model

    checkpoint = import_model(file, Settings().models, name)
    kind = "official weights, checksum right" if checkpoint.sha256 else "own weights, structure right"
    typer.echo(f"{checkpoint.name}: {kind}: {checkpoint.path}")


def verify_command(model: Annotated[str, typer.Argument(help="A name from the list, or a path.")]) -> None:
    """Check a model: its checksum, its structure, one pass through the network."""
    from callanalysis.speech.carrier import verify_model

    checkpoint = verify_model(model, Settings().models)
    checksum = "checksum, " if checkpoint.sha256 else ""
    typer.echo(f"{model}: {checksum}structure and a pass through the network are right: {checkpoint.path}")
