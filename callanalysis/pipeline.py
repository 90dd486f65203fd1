"""One stream of calls through all stages: recordings, transcripts, roles, tags, measures.

For each job comes one result, in the order of the jobs: an analysis, or the failure that stopped it. Nothing
is stored here; models and clock arrive as arguments.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from traceback import format_tb
from typing import Protocol, TypeAlias

from callanalysis.audio.reader import open_recording
from callanalysis.audio.tones import tone_regions
from callanalysis.errors import CallAnalysisError, SetupError, StoreError
from callanalysis.intake.faults import input_error
from callanalysis.roles import with_roles
from callanalysis.schema import (
    CallAnalysis,
    CallMetadata,
    CallTags,
    Failure,
    Sound,
    Transcript,
    Utterance,
    UtteranceTags,
    Versions,
)
from callanalysis.settings import AudioSettings
from callanalysis.skills import VERSION as MEASURES_VERSION
from callanalysis.skills import measure_call
from callanalysis.spans import Span
from callanalysis.speech.engines import Failed, SpeechJob, Transcriber

log = logging.getLogger(__name__)


class TaggedCall(Protocol):
    """A call's utterances with every role filled in, their tags, and the judgement on the call."""

    @property
    def utterances(self) -> tuple[Utterance, ...]: ...  # noqa: D102
    @property
    def tags(self) -> tuple[UtteranceTags, ...]: ...  # noqa: D102
    @property
    def call(self) -> CallTags: ...  # noqa: D102


class Tagger(Protocol):
    """What tagging/predict.py opens."""

    version: str

    def tag_call(self, utterances: Sequence[Utterance]) -> TaggedCall:
        """Return the call with roles, tags and judgement."""
        ...


@dataclass(frozen=True, slots=True)
class RecordingJob:
    """A recording to analyse; `source` names it in a failure."""

    source: str
    metadata: CallMetadata
    path: Path


@dataclass(frozen=True, slots=True)
class TranscriptJob:
    """An imported transcript to analyse, which enters after the speech stage."""

    source: str
    metadata: CallMetadata
    transcript: Transcript
    content_hash: str


Job: TypeAlias = RecordingJob | TranscriptJob
Result: TypeAlias = CallAnalysis | Failure


@dataclass(frozen=True, slots=True)
class Stages:
    """The models and what they need; without a transcriber only transcripts can be analysed."""

    tagger: Tagger
    transcriber: Transcriber | None = None
    audio: AudioSettings = field(default_factory=AudioSettings)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def analyse(jobs: Iterable[Job], stages: Stages) -> Iterator[Result]:
    """Yield one result for each job, in order, in bounded memory; raises only what concerns all of them."""
    for kind, group in groupby(jobs, type):
        if kind is RecordingJob:
            recordings = (job for job in group if isinstance(job, RecordingJob))
            yield from _Speech(stages, recordings).results()
        else:
            yield from (_imported(job, stages) for job in group if isinstance(job, TranscriptJob))


def failure_of(job: Job, stage: str, error: Exception, at: datetime) -> Failure:
    """Return an error as the failure of a job; one that nobody foresaw is logged."""
    if not isinstance(error, CallAnalysisError):
        where = "".join(format_tb(error.__traceback__))  # without the message, which may hold what was said
        log.error("call %s, stage %s: %s\n%s", job.metadata.call_id, stage, type(error).__name__, where)
        error = input_error(job.source, "unexpected", stage=stage, error=type(error).__name__)
    return Failure(job.source, job.metadata.call_id, stage, error.code, error.fault, error.remedy, at)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A recording given to the transcriber: what the later stages need of its sound."""

    job: RecordingJob
    sound: Sound
    tones: tuple[Span, ...]


class _Speech:
    """Recordings through the transcriber; what waits for its transcript is kept in order."""

    def __init__(self, stages: Stages, jobs: Iterator[RecordingJob]) -> None:
        if stages.transcriber is None:
            raise ValueError("recordings need a transcriber")
        self._stages, self._transcriber, self._jobs = stages, stages.transcriber, jobs
        self._jobs_broke = False
        self._waiting: deque[_Opened | Failure] = deque()

    def results(self) -> Iterator[Result]:
        """Yield one result for each job, in order."""
        while True:
            try:
                for heard in self._transcriber.transcribe(self._feed()):
                    yield from self._failed_before()
                    yield self._finished(self._waiting.popleft(), heard)
                yield from self._failed_before()
                return
            except (SetupError, StoreError):
                raise
            except Exception as error:  # the transcriber's own; the call it was at pays for it, no other
                if self._jobs_broke:
                    raise
                yield from self._one_by_one(error)

    def _feed(self) -> Iterator[SpeechJob]:
        while (job := self._next()) is not None:
            try:
                recording = open_recording(job.path, self._stages.audio)
            except Exception as error:
                self._waiting.append(failure_of(job, "audio", error, self._stages.clock()))
                continue
            with recording:
                tones = tuple((tone.start, tone.end) for tone in tone_regions(recording.levels))
                self._waiting.append(_Opened(job, recording.sound, tones))
                yield SpeechJob(job.metadata, recording)

    def _next(self) -> RecordingJob | None:
        try:
            return next(self._jobs, None)
        except Exception:
            self._jobs_broke = True
            raise

    def _finished(self, opened: _Opened | Failure, heard: Transcript | Failed) -> Result:
        assert isinstance(opened, _Opened), "failures have been taken out before"
        if isinstance(heard, Failed):
            return failure_of(opened.job, "speech", heard.error, self._stages.clock())
        return _tagged(opened.job, heard, opened, self._stages)

    def _failed_before(self) -> Iterator[Failure]:
        """Yield the failures that come before the next transcript."""
        while self._waiting and isinstance(failure := self._waiting[0], Failure):
            self._waiting.popleft()
            yield failure

    def _one_by_one(self, error: Exception) -> Iterator[Result]:
        """Yield the results of the calls that were open when the transcriber failed, each taken alone."""
        opened = [item for item in self._waiting if isinstance(item, _Opened)]
        if not opened:
            raise error
        waiting, self._waiting = self._waiting, deque()
        for item in waiting:
            if isinstance(item, Failure):
                yield item
            elif len(opened) == 1:
                yield failure_of(item.job, "speech", error, self._stages.clock())
            else:
                yield from _Speech(self._stages, iter([item.job])).results()


def _imported(job: TranscriptJob, stages: Stages) -> Result:
    return _tagged(job, job.transcript, None, stages)


def _tagged(job: Job, transcript: Transcript, opened: _Opened | None, stages: Stages) -> Result:
    """The stages after speech."""
    sound, stage = (opened.sound if opened else None), "tags"
    try:
        given = with_roles(transcript.utterances, job.metadata, sound, stages.audio, stages.tagger)
        if given.swapped and sound:
            sound = replace(sound, notes=(*sound.notes, "swapped_channels"))
        tagged = stages.tagger.tag_call(given.utterances)
        transcript, stage = replace(transcript, utterances=tagged.utterances), "measures"
        measures = measure_call(transcript, sound, opened.tones if opened else ())
    except Exception as error:
        return failure_of(job, stage, error, stages.clock())
    return CallAnalysis(
        metadata=job.metadata,
        sound=sound,
        transcript=transcript,
        tags=tagged.tags,
        call_tags=tagged.call,
        measures=measures,
        versions=Versions(transcript.engine, stages.tagger.version, MEASURES_VERSION),
        identity_hash=sound.content_hash if sound else job.content_hash,  # type: ignore[union-attr]
    )
