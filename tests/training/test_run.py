from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import whisper

from callanalysis.speech.training.loop import Plan
from callanalysis.speech.training.model import NEAR_FRAMES, TrainableWhisper, attention_penalty, new_whisper
from callanalysis.speech.training.run import Job, train

from .conftest import TINY

PLAN = Plan(steps=6, window_steps=2, decay=2, warm_up=2, seed=7)


def test_training_network_is_whisper() -> None:
    network = new_whisper(TINY, seed=1)
    ids = torch.arange(0, 51865, 50)
    model = TrainableWhisper(network, ids, 5, fresh=True)
    assert model.loser is not None
    torch.nn.init.normal_(model.loser)
    mel, tokens = torch.randn(2, 80, 3000), torch.tensor([[0, 5, 9], [1, 2, 3]])
    first, every = torch.zeros(2, dtype=torch.long), torch.arange(6)
    plain = new_whisper(TINY, seed=2)
    plain.load_state_dict(model.full_weights())
    with torch.no_grad():
        ours = model(mel, first, tokens, every, guided=True)
        theirs = plain(mel, ids[tokens])
    shares = torch.log_softmax(theirs, -1)[..., ids].flatten(0, 1)
    torch.testing.assert_close(torch.log_softmax(ours.logits, -1)[..., :-1], shares, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        ours.attention.sum(-1), torch.ones(2, 3, 3)
    )  # one head of the first layer, two of the last


def test_attention_on_the_spot_costs_nothing() -> None:
    attention = torch.zeros(1, 1, 2, 100)
    attention[0, 0, 0, 50] = attention[0, 0, 1, 10] = 1  # 1.0 s, 0.2 s
    centre = torch.tensor([[1.0, float("nan")]])
    assert attention_penalty(attention, centre, 0.3).item() == pytest.approx(0, abs=1e-6)
    assert attention_penalty(attention, torch.tensor([[0.2, 1.0]]), 0.3).item() > 0.9


def test_resumed_run_ends_as_the_uninterrupted_one(manifest: Path, tmp_path: Path) -> None:
    whole = Job((manifest,), tmp_path / "whole.pt", tmp_path / "whole", dims=TINY)
    parts = Job((manifest,), tmp_path / "parts.pt", tmp_path / "parts", dims=TINY)
    train(whole, PLAN)

    class StopError(Exception):
        pass

    def stop_at_three(step: int) -> None:
        if step == 3:
            raise StopError

    with pytest.raises(StopError):
        train(parts, PLAN, after_step=stop_at_three)
    assert not parts.out.exists()
    assert "6 steps" in train(parts, PLAN)
    one, other = (torch.load(j.out, weights_only=True)["model_state_dict"] for j in (whole, parts))
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=2e-3, rtol=2e-2)


def test_several_processes_learn_from_the_batches_of_all(manifest: Path, tmp_path: Path) -> None:
    jobs = [Job((manifest,), tmp_path / f"{n}.pt", tmp_path / str(n), dims=TINY, processes=n) for n in (1, 2)]
    reports = [train(job, replace(PLAN, steps=2, window_steps=0)) for job in jobs]
    heard = [float(re.search(r"([\d.]+) h heard", report)[1]) for report in reports]  # type: ignore[index]
    assert heard[1] == pytest.approx(2 * heard[0], rel=0.3)
    assert not list(tmp_path.glob("*/meeting"))
    whisper.load_model(str(jobs[1].out), device="cpu")


def test_training_goes_on_from_its_own_checkpoint(manifest: Path, tmp_path: Path) -> None:
    first = Job((manifest,), tmp_path / "first.pt", tmp_path / "first", dims=TINY)
    train(first, PLAN)
    more = Job((manifest,), tmp_path / "more.pt", tmp_path / "more", base=str(first.out), own=True)
    train(more, replace(PLAN, learning_rate=1e-4))
    one, other = (torch.load(j.out, weights_only=True)["model_state_dict"] for j in (first, more))
    rows, later = (w["decoder.token_embedding.weight"] for w in (one, other))
    assert torch.equal(rows[40_000], rows[40_001])  # tokens that never occur share one row
    assert torch.equal(later[40_000], later[40_001])
    torch.testing.assert_close(later, rows, atol=0.01, rtol=0)  # it went on, it did not begin anew
    assert not torch.equal(later, rows)


def test_heads_begin_near_each_frame() -> None:
    encoder = new_whisper(TINY, seed=1).encoder
    attention = encoder.blocks[0].attn
    with torch.no_grad():
        places = encoder.positional_embedding[300:400].unsqueeze(0)
        q, k = (
            part(places).view(100, attention.n_head, -1).transpose(0, 1)
            for part in (attention.query, attention.key)
        )
        weights = ((q @ k.transpose(1, 2)) * q.shape[-1] ** -0.5).softmax(-1)
    for head, offset in zip(weights, NEAR_FRAMES, strict=False):
        assert int(head[50].argmax()) == 50 + offset


def test_plain_whisper_loads_and_decodes_it_and_it_can_be_fine_tuned(manifest: Path, tmp_path: Path) -> None:
    job = Job((manifest,), tmp_path / "new.pt", tmp_path / "new", dims=TINY)
    train(job, PLAN)
    model = whisper.load_model(str(job.out), device="cpu")
    out = model.transcribe(torch.zeros(16000).numpy(), fp16=False, temperature=0.0)
    assert {"text", "segments", "language"} <= set(out)
    tuned = Job((manifest,), tmp_path / "tuned.pt", tmp_path / "tuned", base=str(job.out))
    train(tuned, replace(PLAN, guided=False, learning_rate=1e-4))
    before, after = (torch.load(j.out, weights_only=True)["model_state_dict"] for j in (job, tuned))
    assert not torch.equal(before["encoder.conv1.weight"], after["encoder.conv1.weight"])
    rare = 40_000  # a token that occurs in none of the sentences is left as it was
    assert torch.equal(
        before["decoder.token_embedding.weight"][rare], after["decoder.token_embedding.weight"][rare]
    )
