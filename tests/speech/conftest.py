"""Networks of Whisper's format that say what a test wants, and calls spoken by synthetic voices."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import Tokenizer, get_tokenizer

TINY = ModelDimensions(80, 1500, 64, 2, 1, 51865, 448, 64, 2, 1)
PROMPT = 4  # start, language, task, no time stamps
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def tokenizer(language: str = "zh") -> Tokenizer:
    return get_tokenizer(multilingual=True, num_languages=99, language=language, task="transcribe")


def scripted_network(text: str, language: str = "zh", certainty: float = 10.0) -> Whisper:
    """A tiny network of the true format that hears `text` in everything.

    Its layers add nothing, so that the positional embedding alone chooses each token; with less certainty the
    log-probabilities fall.
    """
    torch.manual_seed(1)
    network = Whisper(TINY)
    decoder, tokens = network.decoder, tokenizer(language)
    torch.nn.init.normal_(decoder.token_embedding.weight)
    for block in decoder.blocks:
        for layer in (block.attn.out, block.cross_attn.out, block.mlp[2]):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    rows = decoder.token_embedding.weight.data
    script = [tokens.language_token, 0, 0, *tokens.encode(text)]
    script += [tokens.eot] * (TINY.n_text_ctx - len(script))
    decoder.positional_embedding.data = certainty * rows[script]
    return network.eval()


def save_pt(network: Whisper, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": asdict(network.dims), "model_state_dict": network.state_dict()}, path)
    return path


@pytest.fixture(scope="session")
def spoken() -> dict[str, np.ndarray]:
    """Sentences of different length, float32 at 16 kHz, by name."""
    from callanalysis.speech.voices import VOICES, speak

    texts = {
        "hello": ("您好，请问是张先生吗？", "zh-1"),
        "pay": ("我这个月工资还没有发，下个星期五之前我一定还给你们。", "zh-4"),
        "yes": ("好的，可以。", "zh-2"),
        "english": ("Good morning, this is a call about your account.", "en-2"),
    }
    return {name: speak(text, VOICES[voice]) for name, (text, voice) in texts.items()}


Line = Sequence[tuple[float, str]]  # seconds and name of a sentence


@pytest.fixture
def make_call(tmp_path: Path, spoken: dict[str, np.ndarray]) -> Callable[..., Path]:
    """Write a call from one line of sentences a channel: make_call("a", [(0.5, "hello")], [(4, "pay")])."""

    def make(name: str, *lines: Line) -> Path:
        ends = [start + len(spoken[text]) / 16000 for line in lines for start, text in line]
        length = round((max(ends, default=2.0) + 1.0) * 16000)
        sound = np.random.default_rng(len(name)).normal(0, 0.0005, (length, len(lines)))
        for channel, line in enumerate(lines):
            for start, text in line:
                first = round(start * 16000)
                sound[first : first + len(spoken[text]), channel] += spoken[text]
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, sound, 16000)
        return path

    return make
