"""Make the training pairs of the demonstration speech model: sentences, spoken by synthetic telephone voices.

    python models/speech-demo/make_pairs.py OUT --zh FILE… --en FILE…

The files are plain text (or .xz), one sentence a line; from them come open sentences of frequent characters and
words. The templates beside this file and the utterances of models/tagger/corpus (its training families only)
bring the language of collection calls. OUT gets 8 kHz recordings and `train.jsonl`, `valid.jsonl`, `test.jsonl`
as `callanalysis train-speech` reads them; valid and test hold sentences and voices that train has not, made of
characters and words that it has.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from callanalysis.speech.timed_voices import speak_timed
from callanalysis.speech.voices import TELEPHONE_RATE, VOICES, Voice, jitter, telephone

from sentences import corpus_sentences, heard_often, open_sentences, part_of, template_sentences, units_of

OFTEN_IN_CALLS = 3  # a character or word of so many utterances of the corpus may stand in open sentences
OFTEN_IN_ALL = 5  # held-out sentences have only characters and words of so many training sentences
CORPUS = Path(__file__).parent.parent / "tagger" / "corpus"
HELD_OUT_VARIANTS = {"zh": ("cmn-latn-pinyin+f4", "cmn-latn-pinyin+m1"), "en": ("en-us+f4", "en-us+m1")}
MORE_VARIANTS = {
    "zh": [
        f"cmn-latn-pinyin+{v}"
        for v in ("f1", "f3", "f5", "m2", "m4", "m5", "m8", "linda", "steph", "max", "david")
    ],
    "en": [f"{a}+{v}" for a in ("en-us", "gmw/en") for v in ("f1", "f3", "m2", "m4", "m8", "linda", "steph")],
}


def draw_voice(language: str, held_out: bool, rng: np.random.Generator) -> Voice:
    """Return a voice: from the held-out variants, else near one of VOICES (two thirds) or another variant."""
    presets = [v for v in VOICES.values() if v.language == language]
    if held_out:
        variant = str(rng.choice(HELD_OUT_VARIANTS[language]))
        return jitter(Voice("held-out", language, "espeak", variant, 46, 180, 1.0), rng)
    if rng.random() < 0.67:
        return jitter(presets[int(rng.integers(len(presets)))], rng)
    variant = str(rng.choice(MORE_VARIANTS[language]))
    return jitter(Voice("other", language, "espeak", variant, 46, 185, 1.0), rng, amount=1.6)


def render(job: tuple[int, str, str, str, str, int]) -> dict[str, object] | None:
    """Speak one sentence into OUT/sound and return its manifest line."""
    index, text, language, part, out, seed = job
    rng = np.random.default_rng((seed, index))
    voice = draw_voice(language, part != "train", rng)
    spoken = speak_timed(text, voice, speed=float(rng.uniform(0.92, 1.18)))
    if spoken is None:
        return None
    codec = str(rng.choice(["pcm", "ulaw", "alaw", "gsm"], p=[0.4, 0.25, 0.2, 0.15]))
    noise = None if rng.random() < 0.2 else float(rng.uniform(14, 40))
    samples = telephone(spoken.samples, codec, noise, rng) * float(10 ** rng.uniform(-0.5, 0.5))
    if not 0.3 <= len(samples) / TELEPHONE_RATE <= 12:
        return None
    path = Path(out) / "sound" / f"{index % 100:02d}" / f"{index}.wav"
    soundfile.write(path, np.clip(samples, -1, 1), TELEPHONE_RATE, subtype="PCM_16")
    return {
        "audio": str(path.relative_to(out)),
        "text": text,
        "language": language,
        "voice": voice.variant,
        "words": [[round(word.start, 3), round(word.end, 3)] for word in spoken.words],
        "phones": [[phone.name, round(phone.start, 3), round(phone.end, 3)] for phone in spoken.phones],
        "part": part,
    }


def jobs_of(args: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Yield text, language and part of everything that is to be spoken."""
    for language in args.languages:
        rng = np.random.default_rng((args.seed, len(language), ord(language[0])))
        calls = corpus_sentences(args.corpus, language)
        of_calls = heard_often((line for line, part in calls.items() if part == "train"), OFTEN_IN_CALLS)
        texts = open_sentences(getattr(args, language), language, args.open, of_calls, args.seed)
        texts += template_sentences(language, args.templates, rng)
        parts = {text: part_of(text) for text in texts} | calls
        known = heard_often((text for text, part in parts.items() if part == "train"), OFTEN_IN_ALL)
        for text, part in parts.items():
            if part == "train":
                yield from [(text, language, part)] * (args.copies if text in calls else 1)
            elif known.issuperset(units_of(text)):
                yield text, language, part


def main() -> None:
    """Speak all sentences and write the manifests."""
    args = arguments()
    jobs = [(i, *job, str(args.out), args.seed) for i, job in enumerate(jobs_of(args))]
    for shard in range(100):
        (args.out / "sound" / f"{shard:02d}").mkdir(parents=True, exist_ok=True)
    files = {
        part: (args.out / f"{part}.jsonl").open("w", encoding="utf-8") for part in ("train", "valid", "test")
    }
    with ProcessPoolExecutor(args.workers) as pool:
        for done, row in enumerate(pool.map(render, jobs, chunksize=64), 1):
            if row is not None:
                files[str(row.pop("part"))].write(json.dumps(row, ensure_ascii=False) + "\n")
            if done % 1000 == 0:
                print(f"{done:,} of {len(jobs):,} sentences spoken", flush=True)


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--zh", type=Path, nargs="*", default=[])
    parser.add_argument("--en", type=Path, nargs="*", default=[])
    parser.add_argument("--open", type=int, default=24000, help="open sentences per language")
    parser.add_argument("--templates", type=int, default=6500, help="filled templates per language")
    parser.add_argument("--copies", type=int, default=1, help="voices per corpus utterance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--languages", nargs="*", default=["zh", "en"])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
