from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper

from callanalysis.errors import InputError
from callanalysis.speech.training.batches import log_mel
from callanalysis.speech.training.examples import ExampleMaker
from callanalysis.speech.training.pairs import SAMPLE_RATE, open_pairs
from callanalysis.speech.training.text import TextCodec

CODEC = TextCodec()
TOKENIZER = CODEC.tokenizer


@pytest.fixture
def maker(manifest: Path, tmp_path: Path) -> ExampleMaker:
    return ExampleMaker(open_pairs([manifest], tmp_path / "cache"), CODEC)


def test_windows_read_as_whisper_writes_them(maker: ExampleMaker) -> None:
    kinds = set()
    for seed in range(200):
        example = maker.window(np.random.default_rng(seed))
        assert len(example.samples) == 30 * SAMPLE_RATE
        assert len(example.places) == len(example.tokens) <= 448
        stamps = [t for t in example.tokens if t >= TOKENIZER.timestamp_begin]
        assert stamps == sorted(stamps)
        start = example.tokens.index(TOKENIZER.sot)
        assert example.loss_from in (start, start + 1)  # a prompt is never learnt as a target
        if TOKENIZER.no_speech in example.tokens:
            kinds.add("silence")
            continue
        assert example.tokens[-1] == TOKENIZER.eot
        assert (TOKENIZER.no_timestamps in example.tokens) != bool(stamps)
        kinds.add("prompt" if start else "timestamps" if stamps else "plain")
    assert kinds == {"silence", "prompt", "timestamps", "plain"}


def test_tokens_are_placed_among_the_phones(maker: ExampleMaker) -> None:
    row = replace(maker.rows[1], phones=tuple("abcdefghij"))
    example = maker.single(row, np.random.default_rng(0))
    spoken = [p for p in example.places if not np.isnan(p)]
    assert spoken == sorted(spoken)
    assert spoken[0] < 1.5
    assert 7.5 < spoken[-1] <= 9
    assert example.spans[0][2] == 10


def test_mel_is_whispers_own() -> None:
    rng = np.random.default_rng(0)
    samples = torch.from_numpy(rng.standard_normal((2, SAMPLE_RATE)).astype(np.float32)) * torch.tensor(
        [[0.1], [0.9]]
    )
    expected = torch.stack([whisper.log_mel_spectrogram(s) for s in samples])
    torch.testing.assert_close(log_mel(samples), expected)


def test_a_bad_line_names_file_and_line(manifest: Path, tmp_path: Path) -> None:
    with manifest.open("a", encoding="utf-8") as out:
        out.write('\n{"audio": "missing.wav", "text": "x", "language": "en"}')
    with pytest.raises(InputError, match=r"pairs\.jsonl:7.*missing\.wav"):
        open_pairs([manifest], tmp_path / "cache")
