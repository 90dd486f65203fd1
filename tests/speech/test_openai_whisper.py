"""openai-whisper's own decoding, on tiny networks of the true format and on the demonstration model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from whisper.decoding import DecodingResult

from callanalysis.audio.reader import open_recording
from callanalysis.schema import CallMetadata, Transcript
from callanalysis.settings import PROJECT, SpeechSettings
from callanalysis.speech.decoder import Heard
from callanalysis.speech.engines import SpeechJob, open_transcriber
from callanalysis.speech.openai_whisper import OpenAIWhisper, better, is_silent, passes

from .conftest import needs_espeak, save_pt, scripted_network

MakeCall = Callable[..., Path]
NOISE = np.random.default_rng(0).normal(0, 0.05, 48000).astype(np.float32)


def hear(network: torch.nn.Module, count: int = 2, word_times: bool = False, language: str = "zh") -> list:  # type: ignore[type-arg]
    decoder = OpenAIWhisper(network, "test", word_times)  # type: ignore[arg-type]
    heard = [Heard(decoder.encode(NOISE[: 16000 * (n + 1)]), n + 1.0) for n in range(count)]
    return decoder.decode(heard, language)


def test_text_and_log_probability() -> None:
    results = hear(scripted_network("好的，明天还"))
    assert [result.text for result in results] == ["好的，明天还"] * 2
    assert all(-0.05 < result.mean_log_probability <= 0 for result in results)
    assert all(result.attempts == 1 for result in results)


def test_a_guess_is_decoded_again_at_other_temperatures_and_always_alike() -> None:
    network = scripted_network("好的，明天还", certainty=0.6)
    first, second = hear(network), hear(network)
    assert [result.attempts for result in first] == [6, 6]
    assert first == second


def test_a_loop_ends_at_what_can_be_said_in_the_time() -> None:
    (short, long) = hear(scripted_network("我还" * 200))
    assert len(long.text) <= 60
    assert short.attempts == long.attempts == 6


def test_languages() -> None:
    decoder = OpenAIWhisper(scripted_network("好", "en"), "test")
    chances = decoder.language_probabilities([decoder.encode(NOISE)])
    assert max(chances[0], key=lambda code: chances[0][code]) == "en"
    assert decoder.knows("zh")
    assert not decoder.knows("yue")  # only the newest weights have it
    assert not decoder.knows("klingon")


def test_words_carry_the_text_and_rising_times() -> None:
    (result,) = hear(scripted_network(" I will pay on Friday.", "en"), 1, word_times=True, language="en")
    assert [word.text for word in result.words] == ["I", "will", "pay", "on", "Friday."]
    edges = [edge for word in result.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= 1.0
    assert all(word.probability is not None and word.probability > 0.9 for word in result.words)


RESULT = DecodingResult(
    audio_features=torch.zeros(1),
    language="zh",
    text="好的明天还",
    avg_logprob=-0.3,
    no_speech_prob=0.1,
    compression_ratio=1.0,
)


@pytest.mark.parametrize(
    ("change", "passing", "silent"),
    [
        ({}, True, False),
        ({"compression_ratio": 2.5}, False, False),
        ({"avg_logprob": -1.1}, False, False),
        ({"text": "好" * 60}, False, False),  # 60 characters in 2 s
        ({"avg_logprob": -1.1, "no_speech_prob": 0.7}, True, True),
        ({"avg_logprob": -0.3, "no_speech_prob": 0.7}, True, False),  # sure of its text
    ],
)
def test_gates(change: dict[str, object], passing: bool, silent: bool) -> None:
    result = replace(RESULT, **change)  # type: ignore[arg-type]
    assert passes(result, "zh", 2.0) is passing
    assert is_silent(result) is silent


def test_the_best_attempt_counts() -> None:
    loop = replace(RESULT, compression_ratio=3.0, avg_logprob=-0.1)
    guess = replace(RESULT, avg_logprob=-1.4)
    for attempts in ([loop, guess, RESULT], [RESULT, loop, guess]):
        assert better(better(attempts[0], attempts[1], "zh", 2), attempts[2], "zh", 2) is RESULT
    assert better(loop, guess, "zh", 2) is guess


@needs_espeak
def test_from_file_to_transcript(tmp_path: Path, make_call: MakeCall) -> None:
    weights = save_pt(scripted_network("好 的"), tmp_path / "own.pt")
    settings = SpeechSettings(model=str(weights), batch=2, threads=1)
    transcriber = open_transcriber(settings, tmp_path)
    assert transcriber.name.startswith("openai-whisper-")
    assert ":own@" in transcriber.name
    with open_recording(make_call("a", [(0.5, "hello")], [(3.5, "pay")])) as recording:
        (transcript,) = transcriber.transcribe([SpeechJob(CallMetadata("a"), recording)])
    assert isinstance(transcript, Transcript)
    assert (transcript.language, transcript.engine) == ("zh", transcriber.name)
    assert [utterance.text for utterance in transcript.utterances] == ["好的", "好的"]


@needs_espeak
@pytest.mark.skipif(
    not (PROJECT / "models" / "speech-demo" / "model.pt").exists(),
    reason="the demonstration model is not here",
)
def test_the_demonstration_model_hears_key_phrases(make_call: MakeCall) -> None:
    transcriber = open_transcriber(SpeechSettings(word_times=True), PROJECT / "models")
    path = make_call("a", [(0.5, "hello")], [(3.5, "pay")])
    with open_recording(path) as recording:
        (transcript,) = transcriber.transcribe([SpeechJob(CallMetadata("a"), recording)])
    assert isinstance(transcript, Transcript)
    assert transcript.language == "zh"
    assert "您好" in transcript.utterances[0].text
    assert "工资" in transcript.utterances[1].text
    assert transcript.utterances[1].words
