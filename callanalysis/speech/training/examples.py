"""Training examples: single utterances at their true length, and 30-second windows as Whisper sees a recording.

A window holds utterances of one language with pauses between them, timestamps, sometimes a prompt, sometimes
nothing but silence. This module says what is heard when and what is to be written; it trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from callanalysis.speech.training.pairs import SAMPLE_RATE, Pair, Pairs, units_of
from callanalysis.speech.training.sound import Mix
from callanalysis.speech.training.text import TextCodec

WINDOW_SECONDS = 30.0
QUIET_SECONDS = 0.25  # up to so much before and after an utterance that is heard alone
MAX_PROMPT = 100  # tokens; plain Whisper gives up to 223
LATEST_FIRST = (
    1.0  # seconds; plain Whisper's max_initial_timestamp: a window's first timestamp is never later
)
FRAME_SECONDS = 0.02  # of the encoder's output
# Seconds, one drawn for each window. On one channel of a call the other side's turns are pauses: a network that knew
# none over 7 s wrote nothing of what came after one.
LONGEST_PAUSES = (0.6, 1.5, 7.0, 20.0)


@dataclass(frozen=True, slots=True)
class Example:
    """Sound and what to write.

    `loss_from` is the first position of `tokens` that is learnt as a target; `places` say when the middle of each token
    is spoken (seconds from the first sample, NaN where not known); `phones` are spoken in this order, at
    `phone_times` (start, end) if these are known. `first_frame` is the encoder's position of the first sample: an
    utterance that is heard alone stands anywhere in a window that is never computed.
    """

    sound: Mix
    tokens: tuple[int, ...]
    loss_from: int
    places: tuple[float, ...]
    phones: tuple[str, ...]
    phone_times: tuple[tuple[float, float], ...] = ()
    first_frame: int = 0


@dataclass(frozen=True, slots=True)
class _Placed:
    row: Pair
    start: float

    @property
    def end(self) -> float:
        return self.start + self.row.seconds


class ExampleMaker:
    """Makes examples from pairs, each by the random generator that it is given."""

    def __init__(self, pairs: Pairs, codec: TextCodec) -> None:
        self._pairs, self._codec = pairs, codec
        self.rows, self.eot = pairs.rows, int(codec.tokenizer.eot)
        self._by_language: dict[str, list[Pair]] = {}
        for row in pairs.rows:
            self._by_language.setdefault(row.language, []).append(row)

    def single(self, row: Pair, rng: np.random.Generator, prompt: bool) -> Example:
        """Return one utterance with a little quiet around it, often with timestamps.

        A network that learns from nothing hears it at any place of the 30 seconds.
        """
        placed = [_Placed(row, float(rng.uniform(0, QUIET_SECONDS)))]
        length = placed[0].end + float(rng.uniform(0, QUIET_SECONDS))
        room = WINDOW_SECONDS - length - 2.0  # a batch is as long as its longest
        first = int(rng.uniform(0, room) / FRAME_SECONDS) if self._codec.fine and room > 0 else 0
        timestamps = bool(rng.random() < 0.4)
        return self._example(placed, length, rng, timestamps, prompt, first)

    def window(self, rng: np.random.Generator) -> Example:
        """Return a window of 30 s: one utterance (35 %), several with pauses (60 %) or silence (5 %)."""
        kind = rng.random()
        if kind < 0.05:
            return self._silence(rng)
        language = str(rng.choice(sorted(self._by_language)))
        placed = self._place(language, rng, single=kind < 0.4)
        timestamps = bool(rng.random() < (0.2 if kind < 0.4 else 0.8))
        prompt = bool(timestamps and rng.random() < 0.35)
        return self._example(placed, WINDOW_SECONDS, rng, timestamps=timestamps, prompt=prompt)

    def _place(self, language: str, rng: np.random.Generator, single: bool) -> list[_Placed]:
        rows = self._by_language[language]
        time = float(rng.choice([rng.uniform(0, 0.5), rng.uniform(0, 5)]))
        limit = WINDOW_SECONDS if rng.random() < 0.6 else float(rng.uniform(6, WINDOW_SECONDS))
        longest = float(rng.choice(LONGEST_PAUSES))
        placed: list[_Placed] = []
        while time < limit and not (single and placed):
            row = rows[int(rng.integers(len(rows)))]
            if time + row.seconds > limit and not (limit == WINDOW_SECONDS and len(placed) > 1):
                if placed or row.seconds > 25:
                    break
                continue
            placed.append(_Placed(row, time))
            time += row.seconds + float(rng.uniform(0.25, longest))
        return placed or [_Placed(rows[int(rng.integers(len(rows)))], 0.1)]

    def _example(
        self,
        placed: list[_Placed],
        length: float,
        rng: np.random.Generator,
        timestamps: bool,
        prompt: bool,
        first_frame: int = 0,
    ) -> Example:
        sound = self._mix(placed, length, rng)
        codec = self._codec
        tokens = codec.prefix(placed[0].row.language, timestamps)
        if prompt:
            tokens = [*self._prompt(placed[0].row.language, rng), *tokens]
        loss_from = len(tokens) - (3 if timestamps else 4)  # the position of <|startoftranscript|>
        places = [float("nan")] * len(tokens)
        phones: list[str] = []
        times: list[tuple[float, float]] = []
        for item in placed:
            if item.end > length + 1e-6:  # cut by the window's end: only its start, as Whisper was trained
                if timestamps:
                    tokens.append(codec.timestamp(item.start))
                    places.append(float("nan"))
                heard = [
                    (phone, (item.start + start, item.start + end))
                    for phone, (start, end) in zip(item.row.phones, item.row.phone_times, strict=False)
                    if item.start + end <= length
                ]
                phones += [phone for phone, _ in heard]
                times += [time for _, time in heard]
                break
            self._write(item, tokens, places, (first_frame * FRAME_SECONDS) if timestamps else None)
            phones += item.row.phones
            times += [(item.start + start, item.start + end) for start, end in item.row.phone_times]
        tokens.append(codec.tokenizer.eot)
        places.append(float("nan"))
        return Example(
            sound, tuple(tokens), loss_from, tuple(places), tuple(phones), tuple(times), first_frame
        )

    def _write(self, item: _Placed, tokens: list[int], places: list[float], zero: float | None) -> None:
        """Add the tokens of an utterance; `zero` is the time of the first sample, None for no timestamps."""
        tokenizer = self._codec.tokenizer
        first = tokens[-1] == tokenizer.no_timestamps
        spelling = self._codec.spell(item.row.text, leading_space=item.row.language != "zh" and not first)
        if zero is not None:
            opens_window = zero == 0 and tokens[-1] == tokenizer.transcribe
            at = min(item.start, LATEST_FIRST) if opens_window else zero + item.start
            tokens.append(self._codec.timestamp(at))
            places.append(float("nan"))
        tokens += spelling.tokens
        places += [item.start + p for p in spoken_times(item.row, spelling.positions)]
        if zero is not None:
            tokens.append(self._codec.timestamp(zero + item.end))
            places.append(float("nan"))

    def _prompt(self, language: str, rng: np.random.Generator) -> list[int]:
        rows = self._by_language[language]
        tokens: list[int] = []
        for _ in range(int(rng.integers(1, 4))):
            tokens += self._codec.spell(
                rows[int(rng.integers(len(rows)))].text, leading_space=language != "zh"
            ).tokens
        return [self._codec.tokenizer.sot_prev, *tokens[-MAX_PROMPT:]]

    def _mix(self, placed: list[_Placed], length: float, rng: np.random.Generator) -> Mix:
        pieces = tuple((item.row.place, item.row.length, round(item.start * SAMPLE_RATE)) for item in placed)
        samples = round(length * SAMPLE_RATE)
        noise = _noise_level(rng) if rng.random() < 0.5 else 0.0
        # A recording that ends in the window is followed by digital silence there.
        end = min(round((placed[-1].end + float(rng.uniform(0, 2))) * SAMPLE_RATE), samples)
        noisy = end if rng.random() < 0.4 else samples
        return Mix(pieces, samples, noise, noisy, float(10 ** rng.uniform(-0.5, 0.3)))

    def _silence(self, rng: np.random.Generator) -> Example:
        codec = self._codec
        samples = round(WINDOW_SECONDS * SAMPLE_RATE)
        noise = _noise_level(rng) * float(rng.uniform(0.3, 3)) if rng.random() < 0.8 else 0.0
        sound = Mix((), samples, noise, samples)
        language = str(rng.choice(sorted(self._by_language)))
        if rng.random() < 0.4:
            tokens = (codec.tokenizer.sot, codec.tokenizer.no_speech)
            return Example(sound, tokens, 0, (float("nan"),) * 2, ())
        timestamps = rng.random() < 0.5
        head = codec.prefix(language, bool(timestamps)) + ([codec.timestamp(0.0)] if timestamps else [])
        # The language of silence is anyone's guess, so it is no target.
        return Example(sound, (*head, codec.tokenizer.eot), 1, (float("nan"),) * (len(head) + 1), ())


def spoken_times(row: Pair, positions: Sequence[float]) -> list[float]:
    """Return when shares (0-1) of a pair's letters, digits and characters are spoken, in seconds; NaN if unknown."""
    if not row.word_times:
        return [float("nan")] * len(positions)
    lengths = [sum(c.isalnum() for c in unit) for unit in units_of(row.text, row.language)]
    ends = np.cumsum(lengths)
    knots = np.stack([ends - lengths, ends], axis=1).ravel() / max(sum(c.isalnum() for c in row.text), 1)
    return [float(t) for t in np.interp(positions, knots, np.array(row.word_times).ravel())]


def _noise_level(rng: np.random.Generator) -> float:
    return float(10 ** rng.uniform(-4.5, -2.3))
