from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalysis.schema import Sound, SpeechRegion, Transcript, Utterance
from callanalysis.skills import DEFINITIONS, REASONS, measure_call
from callanalysis.spans import gaps, total, union, without
from callanalysis.turns import is_back_channel, spoken_units, turns_of


def sound(duration=60.0, channels=2, notes=()):
    return Sound("/c.wav", "hash", duration, channels, 8000, "pcm_mulaw", notes)


def transcript(*lines, language="zh", regions=True, confidence=None):
    """Lines are (role, start, end, text); the collector has channel 0, the debtor channel 1."""
    utterances = tuple(
        Utterance(
            i,
            "channel 0" if role == "collector" else "channel 1",
            start,
            end,
            text,
            role=role,
            role_confidence=confidence,
        )
        for i, (role, start, end, text) in enumerate(lines)
    )
    spoken = tuple(SpeechRegion(int(r != "collector"), s, e) for r, s, e, _ in lines) if regions else ()
    return Transcript("C-1", language, utterances, "demo", spoken)


def values(*lines, sound=sound(), tones=(), **options):  # noqa: B008 - frozen
    measures = measure_call(transcript(*lines, **options), sound, tones)
    return {m.name: m.value if m.reason is None else m.reason for m in measures}


TALK = (
    ("collector", 1.0, 11.0, "一二三四五，六七八九十。" * 3),  # 30 characters in 10 s: 180 a minute
    ("debtor", 13.0, 18.0, "我下个月分期还款好吗请您等一等吧"),  # 16 characters in 5 s: 192 a minute
    ("collector", 20.0, 25.0, "可以的，请您留意。"),
    ("debtor", 30.0, 35.0, "再见谢谢您今天打电话"),
)


def test_a_call_worked_out_by_hand():
    got = values(*TALK)
    assert got["talk_time_collector"] == 15
    assert got["talk_time_debtor"] == 10
    assert got["talk_share"] == 0.6
    assert got["silence"] == 60 - 25
    assert got["silence_share"] == pytest.approx(35 / 60, abs=1e-4)
    assert got["dead_air"] == 5 + 25  # 25-30 and 35-60; 11-13, 18-20 and 0-1 are pauses
    assert got["pace_collector"] == (30 + 7) / 15 * 60
    assert got["pace_debtor"] == (16 + 10) / 10 * 60
    assert got["longest_monologue"] == 10
    assert got["response_gap"] == 2
    assert got["interruptions_by_collector"] == 0


def test_ring_back_and_hold_are_no_dead_air():
    ringing = [(36.0, 37.0), (41.0, 42.0), (46.0, 47.0)]
    assert values(*TALK, tones=ringing)["dead_air"] == 5 + (60 - 47)
    assert values(*TALK, tones=[(25.0, 60.0)])["dead_air"] == 0


def test_overlap_counts_for_both_and_once_in_the_call():
    got = values(("collector", 0.0, 30.0, "字" * 40), ("debtor", 20.0, 50.0, "字" * 40))
    assert got["talk_share"] == 0.5
    assert got["silence"] == 10


@pytest.mark.parametrize(
    ("line", "per_10_minutes"),
    [
        (("collector", 15.0, 25.0, "你先听我说完"), 30),  # one in 20 s of the debtor's speech
        (("collector", 15.0, 16.0, "嗯，对"), 0),
        (("collector", 15.0, 18.0, "这是另外一件事情"), 0),  # does not take the turn
        (("collector", 19.7, 25.0, "你先听我说完"), 0),  # overlaps for 0.3 s
        (("collector", 0.5, 25.0, "你先听我说完"), 0),  # the debtor had just begun
        (("collector", 21.0, 25.0, "你先听我说完"), 0),
    ],
)
def test_interruptions(line, per_10_minutes):
    got = values(("debtor", 0.0, 20.0, "我想跟您说一下我的情况"), line)
    assert got["interruptions_by_collector"] == per_10_minutes


def test_a_monologue_goes_on_through_back_channels():
    got = values(
        ("collector", 0.0, 10.0, "这是第一段话"),
        ("debtor", 4.0, 5.0, "嗯嗯"),
        ("collector", 12.0, 22.0, "这是第二段话"),
        ("debtor", 23.0, 33.0, "轮到我说几句了"),
        ("collector", 34.0, 40.0, "好的"),
    )
    assert got["longest_monologue"] == 20


