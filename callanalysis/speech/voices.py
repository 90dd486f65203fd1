"""Synthetic telephone speech: espeak-ng and flite voices, re-voiced, band-limited and coded.

It makes the sample calls and the training sound of the demonstration model, nothing else: it knows no
recordings and no recogniser. It needs the programs `espeak-ng` and `flite` and the extra `voices`.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from callanalysis.errors import MissingProgram

SAMPLE_RATE = 16_000  # Hz, what `speak` returns
TELEPHONE_RATE = 8_000  # Hz, what `telephone` returns
TELEPHONE_BAND = (300.0, 3400.0)  # Hz, ITU-T G.712
SPEECH_LEVEL = 0.05  # RMS of active speech, about -26 dBFS, ITU-T P.56's usual level

# 还 is huan2 (to repay) before these, and hai2 (still) elsewhere; espeak and pypinyin read hai2 throughout.
_REPAY = re.compile(
    r"还(?=款|钱|清|上|贷|掉|完|给|了(?!解)|得起|得上|得了|不上|不起|不了|多少|你|您|利|本金|账|债|最低|全|一部|"
    r"[一二两三四五六七八九十百千万半]+(?:块|元|百|千|万|期|次|部|点|半)|[，。？！]|$)|"
    r"(?<=偿)还|(?<=归)还|(?<=要)还(?=[，。？！]|$)|(?<=能)还|(?<=没)还|(?<=先)还|(?<=再)还|(?<=来)还|(?<=不)还|(?<=已)还|(?<=去)还|(?<=肯)还"
)
_PHRASES = {
    "都会": [["dōu"], ["huì"]],
    "睡不着": [["shuì"], ["bù"], ["zháo"]],
}  # pypinyin reads them otherwise
_CJK = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Voice:
    """One synthetic speaker.

    `engine` is "espeak" or "flite"; `variant` its voice name. `pitch` (0-99) and `rate` (words a minute)
    are espeak's. `warp` shortens (> 1) or lengthens (< 1) the vocal tract: formants and pitch move by it.
    """

    id: str
    language: str
    engine: str
    variant: str
    pitch: int = 50
    rate: int = 185
    warp: float = 1.0


VOICES: dict[str, Voice] = {
    v.id: v
    for v in (
        Voice("zh-1", "zh", "espeak", "cmn-latn-pinyin+f2", 55, 190, 1.04),
        Voice("zh-2", "zh", "espeak", "cmn-latn-pinyin+m3", 42, 195, 0.97),
        Voice("zh-3", "zh", "espeak", "cmn-latn-pinyin+Annie", 60, 185, 1.10),
        Voice("zh-4", "zh", "espeak", "cmn-latn-pinyin+m7", 30, 180, 0.90),
        Voice("zh-5", "zh", "espeak", "cmn-latn-pinyin+belinda", 48, 200, 1.00),
        Voice("zh-6", "zh", "espeak", "cmn-latn-pinyin+michael", 50, 175, 0.94),
        Voice("en-1", "en", "espeak", "en-us+f2", 52, 165, 1.03),
        Voice("en-2", "en", "espeak", "en-us+m3", 42, 170, 0.97),
        Voice("en-3", "en", "espeak", "en-gb+Annie", 58, 165, 1.08),
        Voice("en-4", "en", "espeak", "en-us+m7", 32, 160, 0.92),
        Voice("en-5", "en", "espeak", "en-us+belinda", 48, 170, 1.00),
        Voice("en-6", "en", "flite", "slt", warp=1.0),
        Voice("en-7", "en", "flite", "rms", warp=1.0),
        Voice("en-8", "en", "espeak", "en-gb+michael", 48, 165, 0.95),
    )
}


def speak(text: str, voice: Voice, speed: float = 1.0) -> np.ndarray:
    """Return `text` spoken by `voice`: float32 mono at 16 kHz, active level about -26 dBFS, silence trimmed.

    `speed` > 1 talks faster at the same pitch. Raises MissingProgram where the engine is not installed.
    """
    if voice.engine == "flite":
        samples, rate = _flite(text, voice, speed)
    else:
        samples, rate = _espeak(text, voice, speed)
    return finish(samples, rate, voice)[0]


def finish(samples: np.ndarray, rate: int, voice: Voice) -> tuple[np.ndarray, float]:
    """Return what an engine spoke, re-voiced, trimmed, levelled, at 16 kHz, and the seconds trimmed before it."""
    warped = soxr.resample(samples, rate, SAMPLE_RATE / voice.warp).astype(np.float32)
    trimmed, before = _trim(warped)
    return _level(trimmed), before / SAMPLE_RATE


def telephone(
    samples: np.ndarray, codec: str, noise_db: float | None, rng: np.random.Generator
) -> np.ndarray:
    """Return 16 kHz `samples` as a telephone carries them: float32 at 8 kHz, 300-3400 Hz, coded and noisy.

    `codec` is "pcm", "ulaw", "alaw" or "gsm"; `noise_db` the signal-to-noise ratio of white and hum noise
    in dB relative to the level of `speak`, None for none.
    """
    narrow = _band_pass(soxr.resample(samples, SAMPLE_RATE, TELEPHONE_RATE).astype(np.float32))
    if noise_db is not None:
        narrow = narrow + _line_noise(len(narrow), SPEECH_LEVEL * 10 ** (-noise_db / 20), rng)
    return _code(np.clip(narrow, -1, 1), codec).astype(np.float32)


def pinyin(text: str) -> list[str]:
    """Return tone-number pinyin of each Chinese character in `text`, punctuation kept in place."""
    from pypinyin import Style, lazy_pinyin

    _load_phrases()
    marked = _REPAY.sub("環", text)  # a character read only huan2 stands in for 还, to repay
    read = lazy_pinyin(marked, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="default")
    return [syllable for syllable in read if syllable.strip()]


@lru_cache
def _load_phrases() -> None:
    """Tell pypinyin, once: it goes through its whole dictionary each time (0.1 s)."""
    from pypinyin import load_phrases_dict

    load_phrases_dict(_PHRASES)


def jitter(voice: Voice, rng: np.random.Generator, amount: float = 1.0) -> Voice:
    """Return a neighbour of `voice`: pitch, rate and vocal tract moved at random by up to 12, 25 and 0.05."""
    return replace(
        voice,
        pitch=int(np.clip(voice.pitch + amount * rng.uniform(-12, 12), 5, 95)),
        rate=int(voice.rate + amount * rng.uniform(-25, 25)),
        warp=float(voice.warp + amount * rng.uniform(-0.05, 0.05)),
    )


def espeak_settings(voice: Voice, speed: float) -> tuple[int, int]:
    """Return pitch (0-99) and rate (words a minute) as espeak gets them, before the voice is warped."""
    pitch = round(np.clip(voice.pitch - 60 * (voice.warp - 1), 0, 99))
    return pitch, round(voice.rate * speed / voice.warp)


def _espeak(text: str, voice: Voice, speed: float) -> tuple[np.ndarray, int]:
    spoken = " ".join(pinyin(text)) if _CJK.search(text) else text
    pitch, rate = espeak_settings(voice, speed)
    command = [
        _program("espeak-ng"),
        "-v",
        voice.variant,
        "-p",
        str(pitch),
        "-s",
        str(rate),
        "--stdout",
        spoken,
    ]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    return _read_streamed_wav(wav)


def _read_streamed_wav(wav: bytes) -> tuple[np.ndarray, int]:
    """espeak writes a WAV header of unknown length to a pipe: 16-bit mono after 44 bytes."""
    rate = int.from_bytes(wav[24:28], "little")
    return np.frombuffer(wav[44:], dtype="<i2").astype(np.float32) / 32768, rate


def flite_command(voice: Voice, speed: float) -> list[str]:
    """Return the beginning of a flite command with the voice and its pace."""
    stretch = voice.warp / speed
    return [_program("flite"), "-voice", voice.variant, "--setf", f"duration_stretch={stretch:.3f}"]


def _flite(text: str, voice: Voice, speed: float) -> tuple[np.ndarray, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(
            [*flite_command(voice, speed), "-t", text, "-o", str(path)], capture_output=True, check=True
        )
        samples, rate = soundfile.read(path, dtype="float32")
    return samples, rate


@lru_cache
def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingProgram(name)
    return found


def split_syllable(syllable: str) -> list[str]:
    """Return the initial, if there is one, and the toned final of a tone-number syllable."""
    match = re.fullmatch(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(.*?)(\d)", syllable)
    if match is None:
        return [syllable]
    initial, final, tone = match.groups()
    return [part for part in (initial, final + tone) if part]


def _trim(samples: np.ndarray, floor: float = 0.004) -> tuple[np.ndarray, int]:
    loud = np.flatnonzero(np.abs(samples) > floor)
    return (samples[loud[0] : loud[-1] + 1], int(loud[0])) if len(loud) else (samples, 0)


def _level(samples: np.ndarray) -> np.ndarray:
    active = samples[np.abs(samples) > 0.01]
    rms = float(np.sqrt(np.mean(active**2))) if len(active) else 0.0
    return samples * (SPEECH_LEVEL / rms) if rms else samples


def _band_pass(samples: np.ndarray) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    sos = butter(3, TELEPHONE_BAND, btype="band", fs=TELEPHONE_RATE, output="sos")
    return np.asarray(sosfilt(sos, samples), dtype=np.float32)


def _line_noise(length: int, rms: float, rng: np.random.Generator) -> np.ndarray:
    white = rng.standard_normal(length)
    hum = np.sin(2 * np.pi * 350 * np.arange(length) / TELEPHONE_RATE) * 0.2
    return ((white + hum) * rms).astype(np.float32)


def _code(samples: np.ndarray, codec: str) -> np.ndarray:
    subtypes = {"ulaw": "ULAW", "alaw": "ALAW", "gsm": "GSM610"}
    if codec == "pcm":
        return np.round(samples * 32767) / 32767
    if codec not in subtypes:
        raise ValueError(f"unknown codec {codec!r}: use pcm, ulaw, alaw or gsm")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, TELEPHONE_RATE, format="WAV", subtype=subtypes[codec])
    buffer.seek(0)
    decoded, _ = soundfile.read(buffer, dtype="float32")
    return np.asarray(decoded[: len(samples)])
