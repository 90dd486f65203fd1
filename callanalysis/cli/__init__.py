"""The command line: thin commands over the library; heavy imports happen inside the command that needs them."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from callanalysis import __version__
from callanalysis.errors import CallAnalysisError

# Each module has `register(app)`, which adds its commands; the order is the order of `--help`.
_MODULES = (
    "batch",
    "export",
    "models",
    "tagging",
    "corrections",
    "benchmark",
    "train_speech",
    "score_speech",
)

app = typer.Typer(
    name="callanalysis",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Analyse debt-collection calls on premises: speech, tags, measures, app.",
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


for _name in _MODULES:
    import_module(f"callanalysis.cli.{_name}").register(app)


def main() -> None:
    """Run the command; a known error is one line on stderr and exit code 2."""
    try:
        app()
    except CallAnalysisError as error:
        typer.echo(f"callanalysis: {error}", err=True)
        sys.exit(2)
