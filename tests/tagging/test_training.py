"""Training: stopped and resumed as if never stopped, warm starts, other encoders, text files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from callanalysis.errors import CheckpointError, InputError
from callanalysis.tagging.inputs import TagInput
from callanalysis.tagging.loop import Loop, LoopOptions, Progress, Stage
from callanalysis.tagging.predict import open_folder
from callanalysis.tagging.pretraining import Reading
from callanalysis.tagging.scoring import load, weights_hash
from callanalysis.tagging.training import train

from .conftest import tiny_options


class Stopped(Exception):
    pass


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load(folder).model.state_dict())


def small_run(corpus: Path, out: Path, tmp_path: Path, **changes: object):  # type: ignore[no-untyped-def]
    text = tmp_path / "talk.txt"
    text.write_text("你好\n在吗\n\nhello there\nhow are you\n" * 30, "utf-8")
    given: dict[str, object] = {
        "text": (text,),
        "text_steps": 24,
        "passes": 40.0,
        "call_steps": 40,
        "save_every": 0.0,
    }
    return tiny_options(corpus, out, **(given | changes))


@pytest.mark.parametrize("stage", ["words", "labels", "calls"])
def test_a_stopped_run_ends_with_the_weights_of_an_uninterrupted_one(
    corpus: Path, tmp_path: Path, stage: str
) -> None:
    whole = train(small_run(corpus, tmp_path / "whole", tmp_path), lambda p: None, lambda line: None)

    def stop(progress: Progress) -> None:
        if progress.name == stage and progress.step < progress.steps:
            raise Stopped

    out = tmp_path / "stopped"
    with pytest.raises(Stopped):
        train(small_run(corpus, out, tmp_path), stop, lambda line: None)
    resumed = train(small_run(corpus, out, tmp_path, resume=True), lambda p: None, lambda line: None)
    expected = weights(whole)
    for name, value in weights(resumed).items():
        assert torch.equal(value, expected[name]), name
    assert not (out / "training").exists()


class Brittle(nn.Module):
    """A small net with dropout whose loss gives up at one step."""

    def __init__(self, stop_at: int | None) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.stop_at = stop_at

    def loss(self, step: int) -> torch.Tensor:
        if step == self.stop_at:
            raise Stopped
        value: torch.Tensor = self.net(torch.full((8, 4), float(step % 3))).square().mean()
        return value


def test_a_loop_goes_on_in_the_middle(tmp_path: Path) -> None:
    options = LoopOptions("x", 30, 1e-2, average=0.9, precision="fp32", save_every=0.0)
    torch.manual_seed(0)
    whole, stopped, resumed = Brittle(None), Brittle(17), Brittle(None)
    stopped.load_state_dict(whole.state_dict())
    Loop[int](whole, options, Stage(tmp_path / "whole.pt")).run(lambda step: step, whole.loss)
    with pytest.raises(Stopped):
        Loop[int](stopped, options, Stage(tmp_path / "stopped.pt")).run(lambda step: step, stopped.loss)
    loop: Loop[int] = Loop(resumed, options, Stage(tmp_path / "stopped.pt"))
    assert loop.resume()
    assert loop.done == 17
    loop.run(lambda step: step, resumed.loss)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_resuming_with_other_options_is_refused(corpus: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise Stopped

    out = tmp_path / "out"
    with pytest.raises(Stopped):
        train(tiny_options(corpus, out), stop, lambda line: None)
    with pytest.raises(InputError, match="other options"):
        train(tiny_options(corpus, out, passes=1.0, resume=True), stop, lambda line: None)


def test_a_trained_tagger_can_be_trained_further(corpus: Path, trained: Path, tmp_path: Path) -> None:
    options = tiny_options(corpus, tmp_path / "more", encoder=str(trained), passes=1.0, call_steps=20)
    more = train(options, lambda p: None, lambda line: None)
    assert weights_hash(more) != weights_hash(trained)
    assert load(more).config.encoder["hidden_size"] == 32


def test_another_encoder_takes_its_place(corpus: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    from callanalysis.tagging.predict import TagInput, open_folder
    from callanalysis.tagging.tokens import train_tokenizer

    folder = tmp_path / "encoder"
    tokenizer = train_tokenizer(["您好，请问是周先生吗", "hello there"] * 5, 700)
    BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    options = tiny_options(corpus, tmp_path / "out", encoder=str(folder), passes=1.0, call_steps=20)
    tagger = open_folder(train(options, lambda p: None, lambda line: None))
    assert tagger.scorer.codec.lengths.total == 62
    assert tagger.tag_utterances([TagInput("1", "debtor", (), "嗯" * 500)])[0].intent


def test_an_encoder_that_is_not_there_is_one_clear_error(corpus: Path, tmp_path: Path) -> None:
    options = tiny_options(corpus, tmp_path / "out", encoder=str(tmp_path / "nothing"))
    with pytest.raises(CheckpointError, match="cannot be opened as an encoder"):
        train(options, lambda p: None, lambda line: None)


def test_a_missing_text_file_is_named(corpus: Path, tmp_path: Path) -> None:
    options = tiny_options(corpus, tmp_path / "out", text=(tmp_path / "none.txt",))
    with pytest.raises(InputError, match=r"none\.txt"):
        train(options, lambda p: None, lambda line: None)


def test_two_processes_train_one_model(corpus: Path, tmp_path: Path) -> None:
    told: list[str] = []
    run = small_run(corpus, tmp_path / "two", tmp_path, processes=2)
    folder = train(run, lambda progress: told.append(progress.name), lambda line: None)
    assert {"words", "labels", "phrases"} <= set(told)
    assert not (folder / "training").exists()
    tags = open_folder(folder).tag_utterances([TagInput("1", "collector", (), "再见，打扰您了。")])
    assert len(tags) == 1


def test_what_is_read_is_laid_out_as_the_tagger_lays_it_out(trained: Path) -> None:
    codec = load(trained).codec
    dialogues = [
        ["您好", "在吗，我想问一下还款的事情" * 12, "hello there", "嗯"],
        ["只有一句"],
        ["a b c", ""],
    ]
    reading = Reading(dialogues, codec, seed=3)
    lines = [line for dialogue in dialogues for line in dialogue]
    inputs = [reading.input(i) for i in range(len(lines))]
    assert reading.lengths == [len(x.ids) for x in inputs]
    assert any(1 in x.segments for x in inputs)
    for i, (line, found) in enumerate(zip(lines, inputs, strict=True)):
        (alone,) = codec.encode([TagInput("", reading.roles[i], (), line)])
        own = [token for token, segment in zip(found.ids, found.segments, strict=True) if segment == 0]
        assert own == list(alone.ids)
    assert reading.roles[4] == "unknown"  # a line on its own has no other side
