"""`callanalysis train-speech`: train or fine-tune a Whisper-format checkpoint from pairs of sound and text."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
