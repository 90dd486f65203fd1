"""A batch: recordings or transcripts through the pipeline into the store, resumable at any call.

Started twice it does nothing twice, stopped anywhere it goes on, beside another batch it shares the calls. It
prints nothing: a Watcher is told what happens.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from callanalysis.errors import InputError, StoreError
from callanalysis.intake.calllist import CallList, ListRow, open_zone, read_call_list
from callanalysis.intake.folders import Folder, find_recordings
from callanalysis.intake.transcripts import ImportedCall, count_lines, read_transcripts
from callanalysis.intake.values import Clock
from callanalysis.pipeline import Job, Result, Stages, failure_of
from callanalysis.planning import Choices, Planner, Refusal, Step, Task
from callanalysis.schema import CallAnalysis, Failure
from callanalysis.settings import Settings
from callanalysis.store.db import Store
from callanalysis.workers import Opener, work, worker_count

log = logging.getLogger(__name__)

HEARTBEAT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    """What to analyse, and how; `workers` None leaves their number to the batch."""

    source: Path
    settings: Settings
    call_list: Path | None = None
    choices: Choices = field(default_factory=Choices)
    workers: int | None = None


@dataclass(slots=True)
class Summary:
    """What became of the inputs."""

    analysed: int = 0
    stored: int = 0  # before
    corrected: int = 0  # of them, by a changed call list
    elsewhere: int = 0  # taken by another batch that is running
    failed_before: int = 0  # and not tried again
    failures: list[Failure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: every input is in the store, 1: some failed now or before, 2: nothing could be done."""
        if self.failures or self.failed_before:
            return 1
        return 0 if self.analysed or self.stored else 2


class Watcher(Protocol):
    """Whoever shows what a batch does."""

    def planned(self, calls: int, seconds: float) -> None:
        """So many calls are to be analysed, with so many seconds of sound (0 for transcripts)."""

    def done(self, result: Result | None, seconds: float) -> None:
        """One of them is done; None where it turned out that nothing was to be done."""


def run(request: Request, store: Store, watcher: Watcher, opener: Opener | None = None) -> Summary:
    """Analyse what the store lacks and return what became of every input.

    Raises InputError where there is nothing to analyse, SetupError without models, StoreError.
    """
    source = request.source.expanduser().absolute()
    opener = opener or open_models
    rows = _rows(request)
    planner = Planner(store, request.choices, datetime.now(UTC))
    planner.notices += [f"{rows.path.name}, {fault}" for fault in rows.faults] if rows else []
    listed = rows.rows if rows else ()
    inputs = _inputs(source, listed, planner, request.settings)
    with _claiming(store) as run_id:
        batch = _Batch(store, watcher, run_id)
        steps, count = inputs.steps, request.workers or 1
        if inputs.lines is None:
            planned = list(steps)
            tasks = [step for step in planned if isinstance(step, Task)]
            seconds = sum(task.seconds for task in tasks)
            count = worker_count(request.workers, len(tasks), seconds, request.settings)
            watcher.planned(len(tasks), seconds)
            steps = iter(planned)
        else:
            watcher.planned(inputs.lines, 0.0)
        for job, result in work(batch.jobs(steps), opener, request.settings, count):
            batch.keep(job, result)
    _forget_gone(store, planner, source, with_list=rows is not None)
    return _summary(batch, planner)


def open_models(settings: Settings) -> Stages:
    """Return the stages with the models that the settings name; raises CheckpointError."""
    from callanalysis.speech.engines import open_transcriber
    from callanalysis.tagging.predict import open_tagger

    transcriber = open_transcriber(settings.speech, settings.models)
    return Stages(open_tagger(settings), transcriber, settings.audio)


