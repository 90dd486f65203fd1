"""Sixty invented calls as the pipeline would leave them: three with sound, one hostile, one imported."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from callanalysis.audio.faults import FAULTS
from callanalysis.labels import WILLINGNESS_SCORES, Role, Willingness
from callanalysis.schema import (
    CallAnalysis,
    CallMetadata,
    CallTags,
    Failure,
    Measure,
    Promise,
    Sound,
    SpeechRegion,
    Transcript,
    Utterance,
    UtteranceTags,
    Versions,
)
from callanalysis.store.db import Store

RATE = 8000  # Hz
COLLECTORS = (
    ("C01", "林晓云", "电催一组"),
    ("C02", "周立", "电催一组"),
    ("C03", "许强", "电催二组"),
    ("C04", "Anna Reed", "Night desk"),
)


class Line(NamedTuple):
    """One line of a script: "role | intents | risks | text"."""

    role: Role
    text: str
    intent: tuple[str, ...]
    risk: tuple[str, ...]
    seconds: float


def _script(text: str, per_second: float) -> tuple[Line, ...]:
    lines = []
    for row in text.strip().splitlines():
        role, intent, risk, said = (part.strip() for part in row.split("|"))
        known: Role = "collector" if role == "collector" else "debtor"
        labels = [tuple(filter(None, part.split(","))) for part in (intent, risk)]
        lines.append(Line(known, said, labels[0], labels[1], max(0.8, len(said) / per_second)))
    return tuple(lines)


ZH = _script(
    """
collector | greet,verify_identity |  | 您好，请问是王建国先生吗？
debtor | confirm_identity,ask_information |  | 是我，你哪位？
collector | identify_self,recording_notice |  | 我是安禾消费金融的工作人员，本次通话会录音。
collector | state_debt,request_payment |  | 您的消费贷欠三千五百元，已经逾期十二天，今天能处理吗？
debtor | hardship_job |  | 最近厂里停工，工资拖了两个月，实在拿不出这么多。
collector | other | threat_exposure | 你再不还，我们就通知你单位和全村的人。
debtor | complain |  | 你这样说我要去投诉。
collector | empathise,offer_plan |  | 对不起，是我说重了。您看分两期可以吗？
debtor | promise_partial |  | 那我下周五先还一千。
collector | confirm_promise,payment_channel |  | 好的，下周五还一千元，用官方应用还款。
debtor | acknowledge |  | 嗯，好。
collector | close |  | 感谢您的配合，再见。
""",
    per_second=5,
)
EN = _script(
    """
