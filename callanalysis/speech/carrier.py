"""Weights brought to this machine: fetched where there is a network, imported where a person carries them in.

Whatever happens half-way, a file under its final name is whole and checked.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import torch
import whisper
from whisper.audio import N_FRAMES

from callanalysis.errors import CallAnalysisError, CheckpointError
from callanalysis.speech.checkpoints import (
    DEMO,
    OFFICIAL,
    SUFFIXES,
    Checkpoint,
    check_sum,
    file_sha256,
    find_checkpoint,
    load_checkpoint,
    official_file,
    official_sha256,
    weights_folder,
)

_NO_ANSWER = 30.0  # seconds without a byte after which the network counts as down
# Millions of parameters, openai-whisper's README; a file has two bytes for each.
_PARAMETERS = {"tiny": 39, "base": 74, "small": 244, "medium": 769, "large": 1550, "turbo": 809}


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One line of the list. `size` in bytes, about right for official weights that are not here.

    `state` is "missing", "here" (a file of one's own), "verified" or "damaged" (its checksum).
    """

    name: str
    size: int | None
    state: str
    path: Path | None


def list_models(models: Path) -> list[ListedModel]:
    """Return the demonstration model, the official ones and those imported, with their state here."""
    names = [DEMO, *dict.fromkeys(official_file(name).removesuffix(".pt") for name in OFFICIAL)]
    folder = weights_folder(models)
    own = sorted(path.stem for path in folder.glob("*") if path.suffix in SUFFIXES) if folder.is_dir() else []
    return [_listed(name, models) for name in (*names, *(name for name in own if name not in names))]


def fetch_model(name: str, models: Path) -> Path:
    """Download an official model by openai-whisper's own code and return its path.

    Raises CheckpointError "checkpoint_offline" without a network, with what to carry over by hand.
    """
    if name not in OFFICIAL:
        known = ", ".join(OFFICIAL)
        raise CheckpointError(
            name, "no official model has this name", f"Choose one of {known}", "checkpoint_name"
        )
    target = weights_folder(models) / official_file(name)
    if target.is_file() and file_sha256(target) == official_sha256(name):
        return target
    with _beside(target) as folder:
        try:
            with _patience():
                path = whisper._download(OFFICIAL[name], str(folder), in_memory=False)
        except (OSError, HTTPException) as error:
            raise _offline(name, error) from error
        except RuntimeError as error:
            raise CheckpointError(name, str(error), "Fetch it again", "checkpoint_checksum") from error
        os.replace(path, target)
    return target


def import_model(file: Path, models: Path, name: str | None = None) -> Checkpoint:
    """Check a file carried in by hand, copy it to the other weights, and return it under its name there.

    An official file is known by its checksum, whatever it is called; any other must have the structure of a
    checkpoint, and is called `name` or as the file is.
    """
    if not file.is_file():
        raise CheckpointError(
            str(file), "there is no such file", "Give the path of the file", "checkpoint_missing"
        )
    digest = file_sha256(file)
    official = next((known for known in OFFICIAL if official_sha256(known) == digest), None)
    if official:
        name, target = official, weights_folder(models) / official_file(official)
    else:
        name = name or file.stem
        target = _own_target(file, name, models)
        load_checkpoint(Checkpoint(name, file))
    with _beside(target) as folder:
        shutil.copyfile(file, folder / target.name)
        if file_sha256(folder / target.name) != digest:
            raise CheckpointError(
                str(file), "it changed while it was copied", "Import it again", "checkpoint_damaged"
            )
        os.replace(folder / target.name, target)
    return Checkpoint(name, target, digest if official else None)


def verify_model(model: str, models: Path) -> Checkpoint:
    """Check the checksum, the structure and one pass through the network; raises CheckpointError."""
    checkpoint = find_checkpoint(model, models)
    check_sum(checkpoint)
    network = load_checkpoint(checkpoint)
    with torch.inference_mode():
        mel = torch.zeros(1, network.dims.n_mels, N_FRAMES)
        logits = network(mel, torch.tensor([[network.dims.n_vocab - 1]]))
    if not torch.isfinite(logits).all():
        fault = "the network gives values that are no numbers"
        raise CheckpointError(str(checkpoint.path), fault, "Get the file again", "checkpoint_damaged")
    return checkpoint


def _listed(name: str, models: Path) -> ListedModel:
    try:
        checkpoint = find_checkpoint(name, models)
    except CheckpointError:
        return ListedModel(name, _expected_size(name), "missing", None)
    state = "here"
    if checkpoint.sha256:
        state = "verified" if file_sha256(checkpoint.path) == checkpoint.sha256 else "damaged"
    return ListedModel(name, checkpoint.path.stat().st_size, state, checkpoint.path)


def _expected_size(name: str) -> int | None:
    family = "turbo" if name.endswith("turbo") else name.split(".")[0].split("-")[0]
    return _PARAMETERS[family] * 2_000_000 if family in _PARAMETERS else None


def _own_target(file: Path, name: str, models: Path) -> Path:
    if file.suffix not in SUFFIXES:
        remedy = f"Rename it to end in {' or '.join(SUFFIXES)}, as its format is"
        raise CheckpointError(
            str(file), f"the ending {file.suffix!r} is none of a checkpoint", remedy, "checkpoint_name"
        )
    taken = {DEMO, *OFFICIAL, *(official_file(known).removesuffix(".pt") for known in OFFICIAL)}
    if name in taken or Path(name).name != name:
        fault = (
            f"its checksum is not that of the official {name!r}"
            if name in OFFICIAL
            else f"{name!r} cannot be its name"
        )
        remedy = "Carry the official file over again; if it is your own, give another name with --name"
        raise CheckpointError(str(file), fault, remedy, "checkpoint_checksum")
    return weights_folder(models) / f"{name}{file.suffix}"


def _offline(name: str, error: Exception) -> CheckpointError:
    reason = getattr(error, "reason", None) or error
    remedy = (
        f"On a machine with internet download {OFFICIAL[name]}, carry the file here and run "
        f'`callanalysis models import {official_file(name)}`; or use the model "demo"'
    )
    return CheckpointError(name, f"it cannot be fetched from here ({reason})", remedy, "checkpoint_offline")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder on the same disk as the target, gone afterwards."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".incoming-") as folder:
            yield Path(folder)
    except CallAnalysisError:
        raise
    except OSError as error:
        remedy = "Make the folder writable, or set `models` in callanalysis.toml to one that is"
        raise CheckpointError(
            str(target.parent), f"no file can be put there ({error.strerror})", remedy
        ) from error


@contextmanager
def _patience() -> Iterator[None]:
    """A network that swallows everything gives an error instead of waiting for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_NO_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