class _Batch:
    """The jobs of one run, claimed, and their results, kept."""

    def __init__(self, store: Store, watcher: Watcher, run_id: str) -> None:
        self.summary = Summary()
        self._store, self._watcher, self._run = store, watcher, run_id
        self._tasks: dict[str, Task] = {}  # by source

    def jobs(self, steps: Iterable[Step]) -> Iterator[Job]:
        """Yield the jobs that are this batch's to do; refusals are recorded."""
        for step in steps:
            if isinstance(step, Refusal):
                self._record(step.failure, step.fingerprint)
            elif self._claim(step):
                self._tasks[step.job.source] = step
                yield step.job
            else:
                self._watcher.done(None, step.seconds)

    def keep(self, job: Job, result: Result) -> None:
        """Store a result in one transaction and give the call back."""
        task = self._tasks.pop(job.source)
        if isinstance(result, CallAnalysis):
            result = self._saved(job, result)
        if isinstance(result, Failure):
            self._record(result, task.fingerprint)
        else:
            self._store.clear_failure(job.source)
            self.summary.analysed += 1
        self._store.ledger.release(job.metadata.call_id)
        self._watcher.done(result, task.seconds)

    def _saved(self, job: Job, analysis: CallAnalysis) -> Result:
        try:
            self._store.save(analysis)
        except StoreError:
            raise
        except Exception as error:  # this call's content; the database itself answers
            return failure_of(job, "store", error, datetime.now(UTC))
        return analysis

    def _claim(self, task: Task) -> bool:
        """Take the call on, unless another batch has it or has stored it since."""
        call_id = task.job.metadata.call_id
        if not self._store.ledger.claim(self._run, call_id):
            self.summary.elsewhere += 1
            return False
        if not task.again and self._store.identity(call_id) is not None:
            self._store.ledger.release(call_id)
            self.summary.stored += 1
            return False
        return True

    def _record(self, failure: Failure, fingerprint: str | None) -> None:
        self.summary.failures.append(self._store.record_failure(failure, fingerprint))


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What is to be compared with the store; `lines` counts transcripts and is None for recordings."""

    steps: Iterator[Step]
    lines: int | None = None


def _inputs(source: Path, rows: Sequence[ListRow], planner: Planner, settings: Settings) -> _Inputs:
    """Return the inputs below a path; raises InputError where there are none."""
    if not source.exists():
        raise InputError(str(source), "there is no such file or folder", "Correct the path")
    if source.suffix.lower() == ".jsonl" and source.is_file():
        return _transcripts([source], rows, planner, settings)
    folder = find_recordings(source, rows)
    if not folder.files and (files := sorted(source.rglob("*.jsonl"))):
        return _transcripts(files, rows, planner, settings)
    if not folder.files and not folder.faults:
        others = ", ".join(f"{count} {ending}" for ending, count in folder.passed_over.most_common(5))
        fault = f"there are no recordings in it{f' ({others} passed over)' if others else ''}"
        raise InputError(str(source), fault, "Give a folder of recordings, a recording or a .jsonl file")
    _note_unlisted(folder, rows, planner)
    return _Inputs(planner.recordings(folder))


def _transcripts(
    files: Sequence[Path], rows: Sequence[ListRow], planner: Planner, settings: Settings
) -> _Inputs:
    clock = Clock(open_zone(settings.timezone), datetime.now(UTC))
    count = sum(map(count_lines, files))
    if not count:
        raise InputError(str(files[0]), "the file is empty", "Write one transcript a line")
    lines: Iterator[ImportedCall | InputError] = (
        line for file in files for line in read_transcripts(file, clock)
    )
    return _Inputs(planner.transcripts(lines, rows), lines=count)


def _note_unlisted(folder: Folder, rows: Sequence[ListRow], planner: Planner) -> None:
    unlisted = [file.path.name for file in folder.files if not file.listed]
    if rows and unlisted:
        names = ", ".join(unlisted[:5]) + (", …" if len(unlisted) > 5 else "")
        planner.notices.append(f"{len(unlisted)} recordings are not in the call list ({names})")


def _rows(request: Request) -> CallList | None:
    if request.call_list is None:
        return None
    return read_call_list(request.call_list, request.settings.timezone)


def _forget_gone(store: Store, planner: Planner, source: Path, with_list: bool) -> None:
    """Forget the failures of inputs below `source` that are no longer there."""
    places = (f"{source}{os.sep}", f"{source}:")
    gone = [
        failure.source
        for failure in store.failures()
        if failure.source not in planner.sources
        and (failure.source == str(source) or failure.source.startswith(places))
        and (with_list or failure.stage != "list")
    ]
    store.ledger.clear_failures(gone)


def _summary(batch: _Batch, planner: Planner) -> Summary:
    summary, counts = batch.summary, planner.counts
    summary.stored += counts["stored"]
    summary.corrected = counts["corrected"]
    summary.failed_before = counts["failed_before"]
    summary.notices = planner.notices
    return summary


@contextmanager
def _claiming(store: Store) -> Iterator[str]:
    """A run that says it is alive until it ends, whatever ends it."""
    run_id, stop = store.ledger.begin_run(), threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT):
            try:
                store.ledger.beat(run_id)
            except StoreError as error:  # the next beat may come through, and the batch itself will tell
                log.warning("no heartbeat: %s", error.fault)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield run_id
    finally:
        stop.set()
        thread.join()
        store.ledger.end_run(run_id)
