"""Text as token ids: a small bilingual tokenizer, and the layout of role, utterance and context.

Chinese characters and digits stand alone, English is cut into pieces, anything else falls back to bytes. It
knows nothing of labels.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from callanalysis.labels import ROLES, Role
from callanalysis.tagging.inputs import TagInput, read_turn

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROLE_MARKERS = tuple(f"[{role}]" for role in ROLES)
VOCABULARY = 8000
CHARACTERS = 4500  # of the vocabulary, kept for single characters; the rest are English pieces
_CHUNK = 2000  # texts tokenized at once: the tokenizer keeps much beside the ids
WORD = "▁"  # stands before every word of Latin letters
_WORD_START = r"(?<![\p{L}\p{M}'▁])(?=\p{Latin})|(?<=\p{Han})(?=\p{Latin})"
_ALONE = r"\p{Han}|\p{N}|[^\p{L}\p{M}\p{N}\s'▁]"
_MARKER_IN_TEXT = re.compile(r"\[(?=(?:PAD|UNK|CLS|SEP|MASK|collector|debtor|unknown)\])")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one input and the segment of each: 0 the utterance, 1 the context."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many tokens an input may have in all, and how many of them may be context."""

    total: int = 192
    context: int = 40

    @property
    def text(self) -> int:
        """Return how many tokens an utterance may have: all but [CLS], the role marker and [SEP]."""
        return self.total - 3


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """Return a fast tokenizer trained on the texts; the same texts give the same tokenizer.

    For that the characters are chosen here: the trainer's own choice among equally frequent ones is random.
    """
    frame = _frame(models.BPE())
    plain = [frame.normalizer.normalize_str(text) for text in texts]
    counts = Counter(c for text in plain for c in text if not c.isspace())
    frequent = sorted((c for c, n in counts.items() if n > 1), key=lambda c: (-counts[c], c))
    kept = set(frequent[: min(CHARACTERS, vocabulary // 2)])
    fixed = [*SPECIALS, *ROLE_MARKERS, *(f"<0x{value:02X}>" for value in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocabulary - len(fixed), len(kept)),
        initial_alphabet=sorted(kept),
        min_frequency=2,
        show_progress=False,
    )
    known = ("".join(c if c in kept else " " for c in text) for text in plain)
    frame.train_from_iterator(known, trainer=trainer)
    learned = json.loads(frame.to_str())["model"]
    pieces = sorted(learned["vocab"], key=learned["vocab"].get)
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys([*fixed, *pieces]))}
    merges = [tuple(merge) for merge in learned["merges"]]
    model = models.BPE(vocab=vocab, merges=merges, unk_token="[UNK]", byte_fallback=True)
    named = {f"{name[1:-1].lower()}_token": name for name in SPECIALS}
    return PreTrainedTokenizerFast(
        tokenizer_object=_frame(model), additional_special_tokens=list(ROLE_MARKERS), **named
    )


def _frame(model: Any) -> Tokenizer:
    """Return a tokenizer with our normalisation: NFKC, lower case, no accents; characters, digits alone."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace("’", "'"),
            normalizers.Replace(Regex(_WORD_START), WORD),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(_ALONE), "isolated")]
    )
    return tokenizer


def with_role_markers(tokenizer: Any) -> Any:
    """Return the tokenizer of any encoder with our role markers added to its special tokens."""
    tokenizer.add_special_tokens({"additional_special_tokens": list(ROLE_MARKERS)})
    return tokenizer


class Codec:
    """Lays out inputs as `[CLS] role utterance [SEP] role turn role turn … [SEP]`, newest context last.

    Where it gets too long the oldest context goes first, then the end of the utterance.
    """

    def __init__(self, tokenizer: Any, lengths: Lengths) -> None:
        self.tokenizer, self.lengths = tokenizer, lengths
        start = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
        end = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
        self._start, self._end = int(start), int(end)
        self._roles = {role: int(tokenizer.convert_tokens_to_ids(f"[{role}]")) for role in ROLES}

    @property
    def pad(self) -> int:
        """Return the id that fills up a batch."""
        return int(self.tokenizer.pad_token_id)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of plain texts; markers written in a text are text, halves of characters are "?"."""
        if not texts:
            return []
        whole = (text.encode("utf-8", "replace").decode() for text in texts)
        plain = [_MARKER_IN_TEXT.sub("(", text) or " " for text in whole]
        ids: list[list[int]] = []
        for start in range(0, len(plain), _CHUNK):
            chunk = plain[start : start + _CHUNK]
            ids += self.tokenizer(chunk, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def encode(self, lines: Sequence[TagInput]) -> list[Encoded]:
        """Return one encoded input a line."""
        return [
            self.lay_out(line.role, text, context)
            for line, (text, context) in zip(lines, self.spell(lines), strict=True)
        ]

    def spell(self, lines: Sequence[TagInput]) -> list[tuple[list[int], list[tuple[Role, list[int]]]]]:
        """Return each line's utterance as token ids, and its context turns as role and token ids."""
        turns = [[read_turn(turn) for turn in line.context] for line in lines]
        texts = list(dict.fromkeys([x.text for x in lines] + [text for t in turns for _, text in t]))
        known = dict(zip(texts, self.pieces(texts), strict=True))
        return [
            (known[line.text], [(role, known[text]) for role, text in before])
            for line, before in zip(lines, turns, strict=True)
        ]

    def lay_out(
        self, role: Role, text: Sequence[int], context: Sequence[tuple[Role, Sequence[int]]]
    ) -> Encoded:
        """Return the ids and segments of an utterance given as token ids, with its context."""
        text = text[: self.lengths.text]
        head = [self._start, self._roles[role], *text, self._end]
        room = min(self.lengths.context, self.lengths.total - len(head) - 1)
        before = [i for turn_role, ids in context for i in (self._roles[turn_role], *ids)]
        before = before[-room:] if room > 0 else []
        tail = [*before, self._end] if before else []
        return Encoded((*head, *tail), (0,) * len(head) + (1,) * len(tail))
