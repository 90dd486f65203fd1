"""Text as Whisper tokens for training: the tokens spelled, their place in time, and the phones beside them.

It knows nothing of sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import tiktoken
from whisper.tokenizer import LANGUAGES, Tokenizer, get_tokenizer

FINE_RANKS = (
    1500  # keeps about 3.2 letters a token in English: 30 s of speech stay under Whisper's 224 tokens
)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A text as token ids, with the share (0-1) of what is spoken of the text up to the middle of each token."""

    tokens: tuple[int, ...]
    positions: tuple[float, ...]


class TextCodec:
    """Spells text as token ids of Whisper's multilingual vocabulary.

    `fine` spells Chinese character by character and English in short, frequent pieces: a model trained from
    nothing then sees each token often. Whisper decodes both spellings to the same text. Fine-tuning an existing
    checkpoint keeps its own spelling (`fine=False`).
    """

    def __init__(self, fine: bool = True) -> None:
        self.fine = fine
        self.tokenizer: Tokenizer = get_tokenizer(True, num_languages=99, language="zh", task="transcribe")
        full = self.tokenizer.encoding
        ranks = {piece: rank for piece, rank in full._mergeable_ranks.items() if rank < FINE_RANKS}
        self._pieces = tiktoken.Encoding(
            "fine", pat_str=full._pat_str, mergeable_ranks=ranks, special_tokens={}
        )

    def spell(self, text: str, leading_space: bool = False) -> Spelling:
        """Return the tokens of `text` and their places; punctuation and spaces are not spoken and take no room."""
        tokens: list[int] = []
        positions: list[float] = []
        done, total = 0.0, max(sum(c.isalnum() for c in text), 1)
        for part in self._parts((" " if leading_space else "") + text):
            ids = self._encode(part)
            lengths = self._spoken_lengths(ids, sum(c.isalnum() for c in part))
            for length in lengths:
                positions.append((done + length / 2) / total)
                done += length
            tokens += ids
        return Spelling(tuple(tokens), tuple(min(p, 1.0) for p in positions))

    def tokens(self, text: str, leading_space: bool = False) -> tuple[int, ...]:
        """Return the tokens of `text` as `spell` does, without their places."""
        parts = self._parts((" " if leading_space else "") + text)
        return tuple(token for part in parts for token in self._encode(part))

    def _spoken_lengths(self, ids: tuple[int, ...], spoken: int) -> list[float]:
        """How many of a part's letters and digits belong to each token; equal shares of a character in pieces."""
        pieces = (self.tokenizer.encoding.decode_single_token_bytes(i) for i in ids)
        lengths = [float(sum(chr(b).isalnum() for b in piece if b < 128)) for piece in pieces]
        return lengths if sum(lengths) == spoken else [spoken / len(ids)] * len(ids)

    def prefix(self, language: str, timestamps: bool) -> list[int]:
        """Return <|startoftranscript|>, the language, <|transcribe|> and, without timestamps, that token."""
        tokenizer = self.tokenizer
        head = [tokenizer.sot, self.language_token(language), tokenizer.transcribe]
        return head if timestamps else [*head, tokenizer.no_timestamps]

    def language_token(self, language: str) -> int:
        """Return the id of <|language|>."""
        return int(self.tokenizer.sot + 1 + list(LANGUAGES).index(language))

    def timestamp(self, seconds: float) -> int:
        """Return the id of the timestamp token nearest to `seconds` (steps of 0.02 s, at most 30)."""
        return int(self.tokenizer.timestamp_begin + min(max(round(seconds / 0.02), 0), 1500))

    def _parts(self, text: str) -> list[str]:
        return (
            re.findall(r"[\u3400-\u9fff，。？！、]|[^\u3400-\u9fff，。？！、]+", text)
            if self.fine
            else [text]
        )

    @lru_cache(maxsize=100_000)  # noqa: B019 - one codec lives as long as the training run
    def _encode(self, part: str) -> tuple[int, ...]:
        encoding = self._pieces if self.fine and part.isascii() else self.tokenizer.encoding
        return tuple(encoding.encode(part))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The token ids that training can meet, in ascending order: the softmax of training runs over these only."""

    ids: np.ndarray  # int64

    @classmethod
    def of(cls, token_lists: Iterable[tuple[int, ...]], codec: TextCodec, languages: list[str]) -> Vocabulary:
        """Return the tokens that occur, those of every frequent piece and common character, and the special ones.

        It holds more than the pairs at hand need, so that a run can go on with more pairs.
        """
        tokenizer = codec.tokenizer
        kept = {tokenizer.sot, tokenizer.eot, tokenizer.transcribe, tokenizer.no_timestamps}
        kept |= {tokenizer.sot_prev, tokenizer.no_speech} | {codec.language_token(x) for x in languages}
        kept |= set(range(tokenizer.timestamp_begin, tokenizer.timestamp_begin + 1501)) | set(
            range(FINE_RANKS)
        )
        if "zh" in languages:
            kept.update(*(codec.spell(c).tokens for c in common_characters()))
        kept.update(*token_lists)
        return cls(np.array(sorted(kept), dtype=np.int64))

    def compact(self, tokens: np.ndarray) -> np.ndarray:
        """Return the places of `tokens` in `ids`."""
        return np.searchsorted(self.ids, tokens)


def common_characters() -> list[str]:
    """Return the 3,755 characters of level 1 of GB 2312, the common ones."""
    codes = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return [c for c in (code.decode("gb2312", errors="ignore") for code in codes) if c]


def phones_of(text: str, language: str) -> list[str]:
    """Return what the auxiliary CTC head spells where a pair brings no phones: characters, or letters."""
    pattern = r"[\u3400-\u9fff]|[a-z']" if language == "zh" else r"[a-z']"
    return re.findall(pattern, text.lower())
