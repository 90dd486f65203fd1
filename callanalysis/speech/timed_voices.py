"""Synthetic speech that also says when each word and each phone is spoken, for training a recogniser.

espeak-ng's library reports it while it speaks; flite prints the ends of its phones. It knows the voices of voices.py,
and no recogniser. It needs `libespeak-ng`, `flite` and the extra `voices`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from callanalysis.errors import MissingProgram
from callanalysis.speech.voices import Voice, espeak_settings, finish, flite_command, pinyin, split_syllable

_LAST, _WORD, _PHONEME = 0, 1, 7  # espeak_EVENT_TYPE of speak_lib.h
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_UTF8, _SYNCHRONOUS, _PHONEME_EVENTS = 1, 2, 1


@dataclass(frozen=True, slots=True)
class Span:
    """What is spoken from `start` to `end`, in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sound (float32 mono at 16 kHz) and when its words, Chinese characters among them, and phones are spoken."""

    samples: np.ndarray
    words: tuple[Span, ...]
    phones: tuple[Span, ...]


def speak_timed(text: str, voice: Voice, speed: float = 1.0) -> Spoken | None:
    """Return `text` spoken by `voice` as `voices.speak` does, with times; its pace may differ by some per cent.

    None where the engine reads something else than one sound a word (an abbreviation, say). Raises MissingProgram
    where the engine is not installed.
    """
    names = re.findall(r"[\u4e00-\u9fff]" if voice.language == "zh" else r"[A-Za-z']+", text)
    raw = _flite(text, voice, speed) if voice.engine == "flite" else _espeak(text, voice, speed)
    if len(raw.words) != len(names):
        return None
    samples, skipped = finish(raw.samples, raw.rate, voice)
    words = [Span(name, span.start, span.end) for name, span in zip(names, raw.words, strict=True)]
    return Spoken(samples, _moved(words, voice.warp, skipped), _moved(raw.phones, voice.warp, skipped))


def _moved(spans: list[Span], warp: float, skipped: float) -> tuple[Span, ...]:
    """The spans in sound that was played `warp` times as fast and lost `skipped` seconds before."""
    times = [(s.name, s.start / warp - skipped, s.end / warp - skipped) for s in spans]
    return tuple(Span(name, max(start, 0.0), max(end, 0.0)) for name, start, end in times)


@dataclass(slots=True)
class _Raw:
    samples: np.ndarray
    rate: int
    words: list[Span] = field(default_factory=list)
    phones: list[Span] = field(default_factory=list)


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_pronounced: dict[str, dict[str, tuple[str, ...]]] = {}  # by voice and word

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The library in this process; it speaks one text at a time."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
        try:
            self._library = ctypes.CDLL(name)
        except OSError as error:
            raise MissingProgram("espeak-ng") from error
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 500, None, _PHONEME_EVENTS))
        self._chunks: list[np.ndarray] = []
        self._events: list[tuple[int, float, str]] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(
        self, text: str, variant: str, pitch: int, rate: int
    ) -> tuple[np.ndarray, list[tuple[int, float, str]]]:
        """Return samples and events: type, seconds, phone."""
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(_voice_file(variant).encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {variant!r}: `espeak-ng --voices` lists them")
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(1, dtype=np.int16)
        return samples.astype(np.float32) / 32768, self._events

    def _receive(self, sound: Any, count: int, events: Any) -> int:
        if sound and count > 0:
            self._chunks.append(np.ctypeslib.as_array(sound, (count,)).copy())
        at = 0
        while events[at].type != _LAST:
            event = events[at]
            if event.type in (_WORD, _PHONEME):
                phone = bytes(event.id.string).decode(errors="replace") if event.type == _PHONEME else ""
                self._events.append((event.type, event.sample / self.rate, phone))
            at += 1
        return 0


def _voice_file(variant: str) -> str:
    """The program finds en-gb by its language and then leaves the variant out; the library finds files only."""
    return re.sub(r"^en-gb(\+.*)?$", "gmw/en", variant)


@lru_cache
def _library() -> _Espeak:
    return _Espeak()


def _espeak(text: str, voice: Voice, speed: float) -> _Raw:
    syllables = pinyin(text) if voice.language == "zh" else []
    pitch, rate = espeak_settings(voice, speed)
    samples, events = _library().speak(" ".join(syllables) or text, voice.variant, pitch, rate)
    raw = _Raw(samples, _library().rate)
    sounds: list[list[Span]] = []
    for (kind, start, phone), (_, end, _) in pairwise([*events, (_PHONEME, len(samples) / raw.rate, "_")]):
        if kind == _WORD:
            sounds.append([])
        elif sounds and not phone.startswith("_"):
            sounds[-1].append(Span(phone, start, end))
    spoken = [word for word in sounds if word]
    raw.words = [Span("", word[0].start, word[-1].end) for word in spoken]
    if voice.language == "zh":
        read = [syllable for syllable in syllables if syllable[-1].isdigit()]
        if len(read) == len(raw.words):
            raw.phones = [p for s, w in zip(read, raw.words, strict=True) for p in _halves(s, w)]
    else:
        raw.phones = [phone for word in spoken for phone in word]
    return raw


def _halves(syllable: str, word: Span) -> list[Span]:
    """Return the initial, a third of the syllable, and the toned final: espeak does not report tones."""
    parts = split_syllable(syllable)
    middle = word.start + (word.end - word.start) / 3
    if len(parts) == 1:
        return [Span(parts[0], word.start, word.end)]
    return [Span(parts[0], word.start, middle), Span(parts[1], middle, word.end)]


def _flite(text: str, voice: Voice, speed: float) -> _Raw:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [*flite_command(voice, speed), "-psdur", "-t", text, "-o", str(path)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        samples, rate = soundfile.read(path, dtype="float32")
    raw = _Raw(samples, rate)
    ends = [(name, float(end)) for name, _, end in (part.partition(":") for part in printed.split())]
    spans = [Span(name, start, end) for (_, start), (name, end) in pairwise([("pau", 0.0), *ends])]
    raw.phones = [span for span in spans if span.name != "pau"]
    words = [word.lower() for word in re.findall(r"[A-Za-z']+", text)]
    counts = [len(phones) for phones in _pronounce(words, voice.variant)]
    if sum(counts) == len(raw.phones) and all(counts):
        starts = np.cumsum([0, *counts])
        raw.words = [
            Span("", raw.phones[a].start, raw.phones[b - 1].end) for a, b in pairwise(int(s) for s in starts)
        ]
    return raw


def _pronounce(words: list[str], variant: str) -> list[tuple[str, ...]]:
    """Return the phones of each word said alone; all that are new are asked for at once."""
    known = _pronounced.setdefault(variant, {})
    new = [word for word in dict.fromkeys(words) if word not in known]
    if new:
        found = _flite_phones(". ".join(new), variant)
        if len(found) != len(new):  # a full stop after a word may be read as that of an abbreviation
            found = [sum(_flite_phones(word, variant), ()) for word in new]
        known.update(zip(new, found, strict=True))
    return [known[word] for word in words]


def _flite_phones(text: str, variant: str) -> list[tuple[str, ...]]:
    """Return the phones between pauses."""
    command = ["flite", "-voice", variant, "-ps", "-t", text, "none"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [tuple(part.split()) for part in re.split(r"\bpau\b", printed) if part.strip()]
