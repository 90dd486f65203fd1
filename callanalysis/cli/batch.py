"""`callanalysis run` and `failures`: recordings into the store, and what could not be analysed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callanalysis.cli.export import DatabaseOption, Language, output_language
from callanalysis.settings import Settings

if TYPE_CHECKING:
    from callanalysis.batch import Summary

_SHOWN = 20  # failures and notices at the end of a run


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("run")(run)
    app.command("failures")(failures)


def run(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of recordings, one recording, or transcripts as .jsonl."
        ),
    ],
    calls: Annotated[Path | None, typer.Option(help="Call list, CSV or XLSX.")] = None,
    db: DatabaseOption = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try failed files again.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put calls with new sound in the place of stored ones.")
    ] = False,
    model: Annotated[str | None, typer.Option(help="Speech model: official name, path, or demo.")] = None,
    language: Annotated[str | None, typer.Option(help="zh or en; recognised per call without it.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times that have none.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as cores if it pays.")
    ] = None,
) -> None:
    """Analyse recordings into the store; what is there already is not done again.

    Exit code 0: every call is in the store; 1: some failed, see `callanalysis failures`; 2: nothing was done.
    """
    from callanalysis.batch import Request
    from callanalysis.batch import run as run_batch
    from callanalysis.cli.progress import open_progress
    from callanalysis.planning import Choices
    from callanalysis.store.db import open_store

    settings = _settings(db=db, timezone=timezone, speech={"model": model, "language": language})
    request = Request(source, settings, calls, Choices(retry, replace), workers)
    try:
        with open_progress() as progress:
            summary = run_batch(request, open_store(settings.db), progress)
    except KeyboardInterrupt:
        typer.echo("Stopped. What was done is stored; the same command goes on from here.", err=True)
        raise typer.Exit(130) from None
    _tell(summary)
    raise typer.Exit(summary.exit_code)


def failures(
    db: DatabaseOption = None,
    lang: Annotated[Language | None, typer.Option(help="Language of the output.")] = None,
) -> None:
    """List what could not be analysed, why, and what to do."""
    from callanalysis.cli.printing import print_failures
    from callanalysis.store.db import open_store

    found = open_store(db or Settings().db).failures()
    if found:
        print_failures(found, output_language(lang))
    typer.echo(f"{len(found)} failure{'' if len(found) == 1 else 's'}", err=True)


def _settings(**options: Any) -> Settings:
    """The settings with the options that were given."""
    given: dict[str, Any] = {
        name: {key: inner for key, inner in value.items() if inner is not None}
        if isinstance(value, dict)
        else value
        for name, value in options.items()
    }
    return Settings(**{name: value for name, value in given.items() if value not in (None, {})})


def _tell(summary: Summary) -> None:
    """Print what became of the inputs; failures and notices to standard error."""
    from callanalysis.cli.printing import printable

    counts = {
        "analysed": summary.analysed,
        "in the store before": summary.stored,
        "corrected from the call list": summary.corrected,
        "taken by another run": summary.elsewhere,
        "failed": len(summary.failures),
        "failed before, not tried again": summary.failed_before,
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    typer.echo(f"Calls: {told or 'none'}.")
    for notice in summary.notices[:_SHOWN]:
        typer.echo(f"note: {printable(notice)}", err=True)
    for failure in summary.failures[:_SHOWN]:
        line = f"failed: {failure.source}: {failure.fault}. {failure.remedy}."
        typer.echo(printable(line.replace("..", ".")), err=True)
    hidden = max(0, len(summary.notices) - _SHOWN) + max(0, len(summary.failures) - _SHOWN)
    if hidden:
        typer.echo(f"… and {hidden} more", err=True)
    if summary.failures or summary.failed_before:
        typer.echo("`callanalysis failures` lists them; --retry tries them again.", err=True)
    if summary.exit_code == 2:
        typer.echo("Nothing was done: another run has taken the calls.", err=True)
    sys.stdout.flush()
