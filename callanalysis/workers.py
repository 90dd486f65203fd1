"""Jobs done here or by several processes, each with its own models and one thread; nothing is stored here.

A worker asks for its next job when it has room, so that no process hoards. One that dies gives its open jobs
to a new one, which takes them singly: the one that kills it again is a failure, the others go on.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeAlias

from callanalysis.errors import CallAnalysisError, SetupError
from callanalysis.intake.faults import input_error
from callanalysis.pipeline import Job, Result, Stages, analyse, failure_of
from callanalysis.settings import Settings

log = logging.getLogger(__name__)

Opener: TypeAlias = Callable[[Settings], Stages]
_MOST_IDLE_DEATHS = 3  # of workers that had no job
_ENOUGH = 600.0  # seconds of sound that make several processes worth their start
_MEMORY = 1_000_000_000  # bytes that a worker needs besides the weights


def work(
    jobs: Iterator[Job], opener: Opener, settings: Settings, workers: int
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result, in order where there is one worker; no model is opened without a job.

    `opener` is a function of a module, which a new process can import.
    """
    first = next(jobs, None)
    if first is None:
        return
    jobs = chain([first], jobs)
    if workers > 1:
        yield from _Crew(jobs, opener, settings).results(workers)
    else:
        yield from _here(jobs, opener(settings))


def worker_count(wanted: int | None, calls: int, seconds: float, settings: Settings) -> int:
    """Return how many processes to use: as wanted, or one a core where there is enough to do and memory."""
    if wanted is not None:
        return max(1, min(wanted, calls))
    if seconds < _ENOUGH or calls < 2:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, calls, _free_memory() // _memory_of_worker(settings)))


def _here(jobs: Iterator[Job], stages: Stages) -> Iterator[tuple[Job, Result]]:
    open_jobs: deque[Job] = deque()

    def taken() -> Iterator[Job]:
        for job in jobs:
            open_jobs.append(job)
            yield job

    for result in analyse(taken(), stages):
        yield open_jobs.popleft(), result


class _Worker:
    """One process and the jobs it has; `alone` where it takes one at a time."""

    def __init__(self, opener: Opener, settings: Settings, alone: bool) -> None:
        context = multiprocessing.get_context("spawn")  # a forked torch hangs
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, opener, settings, alone), daemon=True
        )
        self.alone, self.is_ready = alone, False
        self.jobs: deque[Job] = deque()
        self.process.start()
        theirs.close()


class _Crew:
    """The parent's side: hands out jobs, takes in results, replaces the dead."""

    def __init__(self, jobs: Iterator[Job], opener: Opener, settings: Settings) -> None:
        self._jobs, self._opener = jobs, opener
        self._settings = settings.model_copy(
            update={"speech": settings.speech.model_copy(update={"threads": 1})}
        )
        self._workers: list[_Worker] = []
        self._suspects: deque[Job] = deque()  # jobs of a worker that died
        self._idle_deaths = 0

    def results(self, count: int) -> Iterator[tuple[Job, Result]]:
        """Yield each job with its result as they come."""
        try:
            for _ in range(count):
                self._start()
            while self._workers:
                ready = wait([worker.connection for worker in self._workers])
                for worker in [worker for worker in self._workers if worker.connection in ready]:
                    yield from self._attend(worker)
        finally:
            for worker in self._workers:
                worker.process.terminate()
                worker.process.join(5)

    def _start(self, alone: bool = False) -> None:
        self._workers.append(_Worker(self._opener, self._settings, alone))

    def _attend(self, worker: _Worker) -> Iterator[tuple[Job, Result]]:
        try:
            kind, content = worker.connection.recv()
            if kind == "next":
                worker.is_ready = True
                self._hand_out(worker)
        except (EOFError, ConnectionError):
            yield from self._bury(worker)
            return
        if kind == "result":
            yield worker.jobs.popleft(), content
        elif kind == "setup":
            raise SetupError(*content)
        elif kind == "end":
            self._dismiss(worker)

    def _hand_out(self, worker: _Worker) -> None:
        job = self._suspects.popleft() if worker.alone and self._suspects else next(self._jobs, None)
        if job is not None:
            worker.jobs.append(job)
        worker.connection.send(job)

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()

    def _bury(self, worker: _Worker) -> Iterator[tuple[Job, Result]]:
        """Replace a worker that died."""
        self._dismiss(worker)
        code = worker.process.exitcode
        log.warning("a worker ended by itself, exit code %s, with %d calls open", code, len(worker.jobs))
        if not worker.jobs:
            self._idle_deaths += 1
        if not worker.is_ready or self._idle_deaths > _MOST_IDLE_DEATHS:
            fault = f"the process ended by itself at its start (exit code {code})"
            raise SetupError("worker", fault, "Memory may have run out: run with --workers 1")
        if worker.alone:
            for job in worker.jobs:
                error = input_error(job.source, "worker_died", exit_code=code)
                yield job, failure_of(job, "speech", error, datetime.now(UTC))
        else:
            self._suspects.extend(worker.jobs)
        self._start(alone=worker.alone or bool(worker.jobs))


def _serve(connection: Connection, opener: Opener, settings: Settings, alone: bool) -> None:
    """The worker's side: open the models, ask for jobs, send results; ends with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
    try:
        try:
            stages = opener(settings)
        except CallAnalysisError as error:
            connection.send(("setup", (error.subject, error.fault, error.remedy, error.code)))
            return
        jobs = _asked(connection)
        groups = ([job] for job in jobs) if alone else iter([jobs])
        for group in groups:
            for result in analyse(group, stages):
                connection.send(("result", result))
        connection.send(("end", None))
    except (EOFError, ConnectionError):
        log.info("the batch is gone; this worker ends")


def _asked(connection: Connection) -> Iterator[Job]:
    while True:
        connection.send(("next", None))
        job: Job | None = connection.recv()
        if job is None:
            return
        yield job


def _memory_of_worker(settings: Settings) -> int:
    from callanalysis.speech.checkpoints import find_checkpoint

    weights = find_checkpoint(settings.speech.model, settings.models).path.stat().st_size
    return _MEMORY + 3 * weights


def _free_memory() -> int:
    """Bytes; plenty where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 1 << 62
    free = next((line for line in lines if line.startswith("MemAvailable")), "x 4611686018427387904")
    return int(free.split()[1]) * 1024
