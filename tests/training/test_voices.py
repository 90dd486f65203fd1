from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("pypinyin")
from callanalysis.speech.timed_voices import speak_timed
from callanalysis.speech.voices import VOICES, pinyin, speak, telephone

needs_voices = pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("flite")), reason="no voices here"
)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("还款日", "huan2 kuan3 ri4"),
        ("我还三千五百元", "wo3 huan2 san1 qian1 wu3 bai3 yuan2"),
        ("还没还", "hai2 mei2 huan2"),
        ("还欠两千", "hai2 qian4 liang3 qian1"),
        ("银行还是不同意重新分期", "yin2 hang2 hai2 shi4 bu4 tong2 yi4 chong2 xin1 fen1 qi1"),
        ("我还不上了", "wo3 huan2 bu4 shang4 le5"),
        ("您还有问题吗", "nin2 hai2 you3 wen4 ti2 ma5"),
    ],
)
def test_to_repay_is_read_huan(text: str, reading: str) -> None:
    assert " ".join(pinyin(text)) == reading


@needs_voices
@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_words_and_phones_are_timed(voice) -> None:
    text = "您好，我没还款。" if voice.language == "zh" else "Hello, I can't pay on Friday."
    spoken = speak_timed(text, voice, speed=1.1)
    assert spoken is not None
    assert len(spoken.samples) == pytest.approx(len(speak(text, voice, speed=1.1)), rel=0.1)
    names = [word.name for word in spoken.words]
    assert names == (
        list("您好我没还款") if voice.language == "zh" else "Hello I can't pay on Friday".split()
    )
    for spans in (spoken.words, spoken.phones):
        times = [t for span in spans for t in (span.start, span.end)]
        assert times == sorted(times)
        assert 0 <= times[0] < 0.2 < len(spoken.samples) / 16000 - 0.5 < times[-1]
    pause = (
        (spoken.words[1].end, spoken.words[2].start)
        if voice.language == "zh"
        else (spoken.words[0].end, spoken.words[1].start)
    )
    quiet, loud = (
        np.abs(spoken.samples[round(a * 16000) : round(b * 16000)]).mean()
        for a, b in (pause, (spoken.words[-1].start, spoken.words[-1].end))
    )
    assert quiet < 0.3 * loud


@needs_voices
def test_mandarin_phones_are_initials_and_toned_finals() -> None:
    spoken = speak_timed("您好。", VOICES["zh-1"])
    assert spoken is not None
    assert [phone.name for phone in spoken.phones] == ["n", "in2", "h", "ao3"]


@needs_voices
@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
def test_every_voice_speaks_at_the_same_level(voice) -> None:
    sound = speak("您好，请问您是哪位？" if voice.language == "zh" else "Hello, who is calling?", voice)
    assert sound.dtype == np.float32
    assert 0.8 < len(sound) / 16000 < 4
    active = sound[np.abs(sound) > 0.01]
    assert 0.035 < float(np.sqrt(np.mean(active**2))) < 0.08
    assert float(np.abs(sound).max()) < 1


@needs_voices
@pytest.mark.parametrize("codec", ["pcm", "ulaw", "alaw", "gsm"])
def test_telephone_keeps_its_band_and_length(codec: str) -> None:
    rng = np.random.default_rng(0)
    sound = speak("您好，请问您是哪位？", VOICES["zh-1"])
    line = telephone(sound, codec, 25, rng)
    assert abs(len(line) / 8000 - len(sound) / 16000) < 0.05
    spectrum = np.abs(np.fft.rfft(line)) ** 2
    hertz = np.fft.rfftfreq(len(line), 1 / 8000)
    assert spectrum[hertz < 150].sum() < 0.02 * spectrum.sum()


def test_unknown_codec_is_named() -> None:
    with pytest.raises(ValueError, match="mp9"):
        telephone(np.zeros(1600, dtype=np.float32), "mp9", None, np.random.default_rng(0))
