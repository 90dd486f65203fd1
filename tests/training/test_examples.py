from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import whisper

from callanalysis.errors import InputError
from callanalysis.speech.training.batches import Batches, frames_of
from callanalysis.speech.training.examples import ExampleMaker, spoken_times
from callanalysis.speech.training.pairs import SAMPLE_RATE, Pairs, open_pairs
from callanalysis.speech.training.sound import Mix, SoundBank, log_mel
from callanalysis.speech.training.text import TextCodec, Vocabulary

CODEC = TextCodec()
TOKENIZER = CODEC.tokenizer


@pytest.fixture
def pairs(manifest: Path, tmp_path: Path) -> Pairs:
    return open_pairs([manifest], tmp_path / "cache")


@pytest.fixture
def maker(pairs: Pairs) -> ExampleMaker:
    return ExampleMaker(pairs, CODEC)


def test_windows_read_as_whisper_writes_them(maker: ExampleMaker) -> None:
    kinds = set()
    for seed in range(200):
        example = maker.window(np.random.default_rng(seed))
        assert example.sound.length == 30 * SAMPLE_RATE
        assert all(start < 30 * SAMPLE_RATE for _, _, start in example.sound.pieces)
        assert len(example.places) == len(example.tokens) <= 448
        stamps = [t for t in example.tokens if t >= TOKENIZER.timestamp_begin]
        assert stamps == sorted(stamps)
        assert not stamps or stamps[0] - TOKENIZER.timestamp_begin <= 50  # as plain Whisper allows: 1 s
        start = example.tokens.index(TOKENIZER.sot)
        assert example.loss_from in (start, start + 1)  # a prompt is never learnt as a target
        if TOKENIZER.no_speech in example.tokens:
            kinds.add("silence")
            continue
        assert example.tokens[-1] == TOKENIZER.eot
        assert (TOKENIZER.no_timestamps in example.tokens) != bool(stamps)
        kinds.add("prompt" if start else "timestamps" if stamps else "plain")
    assert kinds == {"silence", "prompt", "timestamps", "plain"}


def test_tokens_are_placed_where_they_are_spoken(maker: ExampleMaker) -> None:
    row = replace(
        maker.rows[3],
        word_times=((0.1, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1.0), (1.0, 1.3), (1.3, 1.4), (1.4, 1.7)),
    )
    example = maker.single(row, np.random.default_rng(0), prompt=False)
    quiet = example.places[example.loss_from + 4] - spoken_times(row, [CODEC.spell(row.text).positions[0]])[0]
    spoken = [p for p in example.places if not np.isnan(p)]
    assert spoken == sorted(spoken)
    assert 0 <= quiet < 0.25
    assert spoken_times(row, [0.0, 1.0]) == [0.1, 1.7]
    assert spoken_times(maker.rows[3], [0.5])[0] != spoken_times(maker.rows[3], [0.5])[0]  # NaN: not known


def test_a_batch_of_timed_pairs_says_which_phone_each_frame_is(pairs: Pairs) -> None:
    rows = tuple(replace(row, phones=("a", "b"), phone_times=((0.1, 0.3), (0.3, 0.5))) for row in pairs.rows)
    timed = ExampleMaker(Pairs(rows, pairs.sound), CODEC)
    vocabulary = Vocabulary.of([CODEC.spell(row.text).tokens for row in rows], CODEC, ["en", "zh"])
    batch = Batches(timed, vocabulary, ["a", "b"], seed=3).single(0)
    assert batch.aligned is not None
    for row in batch.aligned:
        assert row.tolist().count(1) == pytest.approx(10, abs=1)  # 0.2 s at 50 frames a second
        assert [k for k, _ in groupby(row.tolist())] == [0, 1, 2, 0]
    untimed = ExampleMaker(Pairs(tuple(replace(row, phone_times=()) for row in rows), pairs.sound), CODEC)
    assert Batches(untimed, vocabulary, ["a", "b"], seed=3).single(0).aligned is None
    assert len(batch.learnt) % 128 == 0
    assert (batch.targets.flatten() != -100).sum() == (batch.targets.flatten()[batch.learnt] != -100).sum()


def test_mel_is_whispers_own() -> None:
    rng = np.random.default_rng(0)
    samples = torch.from_numpy(rng.standard_normal((2, SAMPLE_RATE)).astype(np.float32)) * torch.tensor(
        [[0.1], [0.9]]
    )
    expected = torch.stack([whisper.log_mel_spectrogram(s) for s in samples])
    torch.testing.assert_close(log_mel(samples), expected)


def test_a_mix_has_each_recording_in_its_place(pairs: Pairs) -> None:
    bank = SoundBank(pairs.sound, torch.device("cpu"))
    row = pairs.rows[2]
    start, length = 1000, 5000 + row.length
    mix = Mix(((row.place, row.length, start), (row.place, row.length, length - 100)), length, gain=0.5)
    heard = bank.mix([mix], length + 300, seed=1)[0]
    recorded = torch.from_numpy(pairs.sound[row.place : row.place + row.length].astype(np.float32)) / 65536
    torch.testing.assert_close(heard[start : start + row.length], recorded)
    torch.testing.assert_close(heard[length - 100 : length], recorded[:100])  # cut at the example's end
    assert not heard[:start].any()
    assert not heard[length:].any()


def test_noise_comes_from_the_seed_and_ends_where_it_should(pairs: Pairs) -> None:
    bank = SoundBank(pairs.sound, torch.device("cpu"))
    mix = Mix((), 32000, noise=0.01, noisy=16000, gain=2.0)
    one, again, other = (bank.mix([mix], 32000, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one[:16000].std().item() == pytest.approx(0.02, rel=0.05)
    assert not one[16000:].any()


def test_many_pairs_are_read_as_few_are(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = open_pairs([manifest], tmp_path / "one")
    monkeypatch.setattr("callanalysis.speech.training.pairs._FEW", 1)  # in several processes
    other = open_pairs([manifest], tmp_path / "other")
    assert one.rows == other.rows
    assert np.array_equal(one.sound, other.sound)


def test_sound_that_no_window_holds_is_named(manifest: Path, tmp_path: Path) -> None:
    for seconds, name in ((29.3, "fits"), (29.6, "long")):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(int(8000 * seconds)), 8000)
        with manifest.open("a", encoding="utf-8") as out:
            out.write(f'\n{{"audio": "{name}.wav", "text": "x", "language": "en"}}')
        if name == "fits":
            assert frames_of(max(row.seconds for row in open_pairs([manifest], tmp_path / "a").rows)) == 3000
    with pytest.raises(InputError, match=r"pairs\.jsonl:8.*29\.6 s"):
        open_pairs([manifest], tmp_path / "b")


def test_a_bad_line_names_file_and_line(manifest: Path, tmp_path: Path) -> None:
    with manifest.open("a", encoding="utf-8") as out:
        out.write('\n{"audio": "missing.wav", "text": "x", "language": "en"}')
    with pytest.raises(InputError, match=r"pairs\.jsonl:7.*missing\.wav"):
        open_pairs([manifest], tmp_path / "cache")


def test_times_that_do_not_fit_the_words_are_named(manifest: Path, tmp_path: Path) -> None:
    with manifest.open("a", encoding="utf-8") as out:
        out.write('\n{"audio": "0.wav", "text": "one two", "language": "en", "words": [[0, 1]]}')
    with pytest.raises(InputError, match=r"pairs\.jsonl:7.*1 times for 2 words"):
        open_pairs([manifest], tmp_path / "cache")
