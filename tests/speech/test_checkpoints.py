"""Weights: found, checked, loaded; every fault has its own code, and no pickled code runs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
import whisper
from safetensors.torch import save_file
from typer.testing import CliRunner

from callanalysis.cli import app
from callanalysis.errors import CheckpointError
from callanalysis.speech.carrier import fetch_model, import_model, list_models, verify_model
from callanalysis.speech.checkpoints import (
    OFFICIAL,
    Checkpoint,
    check_sum,
    find_checkpoint,
    load_checkpoint,
)
from callanalysis.speech.weights import read_weights, save_safetensors

from .conftest import TINY, save_pt, scripted_network

DIMS = asdict(TINY)


@pytest.fixture(scope="module")
def network() -> whisper.Whisper:
    return scripted_network("好")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, network: whisper.Whisper) -> Path:
    return save_pt(network, tmp_path_factory.mktemp("weights") / "own.pt")


def fault_of(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(Checkpoint("x", path))
    assert str(path) in str(caught.value)
    return caught.value.code


def same(a: whisper.Whisper, b: whisper.Whisper) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_pt_loads_here_and_in_plain_whisper(weights: Path, network: whisper.Whisper) -> None:
    assert same(load_checkpoint(Checkpoint("own", weights)), network)
    assert same(whisper.load_model(str(weights), device="cpu"), network)


def test_safetensors_with_dims(tmp_path: Path, network: whisper.Whisper) -> None:
    save_safetensors(network, tmp_path / "own.safetensors")
    assert same(load_checkpoint(Checkpoint("own", tmp_path / "own.safetensors")), network)


def test_where_models_are_looked_for(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for place in ("speech-demo/model.pt", "speech/large-v3.pt", "speech/mine.pt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(weights.read_bytes())
    assert find_checkpoint("demo", tmp_path).path == tmp_path / "speech-demo" / "model.pt"
    assert find_checkpoint("large", tmp_path).path == tmp_path / "speech" / "large-v3.pt"
    assert find_checkpoint("large", tmp_path).sha256 == OFFICIAL["large-v3"].split("/")[-2]
    assert find_checkpoint("mine", tmp_path) == Checkpoint("mine", tmp_path / "speech" / "mine.pt")
    assert find_checkpoint(str(weights), tmp_path) == Checkpoint(str(weights), weights)
    cached = tmp_path / "home" / ".cache" / "whisper" / "tiny.pt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    assert find_checkpoint("tiny", tmp_path).path == cached


@pytest.mark.parametrize("model", ["small", "demo", "mine", "/nowhere/model.pt"])
def test_missing_weights_name_three_ways_out(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint(model, tmp_path)
    assert caught.value.code == "checkpoint_missing"
    for way in ("models fetch small", "models import", "speech.model to demo"):
        assert way in caught.value.remedy


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>404</html>", bytes(10_000)])
def test_damaged_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"x{suffix}").write_bytes(content)
    assert fault_of(tmp_path / f"x{suffix}") == "checkpoint_damaged"


@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_cut_file(tmp_path: Path, weights: Path, share: float) -> None:
    content = weights.read_bytes()
    (tmp_path / "x.pt").write_bytes(content[: int(len(content) * share)])
    assert fault_of(tmp_path / "x.pt") == "checkpoint_damaged"


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('pickled code was run')",)


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"dims": DIMS, "model_state_dict": Trap()}, tmp_path / "x.pt")
    assert fault_of(tmp_path / "x.pt") == "checkpoint_code"


@pytest.mark.parametrize("content", [{"state_dict": {}}, {"dims": DIMS}, [1, 2], torch.zeros(3), {}])
def test_wrong_keys(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pt")
    assert fault_of(tmp_path / "x.pt") == "checkpoint_keys"


def test_weights_without_a_layer(tmp_path: Path, network: whisper.Whisper) -> None:
    tensors = {name: tensor for name, tensor in network.state_dict().items() if "encoder.conv1" not in name}
    torch.save({"dims": DIMS, "model_state_dict": tensors}, tmp_path / "x.pt")
    assert fault_of(tmp_path / "x.pt") == "checkpoint_keys"
    torch.save({"dims": DIMS, "model_state_dict": {"encoder.conv1.weight": 3}}, tmp_path / "x.pt")
    assert fault_of(tmp_path / "x.pt") == "checkpoint_keys"
    save_file(tensors, tmp_path / "x.safetensors")
    assert fault_of(tmp_path / "x.safetensors") == "checkpoint_keys"


@pytest.mark.parametrize(
    "change",
    [
        {"n_audio_state": 128},
        {"n_audio_layer": 3},
        {"n_text_layer": 2},
        {"n_audio_ctx": 500},
        {"n_mels": 64},
        {"n_vocab": 1000},
        {"n_text_head": 5},
        {"n_audio_state": 10**9},
        {"n_text_state": "64"},
        {"n_text_state": -64},
        {"extra": 1},
    ],
)
def test_wrong_dims(tmp_path: Path, network: whisper.Whisper, change: dict[str, Any]) -> None:
    torch.save({"dims": DIMS | change, "model_state_dict": network.state_dict()}, tmp_path / "x.pt")
    assert fault_of(tmp_path / "x.pt") in ("checkpoint_dims", "checkpoint_keys")
    metadata = {"dims": json.dumps(DIMS | change)}
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, tmp_path / "x.safetensors", metadata=metadata)
    assert fault_of(tmp_path / "x.safetensors") in ("checkpoint_dims", "checkpoint_keys")


def test_superfluous_weights_are_named(tmp_path: Path, network: whisper.Whisper) -> None:
    tensors = network.state_dict() | {"decoder.ctc.weight": torch.zeros(3)}
    torch.save({"dims": DIMS, "model_state_dict": tensors}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"decoder\.ctc\.weight"):
        load_checkpoint(Checkpoint("x", tmp_path / "x.pt"))


def test_an_official_file_with_another_checksum(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "tiny.pt").write_bytes(weights.read_bytes())
    with pytest.raises(CheckpointError, match="models fetch tiny") as caught:
        check_sum(find_checkpoint("tiny", tmp_path))
    assert caught.value.code == "checkpoint_checksum"
    listed = {model.name: model for model in list_models(tmp_path)}
    assert (listed["tiny"].state, listed["base"].state) == ("damaged", "missing")


@pytest.fixture
def official(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the tiny network as if it were an official model, "test"; yield the server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = weights.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "*")
    address = f"http://127.0.0.1:{server.server_port}"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setitem(OFFICIAL, "test", f"{address}/{digest}/test.pt")
    yield address
    server.shutdown()
    server.server_close()


def test_fetch(tmp_path: Path, official: str) -> None:
    path = fetch_model("test", tmp_path)
    assert path == tmp_path / "speech" / "test.pt"
    assert verify_model("test", tmp_path).path == path
    assert {model.name: model.state for model in list_models(tmp_path)}["test"] == "verified"
    path.write_bytes(b"damaged")
    assert verify_code("test", tmp_path) == "checkpoint_checksum"
    fetch_model("test", tmp_path)
    verify_model("test", tmp_path)
    assert [file.name for file in path.parent.iterdir()] == ["test.pt"]


def test_fetch_with_another_checksum_leaves_nothing(
    tmp_path: Path, official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OFFICIAL, "test", f"{official}/{'0' * 64}/test.pt")
    with pytest.raises(CheckpointError) as caught:
        fetch_model("test", tmp_path)
    assert caught.value.code == "checkpoint_checksum"
    assert list((tmp_path / "speech").iterdir()) == []


def test_fetch_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(OFFICIAL, "test", f"http://127.0.0.1:9/{'0' * 64}/test.pt")
    with pytest.raises(CheckpointError, match=r"models import test\.pt") as caught:
        fetch_model("test", tmp_path)
    assert caught.value.code == "checkpoint_offline"
    with pytest.raises(CheckpointError, match="no official model"):
        fetch_model("enormous", tmp_path)


def test_import_knows_an_official_file_by_its_checksum(tmp_path: Path, official: str, weights: Path) -> None:
    carried = tmp_path / "usb" / "download(1).bin"
    carried.parent.mkdir()
    carried.write_bytes(weights.read_bytes())
    assert import_model(carried, tmp_path).path == tmp_path / "speech" / "test.pt"
    verify_model("test", tmp_path)


def test_import_of_own_weights(tmp_path: Path, weights: Path) -> None:
    assert import_model(weights, tmp_path, "fine-tuned").name == "fine-tuned"
    assert verify_model("fine-tuned", tmp_path).path == tmp_path / "speech" / "fine-tuned.pt"
    assert import_model(weights, tmp_path).name == "own"
    assert {"own", "fine-tuned", "demo", "small"} <= {model.name for model in list_models(tmp_path)}
    for name in ("small", "demo", "../own", "large-v3"):
        with pytest.raises(CheckpointError):
            import_model(weights, tmp_path, name)
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged"):
        import_model(tmp_path / "bad.pt", tmp_path)
    assert sorted(file.name for file in (tmp_path / "speech").iterdir()) == ["fine-tuned.pt", "own.pt"]


def test_verify_sees_numbers_that_are_none(tmp_path: Path, network: whisper.Whisper) -> None:
    tensors = {name: torch.full_like(tensor, float("nan")) for name, tensor in network.state_dict().items()}
    torch.save({"dims": DIMS, "model_state_dict": tensors}, tmp_path / "x.pt")
    assert verify_code(str(tmp_path / "x.pt"), tmp_path) == "checkpoint_damaged"


def test_commands(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLANALYSIS_MODELS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    runner = CliRunner()
    imported = runner.invoke(app, ["models", "import", str(weights), "--name", "mine"])
    assert imported.exit_code == 0, imported.output
    listed = runner.invoke(app, ["models", "list"]).output
    assert [line.split()[0] for line in listed.splitlines() if " here " in line] == ["mine"]
    assert "large-v3-turbo" in listed
    assert "right" in runner.invoke(app, ["models", "verify", "mine"]).output
    missing = runner.invoke(app, ["models", "verify", "small"])
    assert isinstance(missing.exception, CheckpointError)
    for command in ("list", "fetch", "import", "verify"):
        assert runner.invoke(app, ["models", command, "--help"]).exit_code == 0


def test_the_demonstration_model() -> None:
    from callanalysis.settings import PROJECT

    path = PROJECT / "models" / "speech-demo" / "model.pt"
    if not path.exists():
        pytest.skip("the demonstration model is not trained yet")
    dims, _ = read_weights(path)
    assert dims == whisper.load_model(str(path), device="cpu").dims
    assert path.stat().st_size <= 40_000_000
    verify_model("demo", PROJECT / "models")


def verify_code(model: str, models: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        verify_model(model, models)
    return caught.value.code
