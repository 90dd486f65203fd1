"""`callanalysis score-speech`: the error rate of a speech model with plain Whisper decoding."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="score-speech")(score_speech)


def score_speech(
    reference: Annotated[
        Path, typer.Argument(help="Pairs (JSON lines of audio, text, language) or reference.jsonl of calls.")
    ],
    model: Annotated[Path, typer.Option(help="A checkpoint file.")] = Path("models/speech-demo/model.pt"),
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of the calls' recordings; makes REFERENCE one of calls.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only so many lines of each language, drawn by a fixed seed.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print every wrong line.")] = False,
) -> None:
    """Print CER (zh) and WER (en) of plain `whisper.transcribe` with its default options.

    Calls are given to Whisper channel by channel in full, silence and all, with the language left to detection.
    """
    import whisper

    from callanalysis.speech.scoring import error_rate, normalise

    loaded = whisper.load_model(str(model))
    lines = _drawn([json.loads(line) for line in reference.read_text(encoding="utf-8").splitlines()], limit)
    clips = _call_clips(lines, recordings) if recordings else _pair_clips(lines, reference.parent)
    scored: dict[str, tuple[list[str], list[str]]] = {}
    for name, language, text, samples in clips:
        heard = loaded.transcribe(samples, fp16=False)
        said = str(heard["text"])
        references, hypotheses = scored.setdefault(language, ([], []))
        references.append(text)
        hypotheses.append(said)
        if show and normalise(text, language) != normalise(said, language):
            typer.echo(f"{name} [{heard['language']}]\n  said  {text}\n  heard {said}")
    for language, (references, hypotheses) in sorted(scored.items()):
        typer.echo(f"{language}: {error_rate(references, hypotheses, language)}")


def _drawn(lines: list[dict[str, Any]], limit: int | None) -> list[dict[str, Any]]:
    """At most `limit` lines of each language, in their order."""
    if limit is None:
        return lines
    places: list[int] = []
    for language in sorted({str(line["language"]) for line in lines}):
        mine = [i for i, line in enumerate(lines) if line["language"] == language]
        places += random.Random(0).sample(mine, min(limit, len(mine)))
    return [lines[i] for i in sorted(places)]


def _pair_clips(lines: Iterable[dict[str, str]], folder: Path) -> Iterator[tuple[str, str, str, object]]:
    from callanalysis.speech.training.pairs import read_sound

    for line in lines:
        yield line["audio"], line["language"], line["text"], read_sound(folder / line["audio"], line["audio"])


def _call_clips(
    lines: Iterable[dict[str, object]], recordings: Path
) -> Iterator[tuple[str, str, str, object]]:
    from callanalysis.audio.reader import open_recording

    for line in lines:
        path = next(recordings.glob(f"{line['id']}.*"))
        turns: list[dict[str, object]] = line["turns"]  # type: ignore[assignment]
        with open_recording(path) as recording:
            for channel in range(recording.channels):
                said = [str(t["text"]) for t in turns if recording.channels == 1 or t["channel"] == channel]
                samples = recording.samples(channel, 0.0, recording.duration)
                yield f"{line['id']}/{channel}", str(line["language"]), " ".join(said), samples