collector | greet,verify_identity |  | Good morning, am I speaking with Ms Carter?
debtor | confirm_identity |  | Yes, that is me.
collector | identify_self,recording_notice |  | This is Harbor Lane Credit, the call is recorded.
collector | state_debt |  | You owe eight hundred and fifty dollars, forty days past due.
debtor | hardship_job |  | I lost my shifts last month and I am behind on everything.
collector | ask_capacity |  | How much could you manage each month?
debtor | request_instalment,promise_partial |  | About one hundred, from the fifteenth.
collector | confirm_promise,payment_channel |  | Thank you. One hundred on the fifteenth, through our website.
debtor | acknowledge |  | All right.
collector | close |  | Goodbye, and thank you.
""",
    per_second=15,
)
HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1"> <b>bold</b>'


def seed(store: Store, folder: Path) -> None:
    """Save the calls and two failures; recordings are written to `folder`."""
    draw = random.Random(7)
    for number in range(60):
        store.save(_call(number, draw, folder))
    at = datetime(2026, 6, 20, 2, 10, tzinfo=UTC)
    too_long = FAULTS["too_long"][0].format(hours=6.5, limit=4), FAULTS["too_long"][1]
    store.record_failure(Failure("recordings/long.wav", None, "audio", "too_long", *too_long, at))
    store.record_failure(
        Failure("recordings/X9.wav", "X9", "speech", "checkpoint", "no weights", "Fetch", at)
    )


def _call(number: int, draw: random.Random, folder: Path) -> CallAnalysis:
    identity = f"T-{number:04d}"
    collector = COLLECTORS[min(3, number % 4 if number < 8 else number % 3)]
    is_english = number % 5 == 4
    script = list(EN if is_english else ZH)
    is_calm = number != 0 and draw.random() < 0.7
    if is_calm:
        script = [line for line in script if not line.risk and line.intent != ("complain",)]
    if number == 1:
        script[1] = script[1]._replace(text=HOSTILE)
    is_imported, is_mono = number == 2, number == 3
    utterances = _spoken(script, draw, is_imported, is_mono)
    sound = None if is_imported else _sound(identity, utterances, folder, number, is_mono)
    levels: tuple[Willingness, ...] = ("high", "medium", "medium", "low", "none")
    level = draw.choice(levels)
    score = round(draw.uniform(*WILLINGNESS_SCORES[level]), 2)
    promised = next(
        x.index for x, line in zip(utterances, script, strict=True) if "promise_partial" in line[2]
    )
    return CallAnalysis(
        metadata=_metadata(number, draw, collector, is_english),
        sound=sound,
        transcript=Transcript(
            identity, "en" if is_english else "zh", utterances, "test-engine", _regions(utterances, is_mono)
        ),
        tags=tuple(_tags(x, line, draw) for x, line in zip(utterances, script, strict=True)),
        call_tags=CallTags(level, score, "constrained", "ability", (4, promised)),
        measures=_measures(draw, "mono" if is_mono else "no_times" if is_imported else None),
        versions=Versions("test-engine", "test-tagger", "1", None),
        promise=Promise(1000.0, date(2026, 6, 19), "partial", promised) if level == "high" else None,
        identity_hash=sound.content_hash if sound else hashlib.sha256(identity.encode()).hexdigest(),
    )


def _spoken(
    script: list[Line], draw: random.Random, is_imported: bool, is_mono: bool
) -> tuple[Utterance, ...]:
    found, at = [], 0.6
    for index, line in enumerate(script):
        end = at + line.seconds
        speaker = "channel 0" if is_mono or line.role == "collector" else "channel 1"
        sure = round(draw.uniform(0.6, 0.98), 2) if is_mono else None
        times = (None, None) if is_imported else (round(at, 2), round(end, 2))
        found.append(Utterance(index, speaker, times[0], times[1], line.text, (), -0.2, line.role, sure))
        at = end + draw.uniform(0.2, 1.1)
    return tuple(found)


def _tags(said: Utterance, line: Line, draw: random.Random) -> UtteranceTags:
    scores = {name: round(draw.uniform(0.62, 0.99), 3) for name in (*line.intent, *line.risk)}
    return UtteranceTags(said.index, line.intent, line.risk, scores)


def _metadata(
    number: int, draw: random.Random, collector: tuple[str, str, str], is_english: bool
) -> CallMetadata:
    zone = timezone(timedelta(hours=-5 if is_english else 8))
    started = datetime(2026, 6, 1, 9, 12, tzinfo=zone) + timedelta(
        hours=7 * number, minutes=draw.randrange(50)
    )
    return CallMetadata(
        call_id=f"T-{number:04d}", started_at=started, direction="outbound",
        collector_id=collector[0], collector_name=collector[1], team=collector[2],
        debtor_id=f"D-{number:04d}", debtor_name="Jane Carter" if is_english else "王建国",
        account_id=f"A-{1000 + number}", product="Card" if is_english else "消费贷",
        days_past_due=draw.randrange(3, 120), balance=round(draw.uniform(400, 30000), 2),
        currency="USD" if is_english else "CNY", number_dialled="199-0000-0101",
        jurisdiction="US" if is_english else "CN",
    )  # fmt: skip


def _measures(draw: random.Random, fault: str | None) -> tuple[Measure, ...]:
    """The measures; where the sides are not known, those that need them have a reason in place of a value."""
    values = {
        "talk_time_collector": draw.uniform(12, 25),
        "talk_time_debtor": draw.uniform(8, 20),
        "talk_share": draw.uniform(0.4, 0.8),
        "pace_collector": draw.uniform(180, 320),
        "pace_debtor": draw.uniform(150, 280),
        "response_gap": draw.uniform(0.2, 1.4),
        "interruptions_by_collector": draw.uniform(0, 4),
        "silence_share": draw.uniform(0.05, 0.3),
    }
    units = {"talk_share": "ratio", "silence_share": "ratio", "interruptions_by_collector": "per 10 min"}
    units |= {"pace_collector": "characters/min", "pace_debtor": "characters/min"}
    return tuple(
        Measure(
            name, None if fault and name != "silence_share" else round(value, 3), units.get(name, "s"), fault
        )
        for name, value in values.items()
    )


def _regions(utterances: tuple[Utterance, ...], is_mono: bool) -> tuple[SpeechRegion, ...]:
    return tuple(
        SpeechRegion(0 if is_mono else int(x.speaker[-1]), x.start, x.end)
        for x in utterances
        if x.start is not None and x.end is not None
    )


def _sound(
    identity: str, utterances: tuple[Utterance, ...], folder: Path, number: int, is_mono: bool
) -> Sound:
    path = folder / f"{identity}.wav"
    duration = max(x.end or 0.0 for x in utterances) + 0.8
    if number in (0, 1, 3):  # the others' files are gone
        soundfile.write(path, _noise(utterances, duration, is_mono, number), RATE, subtype="PCM_16")
    digest = path.read_bytes() if path.exists() else identity.encode()
    channels = 1 if is_mono else 2
    return Sound(str(path), hashlib.sha256(digest).hexdigest(), duration, channels, RATE, "pcm_s16le")


def _noise(utterances: tuple[Utterance, ...], duration: float, is_mono: bool, number: int) -> np.ndarray:
    """Syllable-like bursts of a hum on the channel of each utterance."""
    draw = np.random.default_rng(number)
    sound = draw.normal(0, 0.002, (int(duration * RATE), 1 if is_mono else 2))
    for x in utterances:
        start, end = int((x.start or 0) * RATE), int((x.end or 0) * RATE)
        at = np.arange(end - start) / RATE
        pitch = 120 if x.role == "collector" else 190
        syllables = np.clip(np.sin(2 * np.pi * 4 * at + draw.uniform(0, 6)), 0, 1)
        tone = sum(np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, 6))
        sound[start:end, 0 if is_mono else int(x.speaker[-1])] += (
            0.16 * syllables * tone * draw.uniform(0.7, 1)
        )
    return np.clip(sound, -1, 1)
