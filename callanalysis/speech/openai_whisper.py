"""openai-whisper behind the WindowDecoder interface: greedy decoding of whole batches, gates, word times.

A window is padded to 30 s, as the official weights expect, and encoded once; language detection, decoding,
decoding again and alignment all use those features. No text of an earlier window is given as a prompt, since
that is how loops spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import whisper
from whisper.audio import N_SAMPLES
from whisper.decoding import DecodingOptions, DecodingResult
from whisper.model import Whisper
from whisper.tokenizer import LANGUAGES, get_tokenizer

from callanalysis.settings import SpeechSettings
from callanalysis.speech.alignment import align_words
from callanalysis.speech.checkpoints import check_sum, find_checkpoint, load_checkpoint
from callanalysis.speech.decoder import Decoded, Heard
from callanalysis.speech.guards import is_too_fast

HIGHEST_COMPRESSION = 2.4  # of the text by zlib; more is a loop (the value of openai-whisper)
LOWEST_LOG_PROBABILITY = -1.0  # mean per token; less is a guess (the value of openai-whisper)
NO_SPEECH = 0.6  # probability; with a low log-probability the window is empty (the value of openai-whisper)
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)  # tried in order for windows that fail a gate
_TOKENS_PER_SECOND = 18  # fast Mandarin has 8-9 characters of up to two tokens
_SHORTEST_LIMIT = 24  # tokens
_SEED = 20250625  # sampling gives the same text each time


def open_decoder(settings: SpeechSettings, models: Path) -> OpenAIWhisper:
    """Return the decoder with the weights that the settings name; raises CheckpointError."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    checkpoint = find_checkpoint(settings.model, models)
    digest = check_sum(checkpoint)
    network = load_checkpoint(checkpoint).to("cuda" if torch.cuda.is_available() else "cpu")
    name = f"openai-whisper-{version('openai-whisper')}:{checkpoint.path.stem}@{digest[:12]}"
    if checkpoint.name == "demo":
        name = name.replace(f":{checkpoint.path.stem}@", ":demo@")
    return OpenAIWhisper(network, name, settings.word_times)


class OpenAIWhisper:
    """A WindowDecoder over openai-whisper's own network and decoding."""

    def __init__(self, network: Whisper, name: str, word_times: bool = False) -> None:
        self.name = name
        self._network, self._word_times = network, word_times

    def knows(self, language: str) -> bool:
        """Whether the network's tokens include the language; English-only networks know English."""
        if not self._network.is_multilingual:
            return language == "en"
        return language in list(LANGUAGES)[: self._network.num_languages]

    @torch.inference_mode()
    def encode(self, samples: np.ndarray) -> torch.Tensor:
        """Return the encoder's output of one window, shape (positions, state)."""
        padded = whisper.pad_or_trim(torch.from_numpy(samples), N_SAMPLES)
        mel = whisper.log_mel_spectrogram(padded, self._network.dims.n_mels).to(self._network.device)
        features: torch.Tensor = self._network.encoder(mel[None])[0]
        return features

    @torch.inference_mode()
    def language_probabilities(self, features: Sequence[torch.Tensor]) -> list[dict[str, float]]:
        """Return for each window the probability of each language code."""
        if not self._network.is_multilingual:
            return [{"en": 1.0} for _ in features]
        _, chances = self._network.detect_language(torch.stack(list(features)))
        return list(chances)

    @torch.inference_mode()
    def decode(self, batch: Sequence[Heard], language: str) -> list[Decoded]:
        """Return the text of each window.

        Those that fail a gate are decoded again at rising temperatures; the best attempt counts.
        """
        best = self._run(batch, language, 0.0)
        attempts = [1] * len(batch)
        for temperature in TEMPERATURES:
            failed = [
                index
                for index, result in enumerate(best)
                if not passes(result, language, batch[index].seconds)
            ]
            if not failed:
                break
            again = self._run([batch[index] for index in failed], language, temperature)
            for index, result in zip(failed, again, strict=True):
                attempts[index] += 1
                best[index] = better(best[index], result, language, batch[index].seconds)
        return [self._decoded(*one, language) for one in zip(batch, best, attempts, strict=True)]

    def _run(self, batch: Sequence[Heard], language: str, temperature: float) -> list[DecodingResult]:
        features = torch.stack([heard.features for heard in batch])
        longest = max(heard.seconds for heard in batch)
        limit = min(self._network.dims.n_text_ctx // 2, _SHORTEST_LIMIT + int(_TOKENS_PER_SECOND * longest))
        options = DecodingOptions(
            language=language, temperature=temperature, sample_len=limit, without_timestamps=True, fp16=False
        )
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            return list(whisper.decode(self._network, features, options))

    def _decoded(self, heard: Heard, result: DecodingResult, attempts: int, language: str) -> Decoded:
        if is_silent(result) or not result.text:
            return Decoded("", result.avg_logprob, attempts=attempts)
        decoded = Decoded(result.text, result.avg_logprob, attempts=attempts)
        if not self._word_times:
            return decoded
        tokenizer = get_tokenizer(
            self._network.is_multilingual, num_languages=self._network.num_languages, language=language
        )
        return replace(decoded, words=align_words(self._network, tokenizer, result.tokens, heard))


def passes(result: DecodingResult, language: str, seconds: float) -> bool:
    """Whether a result is to be believed: no loop, no guess, not more than can be said, or plainly silent."""
    if is_silent(result):
        return True
    return (
        result.compression_ratio <= HIGHEST_COMPRESSION
        and result.avg_logprob >= LOWEST_LOG_PROBABILITY
        and not is_too_fast(result.text, language, seconds)
    )


def is_silent(result: DecodingResult) -> bool:
    """Whether the network itself hears no speech in the window."""
    return bool(result.no_speech_prob > NO_SPEECH and result.avg_logprob < LOWEST_LOG_PROBABILITY)


def better(old: DecodingResult, new: DecodingResult, language: str, seconds: float) -> DecodingResult:
    """Return the attempt that passes, else the one that does not loop, else the likelier one."""

    def merit(result: DecodingResult) -> tuple[bool, bool, float]:
        loops = result.compression_ratio > HIGHEST_COMPRESSION or is_too_fast(result.text, language, seconds)
        return passes(result, language, seconds), not loops, result.avg_logprob

    return max(old, new, key=merit)
