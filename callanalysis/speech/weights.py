"""The format of Whisper weights: read without running code, checked, written.

It is openai-whisper's own, `{"dims": ..., "model_state_dict": ...}`, so that `whisper.load_model(path)` takes
the same file; or safetensors with the dims as JSON in its metadata. Where files lie is not known here.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from whisper.model import ModelDimensions, Whisper

from callanalysis.errors import CheckpointError

_AUDIO_CONTEXT = 1500  # positions for 30 s, which Whisper's encoder insists on
_MEL_BINS = (80, 128)
_SMALLEST_VOCABULARY = 51_864  # of the English-only tokeniser
_LARGEST_VOCABULARY = 500_000
_LARGEST = 8192  # of any other dimension; large-v3 has 1,280


def read_weights(path: Path) -> tuple[ModelDimensions, dict[str, torch.Tensor]]:
    """Return the dims and the tensors of a checkpoint file, its structure checked. No pickled code is run."""
    raw, weights = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pt(path)
    dims = _dimensions(path, raw)
    _check_shapes(path, dims, weights)
    return dims, weights


def save_safetensors(network: Whisper, path: Path) -> None:
    """Write a network as safetensors, its dims in the metadata."""
    from safetensors.torch import save_file

    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path, metadata={"dims": json.dumps(asdict(network.dims))})


def _read_pt(path: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported global" in str(error):
            raise weights_fault(
                path, "the file holds Python code beside weights", "checkpoint_code"
            ) from error
        raise weights_fault(path, "the file is damaged or no checkpoint", "checkpoint_damaged") from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise weights_fault(path, "the file is damaged or no checkpoint", "checkpoint_damaged") from error
    if not isinstance(content, dict) or not {"dims", "model_state_dict"} <= content.keys():
        found = (
            ", ".join(sorted(map(str, content))[:5]) if isinstance(content, dict) else type(content).__name__
        )
        fault = (
            f"a Whisper checkpoint has the keys dims and model_state_dict, this file has {found or 'none'}"
        )
        raise weights_fault(path, fault, "checkpoint_keys")
    return content["dims"], content["model_state_dict"]


def _read_safetensors(path: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    except (SafetensorError, OSError) as error:
        raise weights_fault(path, "the file is damaged or no checkpoint", "checkpoint_damaged") from error
    if "dims" not in metadata:
        raise weights_fault(path, "its metadata has no 'dims'", "checkpoint_keys")
    try:
        return json.loads(metadata["dims"]), weights
    except json.JSONDecodeError as error:
        raise weights_fault(path, "the dims in its metadata are no JSON", "checkpoint_dims") from error


def _dimensions(path: Path, raw: Any) -> ModelDimensions:
    names = [field.name for field in fields(ModelDimensions)]
    if not isinstance(raw, dict) or sorted(raw) != sorted(names):
        raise weights_fault(path, f"dims must have exactly {', '.join(names)}", "checkpoint_dims")
    for name, value in raw.items():
        limit = _LARGEST_VOCABULARY if name == "n_vocab" else _LARGEST
        if not isinstance(value, int) or not 0 < value <= limit:
            raise weights_fault(
                path, f"{name} is {value!r}, not a number from 1 to {limit}", "checkpoint_dims"
            )
    dims = ModelDimensions(**raw)
    wrong = {
        "n_audio_ctx": dims.n_audio_ctx != _AUDIO_CONTEXT,
        "n_mels": dims.n_mels not in _MEL_BINS,
        "n_vocab": dims.n_vocab < _SMALLEST_VOCABULARY,
        "n_audio_head": dims.n_audio_state % dims.n_audio_head != 0,
        "n_text_head": dims.n_text_state % dims.n_text_head != 0,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise weights_fault(
                path, f"{name} is {getattr(dims, name)}, which Whisper cannot use", "checkpoint_dims"
            )
    return dims


def _check_shapes(path: Path, dims: ModelDimensions, weights: dict[str, torch.Tensor]) -> None:
    """Compare what fixes the size of the network before a network of that size is built."""
    expected = {
        "encoder.conv1.weight": (dims.n_audio_state, dims.n_mels, 3),
        "encoder.positional_embedding": (dims.n_audio_ctx, dims.n_audio_state),
        "decoder.token_embedding.weight": (dims.n_vocab, dims.n_text_state),
        "decoder.positional_embedding": (dims.n_text_ctx, dims.n_text_state),
        f"encoder.blocks.{dims.n_audio_layer - 1}.attn.query.weight": (dims.n_audio_state,) * 2,
        f"decoder.blocks.{dims.n_text_layer - 1}.attn.query.weight": (dims.n_text_state,) * 2,
    }
    for name, shape in expected.items():
        if not isinstance(weights.get(name), torch.Tensor):
            raise weights_fault(path, f"the weights have no {name}", "checkpoint_keys")
        found = tuple(weights[name].shape)
        if found != shape:
            raise weights_fault(path, f"{name} has shape {found}, the dims say {shape}", "checkpoint_dims")


def weights_fault(path: Path, fault: str, code: str) -> CheckpointError:
    """Return the error for a file of weights."""
    remedy = "Get the file again, or name another model; `callanalysis models list` shows what is there"
    return CheckpointError(str(path), fault, remedy, code)


def first_lines(error: RuntimeError) -> str:
    """Return what torch says about tensors that do not fit, shortened."""
    lines = [line.strip() for line in str(error).splitlines()[1:3]]
    return " ".join(lines)[:300]
