"""What batches keep account of: failures, files seen, and which running batch has taken on which call."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped

from callanalysis.schema import Failure
from callanalysis.store.engine import writing
from callanalysis.store.tables import CallRow, ClaimRow, FailureRow, RunRow, SourceRow

STALE_AFTER = timedelta(minutes=5)  # without a heartbeat; a dead process on this machine is seen at once
_MANY = 500  # values in one statement
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it was when its content was hashed; `duration` in seconds, None where unknown."""

    path: str
    size: int
    modified_ns: int
    content_hash: str
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class StoredCall:
    """What a batch needs to know of a stored call."""

    call_id: str
    identity_hash: str
    metadata_hash: str
    collector_channel: int | None
    language: str | None  # as the call list gives it
    sound_path: str | None


class Ledger:
    """The batch's books, in the same database as the calls."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine, self._clock = engine, clock

    def stored_calls(self, call_ids: Iterable[str]) -> dict[str, StoredCall]:
        """Return those of the calls that are stored, by id."""
        return {call.call_id: call for call in self._stored(CallRow.call_id, call_ids)}

    def calls_with_content(self, hashes: Iterable[str]) -> dict[str, StoredCall]:
        """Return stored calls by the hash of their content."""
        return {call.identity_hash: call for call in self._stored(CallRow.identity_hash, hashes)}

    def move_sound(self, call_id: str, path: str) -> None:
        """Say where the recording of a stored call lies now."""
        with writing(self._engine).begin() as connection:
            where = CallRow.call_id == call_id
            connection.execute(update(CallRow).where(where).values(sound_path=path))

    def seen_files(self, paths: Iterable[str]) -> dict[str, SeenFile]:
        """Return what is known of files, by path."""
        columns = (
            SourceRow.path,
            SourceRow.size,
            SourceRow.modified_ns,
            SourceRow.content_hash,
            SourceRow.duration,
        )
        with self._engine.connect() as connection:
            found = [
                SeenFile(*row)
                for some in _chunks(paths)
                for row in connection.execute(select(*columns).where(SourceRow.path.in_(some)))
            ]
        return {seen.path: seen for seen in found}

    def note_files(self, files: Iterable[SeenFile]) -> None:
        """Remember files and their content."""
        for some in _chunks(files):
            with writing(self._engine).begin() as connection:
                connection.execute(delete(SourceRow).where(SourceRow.path.in_([seen.path for seen in some])))
                connection.execute(insert(SourceRow), [asdict(seen) for seen in some])

    def record_failure(self, failure: Failure, fingerprint: str | None) -> Failure:
        """Record a failure in place of the same source's older one; returns it with the attempts counted."""
        with writing(self._engine).begin() as connection:
            same = FailureRow.source == failure.source
            before = connection.execute(select(FailureRow.attempts).where(same)).scalar() or 0
            connection.execute(delete(FailureRow).where(same))
            values = asdict(failure) | {"attempts": before + 1, "fingerprint": fingerprint}
            connection.execute(insert(FailureRow).values(values))
        return replace(failure, attempts=before + 1)

    def failures(self) -> list[Failure]:
        """Return all failures, the newest first."""
        with self._engine.connect() as connection:
            query = select(*_FAILURE_COLUMNS).order_by(FailureRow.at.desc(), FailureRow.source)
            return [Failure(*row) for row in connection.execute(query)]

    def fingerprints(self) -> dict[str, str | None]:
        """Return of every failed source what its content was, to try again only what has changed."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(FailureRow.source, FailureRow.fingerprint))
            return {row[0]: row[1] for row in rows}

    def clear_failures(self, sources: Iterable[str]) -> None:
        """Forget failures."""
        for some in _chunks(sources):
            with writing(self._engine).begin() as connection:
                connection.execute(delete(FailureRow).where(FailureRow.source.in_(some)))

    def begin_run(self) -> str:
        """Return the id of a new run by this process; runs that have died are cleared, with their claims."""
        run, now = str(uuid.uuid4()), self._clock()
        with writing(self._engine).begin() as connection:
            _bury_dead_runs(connection, now)
            values = {"id": run, "host": socket.gethostname(), "pid": os.getpid()}
            connection.execute(insert(RunRow).values(values | {"started_at": now, "heartbeat_at": now}))
        return run

    def beat(self, run: str) -> None:
        """Say that a run is alive."""
        with writing(self._engine).begin() as connection:
            connection.execute(update(RunRow).where(RunRow.id == run).values(heartbeat_at=self._clock()))

    def end_run(self, run: str) -> None:
        """Give back what a run still holds."""
        with writing(self._engine).begin() as connection:
            _delete_runs(connection, [run])

    def claim(self, run: str, call_id: str) -> bool:
        """Take on a call; False where another run that is alive has it."""
        if self._try_claim(run, call_id):
            return True
        with writing(self._engine).begin() as connection:
            _bury_dead_runs(connection, self._clock())
        return self._try_claim(run, call_id)

    def release(self, call_id: str) -> None:
        """Give back a call."""
        with writing(self._engine).begin() as connection:
            connection.execute(delete(ClaimRow).where(ClaimRow.call_id == call_id))

    def _try_claim(self, run: str, call_id: str) -> bool:
        try:
            with writing(self._engine).begin() as connection:
                connection.execute(insert(ClaimRow).values(call_id=call_id, run_id=run))
        except IntegrityError:
            return False
        return True

    def _stored(self, column: Mapped[str], values: Iterable[str]) -> list[StoredCall]:
        with self._engine.connect() as connection:
            query = select(*_STORED_COLUMNS)
            return [
                StoredCall(*row)
                for some in _chunks(values)
                for row in connection.execute(query.where(column.in_(some)))
            ]


_STORED_COLUMNS = (
    CallRow.call_id,
    CallRow.identity_hash,
    CallRow.metadata_hash,
    CallRow.collector_channel,
    CallRow.metadata_language,
    CallRow.sound_path,
)
_FAILURE_COLUMNS = tuple(getattr(FailureRow, field.name) for field in fields(Failure))


def _bury_dead_runs(connection: Connection, now: datetime) -> None:
    runs = connection.execute(select(RunRow.id, RunRow.host, RunRow.pid, RunRow.heartbeat_at))
    here = socket.gethostname()
    dead = [
        run
        for run, host, pid, heartbeat in runs
        if now - heartbeat > STALE_AFTER or (host == here and not _is_alive(pid))
    ]
    _delete_runs(connection, dead)


def _delete_runs(connection: Connection, runs: list[str]) -> None:
    connection.execute(delete(ClaimRow).where(ClaimRow.run_id.in_(runs)))
    connection.execute(delete(RunRow).where(RunRow.id.in_(runs)))


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # there the heartbeat decides: signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = list(items)
    for start in range(0, len(rest), _MANY):
        yield rest[start : start + _MANY]
