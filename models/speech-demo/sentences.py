"""The sentences that are spoken for training: open text, filled templates, utterances of the tagger's corpus."""

from __future__ import annotations

import collections
import hashlib
import json
import lzma
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spoken import fill

HERE = Path(__file__).parent
FREQUENT = {
    "zh": 1200,
    "en": 2000,
}  # characters, words: open sentences are made of these and of the calls' own
OFTEN_ENOUGH = 25  # sentences with a character or word heard fewer times come first


def clean(line: str, language: str) -> str | None:
    """Return the line as a training sentence, or None where it is not plainly readable in that language."""
    line = line.strip()
    if language == "zh":
        line = (
            re.sub(r"[,、；;：:]| +", "，", re.sub(r"[!！]+", "。", line)).replace("?", "？").replace("…", "")
        )
        line = re.sub(r"，+", "，", re.sub(r"。+", "。", line)).strip("，")
        if not re.fullmatch(r"[\u4e00-\u9fff，。？]{3,34}", line):
            return None
        return line if line[-1] in "，。？" else line + "。"
    line = re.sub(r"\s+", " ", line.replace("!", ".").replace(";", ",").replace("’", "'"))
    if not re.fullmatch(r"[A-Z][A-Za-z',.? ]{6,110}", line) or not 2 <= len(line.split()) <= 18:
        return None
    return line if line[-1] in ".?" else line + "."


def units_of(line: str) -> list[str]:
    """Return the Chinese characters or English words of a line."""
    return re.findall(r"[\u4e00-\u9fff]|[a-z']+", line.lower())


def heard_often(lines: Iterable[str], often: int) -> set[str]:
    """Return the characters or words that stand in at least `often` of the lines."""
    counts = collections.Counter(unit for line in lines for unit in set(units_of(line)))
    return {unit for unit, count in counts.items() if count >= often}


def open_sentences(files: list[Path], language: str, count: int, known: set[str], seed: int) -> list[str]:
    """Return `count` distinct sentences of frequent units and those of `known`, the language of the calls.

    Sentences that bring a unit heard fewer than 25 times so far come first.
    """
    lines: set[str] = set()
    for path in files:
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8") as handle:
            lines.update(filter(None, (clean(line, language) for line in handle)))
    frequent = collections.Counter(u for line in lines for u in set(units_of(line)))
    ranked = sorted(frequent, key=lambda unit: (-frequent[unit], unit))  # the same among equals every time
    kept = known | set(ranked[: FREQUENT[language]])
    usable = [line for line in lines if kept.issuperset(units_of(line))]
    usable.sort(key=lambda line: hashlib.sha256(f"{seed}{line}".encode()).digest())
    heard: collections.Counter[str] = collections.Counter()
    first: list[str] = []
    for line in usable:
        if len(first) < count and any(heard[u] < OFTEN_ENOUGH for u in units_of(line)):
            first.append(line)
            heard.update(units_of(line))
    chosen = set(first)
    return first + [line for line in usable if line not in chosen][: count - len(first)]


def template_sentences(language: str, count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` distinct filled templates; a third are two sentences said in one breath."""
    templates = (HERE / f"templates.{language}.txt").read_text(encoding="utf-8").split("\n")
    templates = [t for t in templates if t]
    out: set[str] = set()
    while len(out) < count:
        parts = [
            fill(str(rng.choice(templates)), language, rng) for _ in range(2 if rng.random() < 0.3 else 1)
        ]
        out.add(("" if language == "zh" else " ").join(parts))
    return sorted(out)


def corpus_sentences(folder: Path, language: str) -> dict[str, str]:
    """Return the readable utterances of the tagger corpus with their part: whole families are held out."""
    path = folder / f"utterances.{language}.jsonl"
    rows = (
        (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
    )
    texts = ((clean(row["text"], language), row["part"]) for row in rows)
    return {text: part for text, part in texts if text}


def part_of(text: str) -> str:
    """Return the part a sentence belongs to: 2 % test, 1 % valid, the rest train."""
    bucket = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % 100
    return "test" if bucket < 2 else "valid" if bucket == 2 else "train"
