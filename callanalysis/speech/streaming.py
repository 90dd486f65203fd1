"""A stream of calls through a recogniser: windows of all calls in shared batches, results in order.

It knows no network: a WindowDecoder hears the windows. All of a call's sound is read before the next call is
asked for; what waits for a batch to fill are encoded windows, less than a batch for each language.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from callanalysis.errors import CallAnalysisError, InputError
from callanalysis.schema import Transcript, Utterance, Word
from callanalysis.settings import SpeechSettings
from callanalysis.speech.decoder import Decoded, Heard, WindowDecoder
from callanalysis.speech.engines import Failed, SpeechJob
from callanalysis.speech.guards import guard_text
from callanalysis.speech.hearing import HeardCall, encoded_windows, hear_call, no_speech
from callanalysis.speech.windows import Window

log = logging.getLogger(__name__)

OPEN_CALLS = 16  # calls that may wait for a batch to fill


@dataclass(slots=True)
class _Call:
    """A call on its way: how many of its windows wait to be decoded, and the utterances so far."""

    job: SpeechJob
    heard: HeardCall | None = None
    language: str = ""
    waiting: int = 0
    utterances: list[Utterance] = field(default_factory=list)
    error: CallAnalysisError | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    call: _Call
    window: Window
    heard: Heard


class StreamTranscriber:
    """A Transcriber over any WindowDecoder.

    `counts` has the windows, those decoded again, and those empty, invented or looped.
    """

    def __init__(self, decoder: WindowDecoder, settings: SpeechSettings) -> None:
        self.name = decoder.name
        self.counts: Counter[str] = Counter()
        self._decoder, self._settings = decoder, settings
        self._queues: dict[str, list[_Item]] = {}

    def transcribe(self, jobs: Iterable[SpeechJob]) -> Iterator[Transcript | Failed]:
        """Yield a transcript or a failure for each job, in the order of the jobs."""
        calls: deque[_Call] = deque()
        self._queues.clear()  # what a stream that was broken off has left
        for job in jobs:
            call = _Call(job)
            calls.append(call)
            self._take(call)
            if len(calls) > OPEN_CALLS:
                self._decode_waiting(calls[0].language)
            yield from self._finished(calls)
        for language in list(self._queues):
            self._decode_waiting(language)
        yield from self._finished(calls)

    def _finished(self, calls: deque[_Call]) -> Iterator[Transcript | Failed]:
        while calls and not calls[0].waiting:
            yield self._result(calls.popleft())

    def _take(self, call: _Call) -> None:
        """Encode the windows of a call, decoding whenever a batch is full."""
        try:
            call.heard = hear_call(call.job.recording)
            call.language, windows = encoded_windows(
                call.heard, call.job, self._decoder, self._settings.language
            )
            for window, heard in windows:
                self._add(_Item(call, window, heard))
                if call.error:
                    return
        except CallAnalysisError as error:
            self._give_up(call, error)
        except Exception as error:  # what one recording does must not end a night's batch
            self._give_up(call, _unexpected(call, error))

    def _add(self, item: _Item) -> None:
        item.call.waiting += 1
        queue = self._queues.setdefault(item.call.language, [])
        queue.append(item)
        if len(queue) >= self._settings.batch:
            self._decode_waiting(item.call.language)

    def _decode_waiting(self, language: str) -> None:
        items = self._queues.pop(language, [])
        try:
            results = self._decoder.decode([item.heard for item in items], language) if items else []
        except Exception as error:
            log.warning(
                "a batch of %d windows failed: %s; trying them singly", len(items), type(error).__name__
            )
            self._decode_singly(items, language)
            return
        for item, decoded in zip(items, results, strict=True):
            self._keep(item, decoded)

    def _decode_singly(self, items: Sequence[_Item], language: str) -> None:
        """Find the window that a batch failed on; only its call is given up."""
        for item in items:
            if item.call.error:
                continue
            try:
                self._keep(item, self._decoder.decode([item.heard], language)[0])
            except Exception as error:
                self._give_up(item.call, _unexpected(item.call, error))

    def _keep(self, item: _Item, decoded: Decoded) -> None:
        item.call.waiting -= 1
        guarded = guard_text(decoded.text, item.call.language, item.heard.seconds)
        self.counts.update(
            {
                "windows": 1,
                "decoded again": decoded.attempts > 1,
                "empty": not decoded.text,
                "invented": guarded.invented,
                "looped": guarded.looped,
            }
        )
        if guarded.text:
            words = () if guarded.invented or guarded.looped else decoded.words
            decoded = replace(decoded, text=guarded.text, words=words)
            item.call.utterances.append(_utterance(item.window, decoded))

    def _give_up(self, call: _Call, error: CallAnalysisError) -> None:
        call.error, call.waiting = error, 0
        for language, queue in self._queues.items():
            self._queues[language] = [item for item in queue if item.call is not call]

    def _result(self, call: _Call) -> Transcript | Failed:
        call_id = call.job.metadata.call_id
        if call.error is None and not call.utterances:
            call.error = no_speech(call.job.recording)
        if call.error is not None or call.heard is None:
            return Failed(call_id, call.error or no_speech(call.job.recording))
        ordered = sorted(call.utterances, key=lambda utterance: (utterance.start, utterance.speaker))
        utterances = tuple(replace(utterance, index=index) for index, utterance in enumerate(ordered))
        return Transcript(call_id, call.language, utterances, self.name, call.heard.regions)


def _utterance(window: Window, decoded: Decoded) -> Utterance:
    return Utterance(
        index=0,
        speaker=f"channel {window.channel}",
        start=round(window.start, 3),
        end=round(window.end, 3),
        text=decoded.text,
        words=tuple(_placed(word, window) for word in decoded.words),
        mean_log_probability=decoded.mean_log_probability,
    )


def _placed(word: Word, window: Window) -> Word:
    """The word in seconds of the recording, inside its utterance."""
    start = min(max(window.heard_from + word.start, window.start), window.end)
    end = min(max(window.heard_from + word.end, start), window.end)
    return replace(word, start=round(start, 3), end=round(end, 3))


def _unexpected(call: _Call, error: Exception) -> CallAnalysisError:
    log.error("call %s: %s", call.job.metadata.call_id, type(error).__name__, exc_info=error)
    fault = f"transcription stopped with {type(error).__name__}"
    return InputError(
        call.job.metadata.call_id, fault, "Try it again; if it stays, report it", "speech_failed"
    )
