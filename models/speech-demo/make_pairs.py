"""Make the training pairs of the demonstration speech model: sentences, spoken by synthetic telephone voices.

    python models/speech-demo/make_pairs.py OUT --zh FILE… --en FILE…

The files are plain text (or .xz), one sentence a line; from them come open sentences of frequent characters and
words. The templates beside this file and the utterances of models/tagger/corpus (its training families only)
bring the language of collection calls. OUT gets 8 kHz recordings and `train.jsonl`, `valid.jsonl`, `test.jsonl`
as `callanalysis train-speech` reads them; valid and test hold sentences and voices that train has not.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import lzma
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from callanalysis.speech.voices import TELEPHONE_RATE, VOICES, Voice, jitter, pronunciation, speak, telephone

HERE = Path(__file__).parent
NAMES = {
    "zh": "王建国 李秀英 张伟 刘洋 陈晨 赵磊 孙丽 吴桂芳 马超 胡海 郭婷 高峰 梁勇 宋佳 林晓云 周立 何敏 许强 杨帆 黄敏 徐静 朱军 "
    "谢丽 韩雪 唐勇 曹阳 邓超 彭飞 田甜 石磊".split(),
    "en": "David Moore|Susan Clark|James Walker|Linda Green|Peter Young|Karen Scott|Paul Baker|Anna Reed|Mark Ellis|Grace Hill|"
    "Mary Brown|Robert King|John Carter|Sarah Adams|Tom Parker|Laura White|Mister Moore|Miss Green|Mister Walker|Mister Baker".split(
        "|"
    ),
}
AGENTS = {
    "zh": "林晓云 周立 何敏 许强 小林 小周 小何 小许".split(),
    "en": "Anna Reed|Mark Ellis|Grace Hill|Anna|Mark|Grace".split("|"),
}
INSTITUTIONS = {
    "zh": "安禾消费金融 青禾银行 远帆资产 青禾银行信用卡中心 远帆资产管理公司".split(),
    "en": "Harbor Lane Credit|Northfield Recovery|Harbor Lane|Northfield".split("|"),
}
PRODUCTS = {
    "zh": "信用卡 消费贷款 现金贷 车贷 房贷 分期贷款 小额贷款 助学贷款".split(),
    "en": "credit card|personal loan|car loan|store card|student loan|account|payment|mortgage".split("|"),
}
DIGITS = {"zh": "零一二三四五六七八九", "en": "zero one two three four five six seven eight nine".split()}
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = "January February March April May June July August September October November December".split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth".split()
)
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
HELD_OUT_VARIANTS = {"zh": ("cmn-latn-pinyin+f4", "cmn-latn-pinyin+m1"), "en": ("en-us+f4", "en-us+m1")}
MORE_VARIANTS = {
    "zh": [
        f"cmn-latn-pinyin+{v}"
        for v in ("f1", "f3", "f5", "m2", "m4", "m5", "m8", "linda", "steph", "max", "david")
    ],
    "en": [f"{a}+{v}" for a in ("en-us", "en-gb") for v in ("f1", "f3", "m2", "m4", "m8", "linda", "steph")],
}


def number_zh(n: int) -> str:
    """Return `n` below 1,000,000 as it is spoken in Mandarin."""
    if n >= 10_000:
        high, low = divmod(n, 10_000)
        rest = ("零" if 0 < low < 1000 else "") + number_zh(low) if low else ""
        return number_zh(high) + "万" + rest
    out, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, n = divmod(n, unit)
        if digit:
            ten = unit == 10 and digit == 1 and not out
            out += ("零" if zero and out else "") + ("" if ten else DIGITS["zh"][digit]) + name
            zero = False
        else:
            zero = True
    return out or "零"


def number_en(n: int) -> str:
    """Return `n` below 1,000,000 as it is spoken in English."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f" {ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{ONES[n // 100]} hundred" + (f" {number_en(n % 100)}" if n % 100 else "")
    return f"{number_en(n // 1000)} thousand" + (f" {number_en(n % 1000)}" if n % 1000 else "")


def fill(template: str, language: str, rng: np.random.Generator) -> str:
    """Return the template with every slot filled at random."""
    return re.sub(r"\{(\w+)\}", lambda m: _slot(m.group(1), language, rng), template)


def _slot(name: str, language: str, rng: np.random.Generator) -> str:
    zh = language == "zh"
    if name in ("amount", "small"):
        n = (
            int(rng.choice([1, 1, 10, 100])) * int(rng.integers(10, 999))
            if name == "amount"
            else int(rng.integers(5, 99)) * int(rng.choice([5, 10, 100]))
        )
        n = min(n, 99_999)
        n = round(n, -2) if rng.random() < 0.5 and n > 200 else n
        return number_zh(n) + str(rng.choice(["元", "块", "块钱"])) if zh else f"{number_en(n)} dollars"
    if name == "digits":
        return ("" if zh else " ").join(DIGITS[language][int(d)] for d in rng.integers(0, 10, 4))
    if name in ("days", "months"):
        n = int(rng.integers(2, 120) if name == "days" else rng.integers(2, 25))
        return number_zh(n).replace("二", "两") if zh and n == 2 else number_zh(n) if zh else number_en(n)
    if name == "date":
        return _date(zh, rng)
    if name == "time":
        hour = int(rng.integers(1, 12))
        if zh:
            return (
                str(rng.choice(["上午", "下午", "晚上"]))
                + (number_zh(hour) if hour != 2 else "两")
                + str(rng.choice(["点", "点半"]))
            )
        return f"{ONES[hour]} {rng.choice(['in the morning', 'in the afternoon', 'thirty', 'tonight'])}"
    if name == "title":
        return str(rng.choice(["先生", "女士", ""]))
    table = {"name": NAMES, "agent": AGENTS, "inst": INSTITUTIONS, "product": PRODUCTS}[name]
    return str(rng.choice(table[language]))


def _date(zh: bool, rng: np.random.Generator) -> str:
    kind, day, month = rng.random(), int(rng.integers(1, 31)), int(rng.integers(0, 12))
    if zh:
        if kind < 0.4:
            return f"{number_zh(month + 1)}月{number_zh(day)}号"
        if kind < 0.6:
            return f"{rng.choice(['这个月', '下个月', '本月'])}{number_zh(day)}号"
        words = "今天 明天 后天 昨天 下周一 下周三 下周五 这周五 周六 周日 星期天 星期二 月底 月中 下个月初 国庆前".split()
        return str(rng.choice(words))
    ordinal = ORDINALS[day - 1] if day <= 20 else "thirtieth" if day == 30 else f"twenty {ORDINALS[day - 21]}"
    if kind < 0.5:
        return f"{MONTHS[month]} {ordinal}"
    if kind < 0.6:
        return f"the {ordinal}"
    words = [
        *WEEKDAYS,
        *(f"next {d}" for d in WEEKDAYS),
        "tomorrow",
        "today",
        "the end of the month",
        "next week",
    ]
    return str(rng.choice(words))


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
    kept = known | {u for u, _ in frequent.most_common(1500 if language == "zh" else 3000)}
    usable = [line for line in lines if kept.issuperset(units_of(line))]
    usable.sort(key=lambda line: hashlib.sha256(f"{seed}{line}".encode()).digest())
    heard: collections.Counter[str] = collections.Counter()
    first: list[str] = []
    for line in usable:
        if len(first) < count and any(heard[u] < 25 for u in units_of(line)):
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
    sound = speak(text, voice, speed=float(rng.uniform(0.92, 1.18)))
    codec = str(rng.choice(["pcm", "ulaw", "alaw", "gsm"], p=[0.4, 0.25, 0.2, 0.15]))
    noise = None if rng.random() < 0.2 else float(rng.uniform(12, 40))
    samples = telephone(sound, codec, noise, rng) * float(10 ** rng.uniform(-0.5, 0.5))
    if not 0.3 <= len(samples) / TELEPHONE_RATE <= 12:
        return None
    path = Path(out) / "sound" / f"{index % 100:02d}" / f"{index}.wav"
    soundfile.write(path, np.clip(samples, -1, 1), TELEPHONE_RATE, subtype="PCM_16")
    return {
        "audio": str(path.relative_to(out)),
        "text": text,
        "language": language,
        "voice": voice.variant,
        "phones": pronunciation(text, language),
        "part": part,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--zh", type=Path, nargs="*", default=[])
    parser.add_argument("--en", type=Path, nargs="*", default=[])
    parser.add_argument("--open", type=int, default=9000, help="open sentences per language")
    parser.add_argument("--templates", type=int, default=6000, help="filled templates per language")
    parser.add_argument("--copies", type=int, default=2, help="voices per corpus utterance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--languages", nargs="*", default=["zh", "en"])
    parser.add_argument("--corpus", type=Path, default=HERE.parent / "tagger" / "corpus")
    parser.add_argument("--no-corpus", action="store_true", help="leave the tagger corpus out")
    args = parser.parse_args()
    jobs = []
    for language in args.languages:
        rng = np.random.default_rng((args.seed, len(language), ord(language[0])))
        calls = {} if args.no_corpus else corpus_sentences(args.corpus, language)
        known = {u for line, part in calls.items() if part == "train" for u in units_of(line)}
        texts = open_sentences(getattr(args, language), language, args.open, known, args.seed)
        texts += template_sentences(language, args.templates, rng)
        parts = [(text, part_of(text)) for text in texts if text not in calls]
        parts += [
            item
            for text, part in calls.items()
            for item in [(text, part)] * (args.copies if part == "train" else 1)
        ]
        jobs += [
            (len(jobs) + i, text, language, part, str(args.out), args.seed)
            for i, (text, part) in enumerate(parts)
        ]
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


if __name__ == "__main__":
    main()
