from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import whisper

from callanalysis.speech.training.loop import Plan
from callanalysis.speech.training.model import TrainableWhisper, attention_penalty, new_whisper
from callanalysis.speech.training.run import Job, train

from .conftest import TINY

PLAN = Plan(steps=6, short_steps=2, window_steps=2, decay=2, warm_up=2, guide_until=3, align_until=1, seed=7)


def test_training_network_is_whisper() -> None:
    network = new_whisper(TINY, seed=1)
    ids = torch.arange(0, 51865, 50)
    model = TrainableWhisper(network, ids, 5, fresh=True)
    assert model.loser is not None
    torch.nn.init.normal_(model.loser)
    mel, tokens = torch.randn(2, 80, 3000), torch.tensor([[0, 5, 9], [1, 2, 3]])
    plain = new_whisper(TINY, seed=2)
    plain.load_state_dict(model.full_weights())
    with torch.no_grad():
        ours = model(mel, tokens, guided=True)
        theirs = plain(mel, ids[tokens])
    shares = torch.log_softmax(theirs, -1)[..., ids]
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


def test_plain_whisper_loads_and_decodes_it_and_it_can_be_fine_tuned(manifest: Path, tmp_path: Path) -> None:
    job = Job((manifest,), tmp_path / "new.pt", tmp_path / "new", dims=TINY)
    train(job, PLAN)
    model = whisper.load_model(str(job.out), device="cpu")
    out = model.transcribe(torch.zeros(16000).numpy(), fp16=False, temperature=0.0)
    assert {"text", "segments", "language"} <= set(out)
    tuned = Job((manifest,), tmp_path / "tuned.pt", tmp_path / "tuned", base=str(job.out))
    train(tuned, replace(PLAN, short_steps=0, guide_until=0, align_until=0, learning_rate=1e-4))
    before, after = (torch.load(j.out, weights_only=True)["model_state_dict"] for j in (job, tuned))
    assert not torch.equal(before["encoder.conv1.weight"], after["encoder.conv1.weight"])
    rare = 40_000  # a token that occurs in none of the sentences is left as it was
    assert torch.equal(
        before["decoder.token_embedding.weight"][rare], after["decoder.token_embedding.weight"][rare]
    )
