"""Text that a recogniser invents on silence, music and noise, told from what was said.

It knows texts, no sound. The phrases are those that Whisper is known to have learned from subtitles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CJK = r"[\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]"
_SPACE_IN_CHINESE = re.compile(rf"(?<={_CJK})\s+|\s+(?={_CJK})")

# Each pattern takes the whole invented sentence; none is anything that is said on the telephone.
_SUBTITLES = re.compile(
    "|".join(
        (
            r"(?:请|請)?不吝(?:点赞|點贊)[^。！!?？]*",
            r"(?:点赞|點贊)[\s，,、]*(?:订阅|訂閱)[^。！!?？]*",
            r"(?:订阅|訂閱)[\s，,、]*(?:转发|轉發)[^。！!?？]*",
            r"(?:打赏|打賞)支持[^。！!?？]*",
            r"(?:中文)?字幕[\s:：]*(?:由|志愿者|志願者|制作|製作|提供|组|組|by)[^。！!?？]*",
            r"\S*Amara\.org\S*(?:\s*(?:社群|社区|社區)(?:提供)?|\s*community)?",
            r"优优独播剧场[^。！!?？]*|優優獨播劇場[^。！!?？]*",
            r"(?:谢谢|謝謝|感谢|感謝)(?:大家|您|你)?(?:的)?(?:观看|觀看|收看|收听|收聽)",
            r"(?:我们|我們)?下(?:期节目|期節目|集)再(?:见|見)",  # 下期 alone is the next instalment
            r"明镜(?:与点点|需要您)[^。！!?？]*|明鏡(?:與點點|需要您)[^。！!?？]*",
            r"ご視聴ありがとうございました",
            r"\bthanks? (?:you )?(?:so much )?for (?:watching|viewing)[^.!?]*",
            r"\b(?:please )?(?:like|comment)(?:,| and) (?:and )?subscribe[^.!?]*",
            r"\b(?:please )?subscribe to (?:my|our|the) channel[^.!?]*",
            r"\bsubtitles? (?:by|created by|provided by)[^.!?]*(?:\.org\b[^.!?]*)?",
            r"\btranscri(?:bed|ption) by [^.!?]*",
        )
    ),
    re.IGNORECASE,
)
_LONG_LOOP = re.compile(r"(.{2,60}?)(?:[\s，,。.、]*\1){4,}", re.DOTALL)  # a phrase five times on end
_SHORT_LOOP = re.compile(
    r"([^\W\d])(?:[\s，,。.、]*\1){9,}|(\b[^\W\d]+\b)(?:[\s，,。.]+\2\b){7,}", re.IGNORECASE
)
_SAYS_NOTHING = re.compile(r"[\W_]*")
_CHARACTERS_PER_SECOND = {"zh": 12.0}  # the fastest speakers say 8-9 syllables
_OTHER_CHARACTERS_PER_SECOND = 30.0  # English at 300 words a minute has 27 with spaces
_ALLOWANCE = 8  # characters, for short utterances


@dataclass(frozen=True, slots=True)
class GuardedText:
    """What is left of a text, empty if all was invented, and what was taken out."""

    text: str
    invented: bool = False
    looped: bool = False


def guard_text(text: str, language: str, seconds: float) -> GuardedText:
    """Return the text without subtitle phrases and with loops cut to one round, spaces in Chinese removed.

    A text that nobody can have said in `seconds` is taken out whole.
    """
    kept = _SUBTITLES.sub("", text)
    cut = _LONG_LOOP.sub(_one_round, _SHORT_LOOP.sub(lambda match: match.group(1) or match.group(2), kept))
    clean = _SPACE_IN_CHINESE.sub("", cut) if language in ("zh", "yue") else cut
    clean = re.sub(r"\s+", " ", clean).strip()
    if _SAYS_NOTHING.fullmatch(clean):
        clean = ""
    if is_too_fast(clean, language, seconds):
        return GuardedText("", invented=True, looped=cut != kept)
    return GuardedText(clean, invented=kept != text, looped=cut != kept)


def is_too_fast(text: str, language: str, seconds: float) -> bool:
    """Whether nobody can have said so much in so short a time."""
    rate = _CHARACTERS_PER_SECOND.get(language, _OTHER_CHARACTERS_PER_SECOND)
    return len(text) > _ALLOWANCE + rate * seconds


def _one_round(match: re.Match[str]) -> str:
    """Digits are read out five times on end in real account numbers."""
    phrase = match.group(1)
    return match.group(0) if re.fullmatch(r"[\d\s,.零一二三四五六七八九十]+", phrase) else phrase
