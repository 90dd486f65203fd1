"""Times of single words, from where the network's attention lay; openai-whisper's own alignment.

It hears nothing anew: the features of the window are those it was decoded from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from whisper.audio import FRAMES_PER_SECOND
from whisper.model import Whisper
from whisper.timing import find_alignment, merge_punctuations
from whisper.tokenizer import Tokenizer

from callanalysis.schema import Word
from callanalysis.speech.decoder import Heard

_BEFORE, _AFTER = (
    "\"'“¿([{-",
    "\"'.。,，!！?？:：”)]}、",
)  # punctuation joined to a word, as openai-whisper does


def align_words(
    network: Whisper, tokenizer: Tokenizer, tokens: Sequence[int], heard: Heard
) -> tuple[Word, ...]:
    """Return the words of a decoded window: seconds from its first sample, mean token probability."""
    text_tokens = [token for token in tokens if token < tokenizer.eot]
    frames = int(heard.seconds * FRAMES_PER_SECOND)
    if not text_tokens or frames < 2:
        return ()
    timings = find_alignment(_Encoded(network), tokenizer, text_tokens, heard.features, frames)
    merge_punctuations(timings, _BEFORE, _AFTER)
    return tuple(
        Word(timing.word.strip(), float(timing.start), float(timing.end), float(timing.probability))
        for timing in timings
        if timing.word.strip()
    )


class _Encoded:
    """The network as the alignment calls it, but with features that are encoded already."""

    def __init__(self, network: Whisper) -> None:
        self.dims, self.decoder, self.device = network.dims, network.decoder, network.device
        self.alignment_heads = network.alignment_heads

    def __call__(self, features: torch.Tensor, tokens: torch.Tensor) -> Any:
        return self.decoder(tokens, features)
