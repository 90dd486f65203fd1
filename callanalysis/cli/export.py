"""`callanalysis export calls` and `callanalysis show`: what is stored, for programs and for eyes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from callanalysis.errors import InputError
from callanalysis.i18n import preferred_language
from callanalysis.settings import Settings

DatabaseOption = Annotated[
    str | None, typer.Option("--db", help="Database: a URL or the path of an SQLite file.")
]
MaskOption = Annotated[bool, typer.Option("--mask", help="Cover names, numbers and what is said of them.")]


class Format(StrEnum):
    """What an export can be."""

    JSONL = "jsonl"
    CSV = "csv"


class Language(StrEnum):
    """The languages of the output."""

    ZH = "zh"
    EN = "en"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    export = typer.Typer(no_args_is_help=True, help="Write what is stored for other programs.")
    export.callback()(_export)
    export.command("calls")(export_calls)
    app.add_typer(export, name="export")
    app.command("show")(show)


def _export() -> None:
    """Write what is stored for other programs."""


def export_calls(
    form: Annotated[Format, typer.Option("--format", help="jsonl: all of a call; csv: its figures.")] = (
        Format.JSONL
    ),
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    mask: MaskOption = False,
    db: DatabaseOption = None,
) -> None:
    """Write every call in order of its id, as JSON lines or CSV."""
    from callanalysis.exports import masked, write_csv, write_jsonl
    from callanalysis.store.db import open_store
    from callanalysis.store.filters import CallFilter

    store = open_store(db or Settings().db)
    calls = store.analyses(CallFilter(order_by="call_id", descending=False))
    write = write_jsonl if form == Format.JSONL else write_csv
    with _opened(out, "utf-8-sig" if form == Format.CSV else "utf-8") as file:  # Excel wants the mark
        count = write((masked(call) if mask else call for call in calls), file)
    typer.echo(f"{count} calls written{f' to {out}' if out else ''}", err=True)


def show(
    call: Annotated[str, typer.Argument(help="The call's id.")],
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Names and numbers as they are.")] = False,
    lang: Annotated[
        Language | None, typer.Option(help="Language of the output; that of the terminal without it.")
    ] = None,
    db: DatabaseOption = None,
) -> None:
    """Print one call readably: what is known of it, what was said, tags and measures."""
    from callanalysis.cli.printing import print_call
    from callanalysis.exports import masked
    from callanalysis.store.db import open_store

    store = open_store(db or Settings().db)
    analysis = store.call(call)
    if analysis is None:
        failure = next((failure for failure in store.failures() if failure.call_id == call), None)
        if failure is not None:
            raise InputError(f"call {call}", f"it could not be analysed: {failure.fault}", failure.remedy)
        raise InputError(f"call {call}", f"it is not in {store.address}", "Correct the id, or name --db")
    print_call(analysis if unmasked else masked(analysis), output_language(lang))


def output_language(wanted: Language | None) -> Literal["zh", "en"]:
    """Return the language wanted, else the one that the environment asks for."""
    if wanted is None:
        locales = map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))
        return preferred_language(next(filter(None, locales), None))
    return "zh" if wanted == Language.ZH else "en"


@contextmanager
def _opened(out: Path | None, encoding: str) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole or not at all."""
    if out is None:
        stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
        try:
            yield stream
        finally:
            stream.detach()
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding=encoding, newline="") as file:
            yield file
        part.replace(out)
    except OSError as e:
        raise InputError(str(out), f"it cannot be written ({e.strerror})", "Name another file") from e
    finally:
        part.unlink(missing_ok=True)
