"""One call made ready for decoding: its speech found, cut into windows, encoded, its language settled.

All of a call's sound is read here; nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callanalysis.audio.faults import recording_error
from callanalysis.audio.reader import Recording
from callanalysis.audio.regions import speech_regions
from callanalysis.errors import InputError
from callanalysis.schema import SpeechRegion
from callanalysis.speech.decoder import Heard, WindowDecoder
from callanalysis.speech.engines import SpeechJob
from callanalysis.speech.windows import Window, WindowOptions, plan_windows

LANGUAGES = ("zh", "en")  # among which the language of a call is sought
_LISTENED = 3  # windows, the longest ones, that the language is sought in
_MONO_PAUSE = 0.0  # seconds; on one channel a short pause may be a change of speaker, so nothing is joined
_QUIET_DB = -40.0  # a line quieter than this is brought to the usual level
_USUAL_DB = -26.0
_NAMES = {
    "zh": ("cn", "cmn", "chinese", "mandarin", "putonghua", "中文", "汉语", "普通话", "国语", "華語"),
    "en": ("eng", "english", "英语", "英文"),
    "yue": ("cantonese", "粤语", "粵語", "广东话"),
}
_CODES = {name: code for code, names in _NAMES.items() for name in (code, *names)}


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A call's speech, language and windows; `encode` gives the windows one by one as they are needed."""

    recording: Recording
    regions: tuple[SpeechRegion, ...]
    windows: tuple[Window, ...]
    gains: tuple[float, ...]  # factor for each channel


def hear_call(recording: Recording) -> HeardCall:
    """Return the call's speech and windows; raises RecordingError "no_speech" where nobody speaks."""
    regions = speech_regions(recording)
    options = WindowOptions() if recording.channels > 1 else WindowOptions(pause=_MONO_PAUSE)
    windows = plan_windows(regions, recording.levels, recording.duration, options)
    if not windows:
        raise no_speech(recording)
    gains = tuple(_gain(recording.levels.loudness(channel)) for channel in range(recording.channels))
    return HeardCall(recording, regions, windows, gains)


def no_speech(recording: Recording) -> InputError:
    """Return the fault of a recording without speech."""
    return recording_error(Path(recording.sound.path), "no_speech")


def encoded_windows(
    call: HeardCall, job: SpeechJob, decoder: WindowDecoder, default_language: str | None
) -> tuple[str, Iterator[tuple[Window, Heard]]]:
    """Return the call's language and, one by one, its windows with their features.

    The language is the call list's, else `default_language`, else the likeliest of LANGUAGES over the longest
    windows. Raises InputError "language" for one that the network does not write.
    """
    ready: dict[Window, Heard] = {}
    language = language_code(job.metadata.language) or language_code(default_language)
    if language is None:
        longest = sorted(call.windows, key=lambda window: -window.seconds)[:_LISTENED]
        ready = {window: _encode(call, window, decoder) for window in longest}
        language = likeliest_language(
            decoder.language_probabilities([heard.features for heard in ready.values()])
        )
    if not decoder.knows(language):
        fault = f"{decoder.name} does not write the language {language!r}"
        remedy = "Correct the language in the call list, or choose another model under [speech]"
        raise InputError(job.metadata.call_id, fault, remedy, "language")
    windows = ((window, ready.get(window) or _encode(call, window, decoder)) for window in call.windows)
    return language, windows


def likeliest_language(chances: Sequence[dict[str, float]]) -> str:
    """Return the one of LANGUAGES with the highest mean probability."""
    return max(LANGUAGES, key=lambda code: sum(chance.get(code, 0.0) for chance in chances))


def language_code(name: str | None) -> str | None:
    """Return Whisper's code for what a call list says: zh-CN, Mandarin, 普通话 are zh; None for nothing."""
    if not name or not name.strip():
        return None
    first = name.strip().lower().replace("_", "-").split("-")[0]
    return _CODES.get(first, first)


def _gain(loudness: float) -> float:
    return 1.0 if loudness >= _QUIET_DB else float(10 ** ((_USUAL_DB - loudness) / 20))


def _encode(call: HeardCall, window: Window, decoder: WindowDecoder) -> Heard:
    samples = call.recording.samples(window.channel, window.heard_from, window.heard_to)
    samples = samples * np.float32(call.gains[window.channel])
    return Heard(decoder.encode(samples), window.heard_to - window.heard_from)
