"""What a batch has to do: each input compared with the store, by call id and by content.

It opens no model and decodes nothing; of a file not seen before it reads the header and the hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import islice
from typing import TypeAlias, TypeVar

from callanalysis.audio.reader import probe
from callanalysis.errors import CallAnalysisError, InputError
from callanalysis.intake.calllist import ListRow, RowFault
from callanalysis.intake.faults import input_error
from callanalysis.intake.folders import Folder, FoundFile
from callanalysis.intake.transcripts import ImportedCall
from callanalysis.pipeline import Job, RecordingJob, TranscriptJob
from callanalysis.schema import CallMetadata, Failure
from callanalysis.store.db import Store
from callanalysis.store.ledger import SeenFile, StoredCall
from callanalysis.store.rows import metadata_hash

_CHUNK = 500  # inputs compared with the store at once
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Task:
    """A job with what identifies its content; `fingerprint` changes when the file does."""

    job: Job
    content_hash: str
    seconds: float = 0.0  # of sound
    fingerprint: str | None = None
    listed: bool = True  # the list or the transcript says who called; else only the file's name is known
    again: bool = False  # it is stored, and to be done anew


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input that is not given to the stages."""

    failure: Failure
    fingerprint: str | None = None


Step: TypeAlias = Task | Refusal


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator wants of inputs that were met before."""

    retry: bool = False  # failed files that have not changed, too
    replace: bool = False  # calls stored with other content


class Planner:
    """Compares inputs with the store; `counts` has stored, corrected, moved and failed_before."""

    def __init__(self, store: Store, choices: Choices, now: datetime) -> None:
        self.counts: Counter[str] = Counter()
        self.sources: set[str] = set()  # every input met, to forget the failures of those that are gone
        self.notices: list[str] = []
        self._store, self._choices, self._now = store, choices, now
        self._failed = store.ledger.fingerprints()
        self._ids: dict[str, str] = {}  # call id: source
        self._contents: dict[str, str] = {}  # hash: call id

    def recordings(self, folder: Folder) -> Iterator[Step]:
        """Yield what is to be done of a folder's recordings, and what is refused."""
        for fault in folder.faults:
            yield self._refuse(fault, None, "list")
        for some in _chunks(folder.files):
            steps = list(self._identified(some))
            yield from self._compared(steps)

    def transcripts(
        self, lines: Iterable[ImportedCall | InputError], rows: Sequence[ListRow]
    ) -> Iterator[Step]:
        """Yield what is to be done of transcripts, and what is refused; the call list comes first."""
        listed = {row.metadata.call_id: row.metadata for row in rows}
        for some in _chunks(lines):
            yield from self._compared([self._imported(line, listed) for line in some])

    def _imported(self, line: ImportedCall | InputError, listed: dict[str, CallMetadata]) -> Step:
        if isinstance(line, InputError):
            return self._refuse(line, None, "transcript")
        self._note(line.source, line.faults)
        metadata = _merged(listed.get(line.metadata.call_id), line.metadata)
        job = TranscriptJob(line.source, metadata, line.transcript, line.content_hash)
        return Task(job, line.content_hash, fingerprint=line.content_hash)

    def _identified(self, files: Sequence[FoundFile]) -> Iterator[Step]:
        """Files with their content; what failed before and has not changed is left out."""
        seen = self._store.ledger.seen_files(str(file.path) for file in files)
        new: list[SeenFile] = []
        for file in files:
            step = self._identify(file, seen, new)
            if step is not None:
                yield step
        self._store.ledger.note_files(new)

    def _identify(self, file: FoundFile, seen: dict[str, SeenFile], new: list[SeenFile]) -> Step | None:
        source = str(file.path)
        try:
            status = file.path.stat()
            fingerprint = f"{status.st_size} {status.st_mtime_ns}"
            if self._is_given_up(source, fingerprint):
                return None
            known = seen.get(source)
            if known is None or (known.size, known.modified_ns) != (status.st_size, status.st_mtime_ns):
                sound = probe(file.path)
                known = SeenFile(
                    source, status.st_size, status.st_mtime_ns, sound.content_hash, sound.duration
                )
                new.append(known)
        except CallAnalysisError as error:
            return self._refuse(error, file.metadata.call_id, "audio", source, fingerprint)
        except OSError as error:
            fault = input_error(source, "unexpected", stage="audio", error=error.strerror or "OSError")
            return self._refuse(fault, file.metadata.call_id, "audio", source)
        job = RecordingJob(source, file.metadata, file.path)
        return Task(job, known.content_hash, known.duration or 0.0, fingerprint, file.listed)

    def _is_given_up(self, source: str, fingerprint: str) -> bool:
        if self._choices.retry or self._failed.get(source) != fingerprint:
            return False
        self.sources.add(source)
        self.counts["failed_before"] += 1
        return True

    def _compared(self, steps: Sequence[Step]) -> Iterator[Step]:
        tasks = [step for step in steps if isinstance(step, Task)]
        stored = self._store.ledger.stored_calls(task.job.metadata.call_id for task in tasks)
        holders = self._store.ledger.calls_with_content(task.content_hash for task in tasks)
        for step in steps:
            compared = self._compare(step, stored, holders) if isinstance(step, Task) else step
            if compared is not None:
                yield compared

    def _compare(
        self, task: Task, stored: dict[str, StoredCall], holders: dict[str, StoredCall]
    ) -> Step | None:
        """The task where it is to be done, a refusal, or None where the store has it."""
        call_id, source = task.job.metadata.call_id, task.job.source
        self.sources.add(source)
        if isinstance(task.job, TranscriptJob) and self._is_given_up(source, task.fingerprint or ""):
            return None
        before, call = self._ids.get(call_id), stored.get(call_id)
        same = self._contents.get(task.content_hash)
        if same is None and call is None and (holder := holders.get(task.content_hash)):
            same = holder.call_id
        if same is not None:
            return self._refuse_identity(task, "duplicate_content", other=same)
        if before is not None:
            return self._refuse_identity(task, "identity_conflict", call_id=call_id, other=before)
        self._ids[call_id], self._contents[task.content_hash] = source, call_id
        if call is None:
            return task
        if call.identity_hash == task.content_hash:
            return self._refreshed(task, call)
        if self._choices.replace:
            return replace(task, again=True)
        other = call.sound_path or "an imported transcript"
        return self._refuse_identity(task, "identity_conflict", call_id=call_id, other=other)

    def _refreshed(self, task: Task, call: StoredCall) -> Task | None:
        """A stored call takes on a corrected list; done again only where the sound is read otherwise."""
        metadata = task.job.metadata
        if isinstance(task.job, RecordingJob) and call.sound_path != str(task.job.path):
            self._store.ledger.move_sound(call.call_id, str(task.job.path))
            self.counts["moved"] += 1
        if task.listed and metadata_hash(metadata) != call.metadata_hash:
            if (metadata.collector_channel, metadata.language) != (call.collector_channel, call.language):
                return replace(task, again=True)
            self._store.save_metadata(metadata)
            self.counts["corrected"] += 1
        if task.job.source in self._failed:
            self._store.clear_failure(task.job.source)
        self.counts["stored"] += 1
        return None

    def _refuse_identity(self, task: Task, code: str, **values: object) -> Refusal:
        error = input_error(task.job.source, code, **values)
        return self._refuse(error, task.job.metadata.call_id, "identity")

    def _refuse(
        self,
        error: CallAnalysisError,
        call_id: str | None,
        stage: str,
        source: str | None = None,
        fingerprint: str | None = None,
    ) -> Refusal:
        source = source or error.subject
        self.sources.add(source)
        failure = Failure(source, call_id, stage, error.code, error.fault, error.remedy, self._now)
        return Refusal(failure, fingerprint)

    def _note(self, source: str, faults: Iterable[RowFault]) -> None:
        self.notices += [f"{source}: {fault}" for fault in faults]


def _merged(listed: CallMetadata | None, given: CallMetadata) -> CallMetadata:
    """What the list says of a call, completed by what its transcript says."""
    if listed is None:
        return given
    missing = {
        field.name: getattr(given, field.name)
        for field in fields(CallMetadata)
        if getattr(listed, field.name) is None
    }
    return replace(listed, **missing, extra={**given.extra, **listed.extra})


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while some := list(islice(rest, _CHUNK)):
        yield some
