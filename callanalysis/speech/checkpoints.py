"""Whisper checkpoints found by official name, by path or as "demo", and loaded.

weights.py knows the format; carrier.py fetches and imports files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import whisper
from whisper.model import Whisper

from callanalysis.errors import CheckpointError
from callanalysis.speech.weights import first_lines, read_weights, weights_fault

DEMO = "demo"
SUFFIXES = (".pt", ".safetensors")
OFFICIAL: dict[str, str] = dict(whisper._MODELS)  # name: address, with the SHA-256 as its last folder


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of weights. `sha256` is the expected checksum of an official one, None for any other."""

    name: str
    path: Path
    sha256: str | None = None


def weights_folder(models: Path) -> Path:
    """Return the folder for weights that were fetched or imported."""
    return models / "speech"


def find_checkpoint(model: str, models: Path) -> Checkpoint:
    """Return the checkpoint that `model` names; raises CheckpointError "checkpoint_missing".

    `model` is "demo", an official name, the name of an imported file, or a path. Official weights are also
    found where openai-whisper itself keeps them.
    """
    if model == DEMO:
        return _existing(model, [models / "speech-demo" / "model.pt"])
    if model in OFFICIAL:
        file = official_file(model)
        places = [weights_folder(models) / file, Path.home() / ".cache" / "whisper" / file]
        return _existing(model, places, official_sha256(model))
    if "/" not in model and "\\" not in model and Path(model).suffix not in SUFFIXES:
        return _existing(model, [weights_folder(models) / f"{model}{suffix}" for suffix in SUFFIXES])
    return _existing(model, [Path(model).expanduser()])


def official_file(name: str) -> str:
    """Return the file name of an official model: that of large is large-v3.pt."""
    return OFFICIAL[name].rsplit("/", 1)[1]


def official_sha256(name: str) -> str:
    """Return the checksum of an official model, which its address carries."""
    return OFFICIAL[name].split("/")[-2]


def file_sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sum(checkpoint: Checkpoint) -> str:
    """Return the file's SHA-256; raises CheckpointError "checkpoint_checksum" on a wrong one."""
    found = file_sha256(checkpoint.path)
    if checkpoint.sha256 is not None and checkpoint.sha256 != found:
        fault = (
            f"its checksum is {found[:12]}..., not {checkpoint.sha256[:12]}...: it is damaged or another file"
        )
        remedy = f"Run `callanalysis models fetch {checkpoint.name}`, or carry the file over again"
        raise CheckpointError(str(checkpoint.path), fault, remedy, "checkpoint_checksum")
    return found


def load_checkpoint(checkpoint: Checkpoint) -> Whisper:
    """Return the network on the CPU in float32, ready to run; raises CheckpointError that names the fault."""
    dims, tensors = read_weights(checkpoint.path)
    network = Whisper(dims)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        fault = f"the weights do not fit the dims: {first_lines(error)}"
        raise weights_fault(checkpoint.path, fault, "checkpoint_dims") from error
    heads = whisper._ALIGNMENT_HEADS.get(checkpoint.name)
    if heads is not None:
        network.set_alignment_heads(heads)
    return network.eval()


def _existing(model: str, places: list[Path], sha256: str | None = None) -> Checkpoint:
    for place in places:
        if place.is_file():
            return Checkpoint(model, place, sha256)
    fetched = model if sha256 else "small"
    remedy = (
        f"Three ways: run `callanalysis models fetch {fetched}` on a machine with internet; carry a "
        "checkpoint file over by hand and run `callanalysis models import FILE`; or set speech.model to "
        "demo, which knows the synthetic sample calls only"
    )
    subject = f"speech model {model!r}"
    raise CheckpointError(subject, f"there are no weights at {places[0]}", remedy, "checkpoint_missing")
