"""Pairs of sound and text, read from JSON lines and kept as one file of samples with an index.

A line is `{"audio": path, "text", "language", "words"?: [[start, end], …], "phones"?: [[name, start, end], …]}`, the
path relative to the file that names it; times in seconds. `words` has an entry for each Chinese character or English
word of the text. Times are what a network that knows nothing learns fastest from; without them it takes the phones,
which may then be plain names, in their order.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from callanalysis.errors import InputError

SAMPLE_RATE = 16_000  # Hz
LONGEST = 29.4  # seconds: with the quiet around it, it must fit into Whisper's 30
_FEW = 500  # pairs that one process reads sooner than others are started
_AT_ONCE = 64  # pairs a process is given

_Line = tuple[str, dict[str, Any], Path]  # where it stands, what it says, what its paths are relative to


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the manifest; `place` and `length` say where its samples lie in the cache.

    `word_times` and `phone_times` are start and end in seconds, empty where they are not known.
    """

    text: str
    language: str
    phones: tuple[str, ...]
    place: int
    length: int
    word_times: tuple[tuple[float, float], ...] = ()
    phone_times: tuple[tuple[float, float], ...] = ()

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return self.length / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of some manifests, and their samples: int16 at 16 kHz, end to end, mapped from disk."""

    rows: tuple[Pair, ...]
    sound: np.ndarray

    @property
    def hours(self) -> float:
        """The duration of all pairs."""
        return sum(row.length for row in self.rows) / SAMPLE_RATE / 3600


def open_pairs(manifests: list[Path], cache: Path) -> Pairs:
    """Return the pairs of the manifests; the samples are decoded once into `cache`.

    Raises InputError naming file and line where a line is no pair or its sound cannot be read.
    """
    key = hashlib.sha256(b"".join(path.read_bytes() for path in manifests)).hexdigest()[:16]
    index, sound = cache / f"pairs-{key}.json", cache / f"pairs-{key}.i16"
    if not index.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _build(manifests, index, sound)
    rows = tuple(
        Pair(
            text=r["text"],
            language=r["language"],
            phones=tuple(r["phones"]),
            place=r["place"],
            length=r["length"],
            word_times=tuple(map(tuple, r["word_times"])),
            phone_times=tuple(map(tuple, r["phone_times"])),
        )
        for r in json.loads(index.read_text(encoding="utf-8"))
    )
    return Pairs(rows, np.memmap(sound, dtype=np.int16, mode="c"))


def _build(manifests: list[Path], index: Path, sound: Path) -> None:
    rows: list[dict[str, object]] = []
    place = 0
    partial = sound.with_suffix(".partial")
    with partial.open("wb") as out:
        for row, samples in _in_processes(list(_lines(manifests))):
            out.write(samples)
            rows.append({**row, "place": place, "length": len(samples) // 2})
            place += len(samples) // 2
    partial.replace(sound)
    index.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def _in_processes(lines: list[_Line]) -> Iterator[tuple[dict[str, object], bytes]]:
    if len(lines) < _FEW:
        yield from map(_read_pair, lines)
        return
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_read_pair, lines, chunksize=_AT_ONCE)


def _read_pair(item: _Line) -> tuple[dict[str, object], bytes]:
    """The row of a manifest's line, and its sound as bytes of 16-bit samples."""
    where, line, base = item
    samples = read_sound(base / str(line.get("audio", "")), where)
    if len(samples) > LONGEST * SAMPLE_RATE:
        fault = f"{len(samples) / SAMPLE_RATE:.1f} s of sound; at most {LONGEST} s can be learnt at once"
        raise InputError(where, fault, "Cut it into sentences")
    text, language = line.get("text"), line.get("language")
    if not isinstance(text, str) or not isinstance(language, str):
        raise InputError(where, "a pair needs text and language", "Give both as strings")
    row = {"text": text, "language": language, **_times(line, text, language, where)}
    return row, (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _times(line: dict[str, Any], text: str, language: str, where: str) -> dict[str, object]:
    words, phones = line.get("words") or [], line.get("phones") or []
    if words and len(words) != len(units_of(text, language)):
        remedy = "Give a start and an end for each Chinese character or English word, or leave `words` out"
        raise InputError(where, f"{len(words)} times for {len(units_of(text, language))} words", remedy)
    timed = all(isinstance(phone, list) for phone in phones)
    return {
        "word_times": words,
        "phones": [phone[0] for phone in phones] if timed else phones,
        "phone_times": [phone[1:] for phone in phones] if timed else [],
    }


def units_of(text: str, language: str) -> list[str]:
    """Return what is timed of a text: its Chinese characters or English words."""
    return re.findall(r"[\u4e00-\u9fff]" if language == "zh" else r"[A-Za-z']+", text)


def _lines(manifests: list[Path]) -> Iterator[_Line]:
    for path in manifests:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.name}:{number}"
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise InputError(where, f"not JSON: {error}", "Write one JSON object a line") from error
            yield where, line, path.parent


def read_sound(path: Path, where: str) -> np.ndarray:
    """Return the sound of a WAV or FLAC file, mixed to one channel: float32 at 16 kHz."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(where, f"cannot read {path.name}: {error}", "Give a WAV or FLAC file") from error
    mono = samples.mean(axis=1)
    return np.asarray(
        mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE), dtype=np.float32
    )