SIDED = [name for name in DEFINITIONS if name not in ("silence", "silence_share", "dead_air")]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"sound": sound(channels=1)}, "mono"),
        ({"sound": sound(notes=("dead_channel",))}, "one_side_only"),
        ({"sound": None, "regions": False, "confidence": 0.5}, "uncertain_roles"),
    ],
)
def test_sides_that_are_not_known_give_no_figures_but_silence(made, reason):
    got = values(*TALK, **made)
    assert {got[name] for name in SIDED} == {reason}
    assert isinstance(got["silence"], float)


def test_a_transcript_without_times_gives_nothing():
    got = values(("collector", None, None, "您好"), ("debtor", None, None, "你好"), sound=None, regions=False)
    assert set(got.values()) == {"no_times"}
    assert got.keys() == DEFINITIONS.keys()


def test_a_transcript_with_times_and_roles_gives_all():
    got = values(*TALK, sound=None, regions=False)
    assert got["talk_share"] == 0.6
    assert got["silence_share"] == pytest.approx((35 - 25) / 35, abs=1e-4)


def test_too_little_speech_gives_no_rate():
    got = values(("collector", 0.0, 9.0, "您好，请问是王先生吗"), ("debtor", 10.0, 11.0, "打错了不是我"))
    assert got["pace_debtor"] == got["interruptions_by_collector"] == "too_little_speech"


def test_english_counts_words():
    lines = (
        ("collector", 0.0, 6.0, "It's twenty-five dollars, isn't it?"),
        ("debtor", 7.0, 13.0, "No. 3.50!"),
    )
    got = values(*lines, language="en")
    assert got["pace_collector"] == 5 * 10
    assert got["pace_debtor"] == 2 * 10


@pytest.mark.parametrize(
    "text", ["嗯", "嗯嗯，对对。", "好的好的", "Mm-hmm.", "Yeah, right", "I see.", "", "…"]
)
def test_back_channels(text):
    assert is_back_channel(text)


@pytest.mark.parametrize(
    "text", ["不行", "好的我明天还", "right now I cannot", "对不起", "okay but listen", "是谁"]
)
def test_no_back_channels(text):
    assert not is_back_channel(text)


@pytest.mark.parametrize(
    ("text", "language", "units"),
    [("您好，3500元。", "zh", 7), ("Hello -- you're there?", "en", 3), ("", "zh", 0), ("、。！", "en", 0)],
)
def test_spoken_units(text, language, units):
    assert spoken_units(text, language) == units


seconds = st.floats(0, 100, allow_nan=False)
span = st.tuples(seconds, seconds).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(span))
def test_a_union_and_its_gaps_fill_the_time(found):
    joined = union(found)
    assert all(a[1] < b[0] for a, b in pairwise(joined))
    assert total(joined) + total(gaps(joined, 100)) == pytest.approx(100)


@given(st.lists(span), st.lists(span))
def test_what_is_taken_away_is_gone_and_the_rest_is_left(found, taken):
    a, b = union(found), union(taken)
    left = without(a, b)
    assert total(left) == pytest.approx(total(union([*a, *b])) - total(b), abs=1e-6)


roles = st.sampled_from(["collector", "debtor", "unknown"])
texts = st.sampled_from(["嗯", "好的", "我下个月还款", "请您按时还款", ""])


@given(st.lists(st.tuples(roles, span, texts), max_size=12), st.booleans())
def test_measures_are_within_their_bounds(lines, with_sound):
    flat = [(role, start, end, text) for role, (start, end), text in lines]
    made = values(*flat, sound=sound(100.0) if with_sound else None, regions=with_sound)
    assert made.keys() == DEFINITIONS.keys()
    for name, value in made.items():
        assert value in REASONS if isinstance(value, str) else name == "response_gap" or value >= 0
    for name in ("talk_share", "silence_share"):
        assert isinstance(made[name], str) or 0 <= made[name] <= 1
    if isinstance(made["talk_time_collector"], float):
        spoken = made["talk_time_collector"] + made["talk_time_debtor"]
        assert spoken + made["silence"] >= (100 if with_sound else 0) - 1e-3


@given(st.lists(st.tuples(roles, span, texts), max_size=12))
def test_turns_come_in_order(lines):
    flat = [(role, start, end, text) for role, (start, end), text in lines]
    turns = turns_of(transcript(*flat).utterances)
    assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)
