"""How far a batch is: a bar with the time left where there is a terminal, a line now and then where not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from callanalysis.batch import Watcher
from callanalysis.pipeline import Result
from callanalysis.schema import Failure

_EVERY = 30.0  # seconds between two lines


class Estimate:
    """Calls, seconds of sound and failures done; the time left by sound, by calls for transcripts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self.calls = self.all_calls = self.failed = 0
        self.seconds = self.all_seconds = 0.0
        self._worked = 0.0

    def planned(self, calls: int, seconds: float) -> None:
        """Begin with what is to be done."""
        self.all_calls, self.all_seconds, self._began = calls, seconds, self._clock()

    def add(self, result: Result | None, seconds: float) -> None:
        """Count a call; one that turned out to be done says nothing about speed."""
        self.calls += 1
        self.seconds += seconds
        self.failed += isinstance(result, Failure)
        self._worked += 0.0 if result is None else (seconds if self.all_seconds else 1.0)

    @property
    def elapsed(self) -> float:
        """Seconds since the plan."""
        return self._clock() - self._began

    @property
    def left(self) -> float | None:
        """Seconds to go, None as long as nothing is done."""
        rest = self.all_seconds - self.seconds if self.all_seconds else self.all_calls - self.calls
        return self.elapsed * max(0.0, rest) / self._worked if self._worked else None

    def __str__(self) -> str:
        speed = f", {self.seconds / self.elapsed:.1f} x real time" if self.seconds and self.elapsed else ""
        left = "" if self.left is None else f", {clock(self.left)} left"
        sound = f", {clock(self.seconds)} of {clock(self.all_seconds)} of sound" if self.all_seconds else ""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.calls} of {self.all_calls} calls{sound}{speed}{left}{failed}"


class BarWatcher:
    """Shows a bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar, self._estimate = bar, Estimate()
        self._task: TaskID = bar.add_task("looking at the files", total=None, note="")

    def planned(self, calls: int, seconds: float) -> None:
        """Begin the bar."""
        self._estimate.planned(calls, seconds)
        self._bar.update(self._task, description="analysing", total=calls, note="loading the models")

    def done(self, result: Result | None, seconds: float) -> None:
        """Move the bar."""
        self._estimate.add(result, seconds)
        note = str(self._estimate).split(" calls", 1)[1].removeprefix(", ")
        self._bar.update(self._task, advance=1, note=note)


class LineWatcher:
    """Prints a line when it has begun, every half minute, and at the end."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock, self._estimate = say, clock, Estimate(clock)
        self._last = clock()

    def planned(self, calls: int, seconds: float) -> None:
        """Say what is to be done."""
        self._estimate.planned(calls, seconds)
        sound = f", {clock(seconds)} of sound" if seconds else ""
        self._say(f"{calls} calls to analyse{sound}")

    def done(self, result: Result | None, seconds: float) -> None:
        """Say how far it is, if it was not said just now."""
        self._estimate.add(result, seconds)
        now = self._clock()
        if now - self._last >= _EVERY or self._estimate.calls == self._estimate.all_calls:
            self._last = now
            self._say(str(self._estimate))


@contextmanager
def open_progress() -> Iterator[Watcher]:
    """A watcher for standard error: a bar on a terminal, lines elsewhere."""
    if not sys.stderr.isatty():
        yield LineWatcher(lambda line: print(line, file=sys.stderr, flush=True))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield BarWatcher(bar)


def clock(seconds: float) -> str:
    """Return a length of time as 1:05 or 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
