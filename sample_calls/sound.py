"""Speak a call script: turns placed in time on their channels, sent over a telephone line, written to a file.

It knows the voices and the file formats, and nothing of labels or tables.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from callanalysis.speech.voices import SAMPLE_RATE, SPEECH_LEVEL, TELEPHONE_RATE, VOICES, speak, telephone

from call_script import Beep, CallScript, Greeting, Line, Pause, Turn

PAUSE = (0.3, 0.7)  # seconds between turns
OVERLAP = 0.8  # seconds that a turn marked `<` starts before the turn before it ends
EDGE = 0.5  # seconds before the first and after the last sound
SPEED = (1.0, 1.08)  # a speaker's pace in one call, relative to the voice's own
BEEP = (1000.0, 0.6)  # Hz, seconds
MELODY = (523.25, 659.26, 783.99, 659.26, 587.33, 698.46, 880.0, 698.46)  # Hz, half a second a note
LINE = {"zh": "alaw", "en": "ulaw"}  # G.711 as the country's telephone network codes it
# Files that hold a telephone codec are coded by that codec alone.
FILE_LINE = {"wav-alaw": "alaw", "wav-ulaw": "ulaw", "wav-gsm": "pcm", "amr": "pcm"}
SOUNDFILE = {
    "wav-pcm16": ("WAV", "PCM_16"),
    "wav-alaw": ("WAV", "ALAW"),
    "wav-ulaw": ("WAV", "ULAW"),
    "wav-gsm": ("WAV", "GSM610"),
    "flac": ("FLAC", "PCM_16"),
}
PYAV = {  # encoder, bits a second
    "mp3": ("libmp3lame", 32_000),
    "m4a": ("aac", 48_000),
    "ogg-opus": ("libopus", 32_000),
    "amr": ("amr_nb", 12_200),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One line of the script in the call: start and end in samples at 16 kHz, and its sound."""

    line: Line
    channel: int
    start: int
    end: int
    samples: np.ndarray


def place(script: CallScript) -> list[Placed]:
    """Return the script's lines with their exact times; the same call id gives the same pauses."""
    rng = _rng(script)
    speed = {role: rng.uniform(*SPEED) for role in ("collector", "debtor", "third_party")}
    placed: list[Placed] = []
    for line in script.lines:
        samples, channel = _sound(line, script, speed)
        start = _start(line, placed, rng)
        placed.append(Placed(line, channel, start, start + len(samples), samples))
    return placed


def record(script: CallScript, placed: list[Placed]) -> tuple[np.ndarray, int]:
    """Return the call as the recorder gets it, float32 frames × channels, and its sampling rate."""
    rng = _rng(script)
    length = max(p.end for p in placed) + round(EDGE * SAMPLE_RATE)
    tracks = np.zeros((script.channels, length), dtype=np.float32)
    for p in placed:
        tracks[p.channel, p.start : p.end] += p.samples
    codec = script.fields["codec"]
    line = FILE_LINE.get(codec, LINE[script.fields["lang"]])
    carried = np.stack([telephone(track, line, script.noise_db, rng) for track in tracks], axis=1)
    rate = int(script.fields.get("rate", TELEPHONE_RATE))
    return soxr.resample(carried, TELEPHONE_RATE, rate).astype(np.float32), rate


def write(path: Path, samples: np.ndarray, rate: int, codec: str) -> None:
    """Write `samples` (frames × channels) as `codec`, the same bytes each time."""
    if codec in SOUNDFILE:
        form, subtype = SOUNDFILE[codec]
        soundfile.write(path, samples, rate, format=form, subtype=subtype)
        return
    encoder, bit_rate = PYAV[codec]
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(encoder, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bit_rate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        pcm = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        frame.time_base, frame.pts = Fraction(1, rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _rng(script: CallScript) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(script.call_id.encode()))


def _sound(line: Line, script: CallScript, speed: dict[str, float]) -> tuple[np.ndarray, int]:
    """Return a line's sound and the channel on which it is heard."""
    match line:
        case Turn():
            voice = VOICES[script.voice_of(line.role)]
            return speak(line.text, voice, speed[line.role]), script.channel_of(line.role)
        case Greeting():
            return speak(line.text, VOICES[line.voice]), script.channel_of("debtor")
        case Beep():
            return _tone(*BEEP), script.channel_of("debtor")
        case Pause():
            length = round(line.seconds * SAMPLE_RATE)
            melody = _melody(length) if line.hold else np.zeros(length, dtype=np.float32)
            return melody, script.channel_of("collector")


def _start(line: Line, placed: list[Placed], rng: np.random.Generator) -> int:
    pause = rng.uniform(*PAUSE)
    if not placed:
        return round(EDGE * SAMPLE_RATE)
    before = placed[-1]
    if isinstance(line, Turn) and line.overlaps:
        pause = -OVERLAP
    elif any(isinstance(x, Pause) and not x.hold for x in (line, before.line)):
        pause = 0.0
    return before.end + round(pause * SAMPLE_RATE)


def _tone(hertz: float, seconds: float) -> np.ndarray:
    """Return a sine with soft edges at the level of speech."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    edge = np.clip(np.minimum(time, seconds - time) / 0.02, 0, 1)
    wave = np.sin(2 * np.pi * hertz * time) * edge * SPEECH_LEVEL * np.sqrt(2)
    return np.asarray(wave, dtype=np.float32)


def _melody(length: int) -> np.ndarray:
    notes = np.concatenate([_tone(hertz, 0.5) + 0.3 * _tone(2 * hertz, 0.5) for hertz in MELODY])
    return np.asarray(np.resize(notes, length), dtype=np.float32)
