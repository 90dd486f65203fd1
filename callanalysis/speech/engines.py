"""The interface of every recogniser: a stream of recordings in, a stream of transcripts out.

It knows no weights; importing it loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from callanalysis.audio.reader import Recording
from callanalysis.errors import CallAnalysisError
from callanalysis.schema import CallMetadata, Transcript
from callanalysis.settings import SpeechSettings


@dataclass(frozen=True, slots=True)
class SpeechJob:
    """One call to transcribe. The recording may be closed as soon as the next job has been asked for."""

    metadata: CallMetadata
    recording: Recording


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that could not be transcribed, in the place of its transcript."""

    call_id: str
    error: CallAnalysisError


class Transcriber(Protocol):
    """A recogniser with its weights. `name` says which, down to the weights; transcripts carry it."""

    name: str

    def transcribe(self, jobs: Iterable[SpeechJob]) -> Iterator[Transcript | Failed]:
        """Yield one result for each job, in the order of the jobs.

        Windows of different calls share a batch, so a result may wait for a few jobs after its own. An error
        that concerns one job is yielded, not raised.
        """
        ...


def open_transcriber(settings: SpeechSettings, models: Path) -> Transcriber:
    """Return the recogniser that the settings name, its weights loaded; raises CheckpointError."""
    from callanalysis.speech.openai_whisper import open_decoder
    from callanalysis.speech.streaming import StreamTranscriber

    return StreamTranscriber(open_decoder(settings, models), settings)
