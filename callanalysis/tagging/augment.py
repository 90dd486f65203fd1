"""Variations of an authored utterance for training: what a recogniser or another speaker makes of it.

Labels stay true under all of them; where two utterances are joined their labels are joined. Every draw comes
from the generator that is handed in. It knows text and labels, not tokens.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from callanalysis.labels import OTHER, Role
from callanalysis.tagging.inputs import TagInput, read_turn, turn_line
from callanalysis.tagging.numerals import en_digits, en_number, zh_digits, zh_number

_PUNCTUATION = re.compile(r"[，。！？、；：…—“”‘’「」,.!?;:\"()（）\-]+")
_DIGITS = re.compile(r"\d[\d,]*")
_SURNAME = re.compile(r"[\u4e00-\u9fff](?=(?:先生|女士|小姐|师傅|老板|大哥|总|姐|哥|阿姨|叔))")
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史"
    "顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_FILLERS_ZH = ("嗯", "呃", "那个", "就是", "就是说", "这个", "啊", "那个那个", "哎", "我跟你讲", "说实话")
_FILLERS_EN = ("uh", "um", "like", "you know", "well", "I mean", "so", "er", "look", "actually", "right")
# Confusions of recognisers that change no meaning to a listener: same or nearly the same sound.
_MISHEARD_ZH = (
    ("还款", "环款"), ("逾期", "预期"), ("征信", "真信"), ("协商", "协上"), ("起诉", "启诉"),
    ("账单", "帐单"), ("账户", "帐户"), ("催收", "崔收"), ("分期", "分七"), ("利息", "立息"),
    ("欠款", "千款"), ("本金", "本经"), ("减免", "简免"), ("投诉", "投速"), ("法院", "发院"),
    ("律师", "绿师"), ("上门", "商门"), ("微信", "威信"), ("借", "接"), ("在", "再"),
    ("的", "得"), ("他", "她"), ("那", "哪"), ("做", "作"), ("会", "汇"),
    ("是", "事"), ("您", "你"), ("逾期", "于期"), ("罚息", "法西"), ("工资", "公资"),
    ("还", "换"), ("没", "每"), ("清", "轻"),
)  # fmt: skip
_MISHEARD_EN = (
    ("owe", "oh"), ("due", "do"), ("debt", "dead"), ("loan", "lone"),
    ("your", "you're"), ("you're", "your"), ("their", "there"), ("to", "too"),
    ("two", "to"), ("for", "four"), ("pay", "pain"), ("paid", "pate"),
    ("arrears", "a rears"), ("waive", "wave"), ("instalment", "installment"), ("are", "our"),
    ("here", "hear"), ("would", "wood"), ("weeks", "weak's"), ("bill", "bell"),
    ("court", "caught"), ("collect", "correct"), ("account", "a count"), ("it's", "its"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strength:
    """How often each variation is drawn (probability an utterance)."""

    unpunctuated: float = 0.3
    filler: float = 0.2
    misheard: float = 0.2
    digits: float = 0.4
    surname: float = 0.3
    dropped: float = 0.15
    no_context: float = 0.25
    less_context: float = 0.3
    no_role: float = 0.12
    joined: float = 0.15


@dataclass(frozen=True, slots=True)
class Sample:
    """What a training step sees of an example. `speaker` is who really spoke, even where hidden."""

    input: TagInput
    speaker: Role
    intent: tuple[str, ...]
    risk: tuple[str, ...]


def vary(sample: Sample, other: Sample | None, rng: random.Random, strength: Strength) -> Sample:
    """Return a variation of the sample, joined with `other` (of the same speaker) now and then."""
    if other is not None and other.speaker == sample.speaker and rng.random() < strength.joined:
        sample = _join(sample, other, rng)
    line = replace(sample.input, text=vary_text(sample.input.text, rng, strength))
    line = replace(line, context=_vary_context(line.context, rng, strength))
    if rng.random() < strength.no_role:
        line = without_roles(line)
    return replace(sample, input=line)


def without_roles(line: TagInput) -> TagInput:
    """Return the input as it looks where nobody knows who speaks."""
    context = tuple(turn_line("unknown", read_turn(turn)[1]) for turn in line.context)
    return replace(line, role="unknown", context=context)


def vary_text(text: str, rng: random.Random, strength: Strength) -> str:
    """Return the text as another speaker or a recogniser might have given it; never empty."""
    chinese = any("\u4e00" <= c <= "\u9fff" for c in text)
    varied = text
    if rng.random() < strength.surname:
        varied = _SURNAME.sub(lambda _: rng.choice(_SURNAMES), varied)
    if rng.random() < strength.digits:
        varied = _DIGITS.sub(lambda m: _other_number(m[0], chinese, rng), varied)
    if rng.random() < strength.misheard:
        varied = _mishear(varied, chinese, rng)
    if rng.random() < strength.dropped:
        varied = _drop(varied, chinese, rng)
    if rng.random() < strength.filler:
        varied = _fill(varied, chinese, rng)
    if rng.random() < strength.unpunctuated:
        varied = _PUNCTUATION.sub("" if chinese else " ", varied)
    return varied.strip() or text


def _join(one: Sample, two: Sample, rng: random.Random) -> Sample:
    """Return both said in one breath, with the labels of both."""
    first, second = (one, two) if rng.random() < 0.5 else (two, one)
    intent = tuple(dict.fromkeys((*first.intent, *second.intent)))
    told = tuple(name for name in intent if name not in (OTHER.name, "acknowledge"))
    risk = tuple(dict.fromkeys((*first.risk, *second.risk)))
    text = f"{first.input.text} {second.input.text}"
    return Sample(replace(one.input, text=text), one.speaker, told or intent[:1], risk)


def _vary_context(context: tuple[str, ...], rng: random.Random, strength: Strength) -> tuple[str, ...]:
    draw = rng.random()
    if draw < strength.no_context:
        return ()
    if draw < strength.no_context + strength.less_context:
        context = context[-rng.randint(1, 2) :]
    if rng.random() < strength.unpunctuated:
        return tuple(turn_line(role, _PUNCTUATION.sub(" ", text)) for role, text in map(read_turn, context))
    return context


def _other_number(digits: str, chinese: bool, rng: random.Random) -> str:
    """Return another number of as many digits, in digits or in words."""
    plain = digits.replace(",", "")
    if rng.random() < 0.6:
        plain = plain[0] + "".join(d if d == "0" else str(rng.randint(1, 9)) for d in plain[1:])
    if rng.random() < 0.5 or len(plain) > 8:
        return plain
    one_by_one = rng.random() < 0.3 or plain[0] == "0"
    if chinese:
        return zh_digits(plain) if one_by_one else zh_number(int(plain))
    return f" {en_digits(plain) if one_by_one else en_number(int(plain))} "


def _mishear(text: str, chinese: bool, rng: random.Random) -> str:
    if chinese:
        found = [pair for pair in _MISHEARD_ZH if pair[0] in text]
        for said, heard in rng.sample(found, min(len(found), rng.randint(1, 2))):
            text = text.replace(said, heard, 1)
        return text
    words = text.split(" ")
    table = dict(_MISHEARD_EN)
    places = [i for i, word in enumerate(words) if word.lower() in table]
    for i in rng.sample(places, min(len(places), rng.randint(1, 2))):
        words[i] = table[words[i].lower()]
    return " ".join(words)


def _drop(text: str, chinese: bool, rng: random.Random) -> str:
    """Return the text with one short piece lost or said twice."""
    parts = list(text) if chinese else text.split(" ")
    if len(parts) < 6:
        return text
    at, size = rng.randrange(len(parts) - 1), rng.randint(1, 2 if chinese else 1)
    piece = parts[at : at + size]
    kept = (
        [*parts[:at], *piece, *piece, *parts[at + size :]]
        if rng.random() < 0.5
        else parts[:at] + parts[at + size :]
    )
    return ("" if chinese else " ").join(kept)


def _fill(text: str, chinese: bool, rng: random.Random) -> str:
    if chinese:
        cuts = [0, *(m.end() for m in re.finditer(r"[，。？！、 ]", text) if m.end() < len(text))]
        at = rng.choice(cuts)
        return text[:at] + rng.choice(_FILLERS_ZH) + rng.choice(["，", ""]) + text[at:]
    words = text.split(" ")
    at = rng.randrange(len(words))
    return " ".join([*words[:at], rng.choice(_FILLERS_EN), *words[at:]])
