"""Recordings in a folder and calls in a list brought together, each fault named.

Files are told by name only; what is not in the list goes by its file's stem.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

from callanalysis.errors import InputError
from callanalysis.intake.calllist import ListRow
from callanalysis.intake.faults import input_error
from callanalysis.schema import CallMetadata

# Endings of what lies beside recordings; any other file is tried, so that none is lost by its name
_NO_SOUND = (
    "csv tsv xlsx xls xlsm txt md json jsonl xml html htm pdf doc docx log db db-wal db-shm sqlite py sh "
    "toml yaml yml ini zip gz tar 7z rar png jpg jpeg gif svg sha256 md5 tmp part crdownload lock bak"
)
NO_SOUND = frozenset(f".{ending}" for ending in _NO_SOUND.split())


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A recording with what is known of its call; `listed` is False where the call list does not name it."""

    path: Path
    metadata: CallMetadata
    listed: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """What was found: recordings in the order of list and name, faults of the list, other files by ending."""

    files: tuple[FoundFile, ...]
    faults: tuple[InputError, ...]
    passed_over: Counter[str]


def find_recordings(root: Path, rows: Sequence[ListRow]) -> Folder:
    """Return the recordings below a folder, or the one file that `root` is, matched with the list's rows."""
    paths, passed_over = _walk(root)
    matcher = _Matcher(root if root.is_dir() else root.parent, paths)
    files: list[FoundFile] = []
    faults: list[InputError] = []
    for row in rows:
        found = matcher.take(row)
        if isinstance(found, InputError):
            faults.append(found)
        elif found is not None:
            files.append(FoundFile(found, row.metadata, listed=True))
    if not root.is_dir():
        faults = [fault for fault in faults if fault.code != "not_in_folder"]
    files += [
        FoundFile(path, CallMetadata(path.stem), listed=False)
        for path in paths
        if path not in matcher.taken and path.suffix.lower() not in NO_SOUND
    ]
    return Folder(tuple(files), tuple(faults), passed_over)


class _Matcher:
    """Which file a row means; a file and an id are given once."""

    def __init__(self, root: Path, paths: Iterable[Path]) -> None:
        self.taken: dict[Path, ListRow] = {}
        self._root, self._ids = root, dict[str, ListRow]()
        self._by_name: defaultdict[str, list[Path]] = defaultdict(list)
        for path in paths:
            relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            for name in {relative, path.name, path.stem, str(path)}:
                self._by_name[name.casefold()].append(path)

    def take(self, row: ListRow) -> Path | InputError | None:
        """Return the row's file, or its fault; None for a line that says the same as an earlier one."""
        metadata = row.metadata
        first = self._ids.setdefault(metadata.call_id, row)
        wanted = metadata.file or metadata.call_id
        subject = str(self._root / PureWindowsPath(wanted).as_posix())
        if first is not row and replace(first, line=row.line) == row:
            return None
        found = self._candidates(metadata)
        if len(found) > 1:
            values = {"line": row.line, "name": wanted, "count": len(found)}
            return input_error(subject, "ambiguous_file", **values)
        if found and (other := self.taken.setdefault(found[0], row)) is not row:
            values = {"first": other.metadata.call_id, "call_id": metadata.call_id}
            return input_error(f"{subject} ({metadata.call_id})", "duplicate_file", **values)
        if first is not row:
            values = {"call_id": metadata.call_id, "first": first.line, "line": row.line}
            return input_error(str(found[0]) if found else subject, "duplicate_call_id", **values)
        return found[0] if found else input_error(subject, "not_in_folder", line=row.line)

    def _candidates(self, metadata: CallMetadata) -> list[Path]:
        """Files that the row can mean, by path, then name, then stem, then the call id as stem."""
        if metadata.file is None:
            return self._sounding(metadata.call_id)
        given = PureWindowsPath(metadata.file)
        for name in (given.as_posix(), str(Path(given.as_posix())), given.name):
            if found := self._by_name.get(name.removeprefix("./").casefold()):
                return found
        return [] if given.suffix else self._sounding(given.name)

    def _sounding(self, stem: str) -> list[Path]:
        found = self._by_name.get(stem.casefold(), [])
        return [path for path in found if path.suffix.lower() not in NO_SOUND]


def _walk(root: Path) -> tuple[list[Path], Counter[str]]:
    """All files below the folder in order of path, hidden ones left out; and endings that are no sound."""
    if root.is_file():
        return [root], Counter()
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    passed_over = Counter(path.suffix.lower() for path in paths if path.suffix.lower() in NO_SOUND)
    return paths, passed_over
