"""A new model folder in the place of the one in use, which is kept beside it under its version.

It knows folders, not what a model is worth.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from callanalysis.errors import CheckpointError
from callanalysis.tagging.training import WORK


def put_in_place(new: Path, folder: Path, old_version: str) -> Path | None:
    """Move the model folder `new` to `folder`; return where the one that was there is kept, None if there was none.

    What the old folder holds besides the model (folders such as its corpus, hidden files) goes over into the new one
    first, by copy. Then each folder is renamed once: whoever opens the model meets the old one, the new one, or for the
    moment between the two renames a missing folder, never a mixture.

    Raises:
        CheckpointError: it cannot be done; the old model is where it was.
    """
    try:
        if not folder.exists():
            new.rename(folder)
            return None
        _copy_company(folder, new)
        kept = _free(folder.with_name(f"{folder.name}-{old_version}"))
        folder.rename(kept)
        try:
            new.rename(folder)
        except OSError:
            kept.rename(folder)
            raise
    except OSError as error:
        fault = f"the new model cannot be put here ({error.strerror or error})"
        raise CheckpointError(
            str(folder), fault, f"Make room or give the right to it; it is in {new}"
        ) from error
    return kept


def _copy_company(old: Path, new: Path) -> None:
    for child in old.iterdir():
        if child.is_dir() and child.name != WORK:
            shutil.copytree(child, new / child.name, dirs_exist_ok=True)
        elif child.is_file() and child.name.startswith("."):
            shutil.copy2(child, new / child.name)
        elif (new / child.name).is_file():
            shutil.copymode(child, new / child.name)  # weights are written for their owner alone


def _free(path: Path) -> Path:
    """Return the path, with a number behind it if it is taken: a model that was replaced is never lost."""
    found, number = path, 2
    while found.exists():
        found, number = path.with_name(f"{path.name}.{number}"), number + 1
    return found
