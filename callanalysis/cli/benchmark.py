"""`callanalysis benchmark tagger`: how fast lines are tagged, and how little that is beside transcription."""

from __future__ import annotations

import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callanalysis.cli.tagging import CORPUS, CorpusOption, open_given
from callanalysis.errors import CallAnalysisError, InputError
from callanalysis.settings import Settings

if TYPE_CHECKING:
    from callanalysis.tagging.benchmark import TaggerSpeed
    from callanalysis.tagging.predict import Tagger

_HOUR = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class StageCosts:
    """Seconds of this machine for an hour of call: transcription by `engine`, and tagging what it wrote."""

    engine: str
    calls: int
    transcription: float
    tagging: float


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    benchmarks = typer.Typer(no_args_is_help=True, help="Measure speed on this machine.")
    benchmarks.callback()(lambda: None)
    benchmarks.command("tagger")(tagger_command)
    app.add_typer(benchmarks, name="benchmark")


def tagger_command(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(help="Calls to transcribe and tag: what does an hour of them cost?"),
    ] = None,
    tagger: Annotated[
        Path | None, typer.Option("--tagger", help="Model folder; else the one in use.")
    ] = None,
    corpus: CorpusOption = CORPUS,
    lines: Annotated[
        int, typer.Option(min=1, help="Utterances of the validation part, drawn by seed.")
    ] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is timed.")] = 3,
    as_json: Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")] = None,
) -> None:
    """Print utterances a second of the tagger and of a plain transformers pipeline with the same weights."""
    from callanalysis.tagging.benchmark import measure
    from callanalysis.tagging.corpus import read_utterances

    inputs = [example.input for example in read_utterances(corpus, "valid")]
    if not inputs:
        raise InputError(str(corpus), "no family in the valid part", "Add more scenes")
    random.Random(0).shuffle(inputs)
    model = open_given(tagger)
    speed = measure(model, inputs[:lines], rounds)
    typer.echo(_speed_text(speed, model.version))
    costs = _stage_costs(model, recordings) if recordings else None
    if costs is not None:
        typer.echo(_costs_text(costs))
    if as_json is not None:
        figures = asdict(speed) | {"ratio": speed.ratio, "per_hour": None if costs is None else asdict(costs)}
        as_json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def _stage_costs(tagger: Tagger, recordings: list[Path]) -> StageCosts:
    """Transcribe and tag the recordings one by one; raise what the first faulty one raises."""
    from callanalysis.audio.reader import open_recording
    from callanalysis.schema import CallMetadata
    from callanalysis.speech.engines import SpeechJob, open_transcriber

    settings = Settings()
    transcriber = open_transcriber(settings.speech, settings.models)
    heard = transcribing = tagging = 0.0
    for path in recordings:
        with open_recording(path) as recording:
            start = time.perf_counter()
            (transcript,) = transcriber.transcribe([SpeechJob(CallMetadata(path.stem), recording)])
            transcribing += time.perf_counter() - start
            heard += recording.duration
        if isinstance(error := getattr(transcript, "error", None), CallAnalysisError):
            raise error
        start = time.perf_counter()
        tagger.tag_call(transcript.utterances)  # type: ignore[union-attr]
        tagging += time.perf_counter() - start
    hours = heard / _HOUR
    return StageCosts(transcriber.name, len(recordings), transcribing / hours, tagging / hours)


def _speed_text(speed: TaggerSpeed, version: str) -> str:
    return "\n".join(
        [
            f"{speed.lines} utterances with context, {speed.tokens:.0f} tokens on average, "
            f"{speed.threads} threads, median of {speed.rounds}:",
            f"  tagger {version}: {speed.tagger:,.0f} utterances/s",
            f"  plain transformers pipeline, same weights, batch of {speed.plain_batch}: "
            f"{speed.plain:,.0f} utterances/s",
            f"  ratio {speed.ratio:.1f}; no probability further apart than {speed.apart:.4f}",
        ]
    )


def _costs_text(costs: StageCosts) -> str:
    return (
        f"an hour of call, from {costs.calls} recordings: transcription ({costs.engine}) "
        f"{costs.transcription:,.1f} s, tagging {costs.tagging:.2f} s "
        f"({costs.tagging / costs.transcription:.1%} of it)"
    )
