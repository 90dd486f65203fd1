from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalysis.speech.training.text import TextCodec, Vocabulary, common_characters

FINE, STANDARD = TextCodec(fine=True), TextCodec(fine=False)
TEXT = st.text(alphabet="您好我还三千五百元，。？ abcdefghijklmnopqrstuvwxyzABC',.?", min_size=1, max_size=60)


@given(TEXT)
def test_both_spellings_are_read_back_by_whisper(text: str) -> None:
    for codec in (FINE, STANDARD):
        assert codec.tokenizer.decode(list(codec.spell(text).tokens)) == text


@given(TEXT)
def test_places_rise_from_start_to_end(text: str) -> None:
    places = FINE.spell(text).positions
    assert all(0 <= p <= 1 for p in places)
    assert list(places) == sorted(places)


def test_fine_spelling_keeps_to_few_tokens() -> None:
    tokens = FINE.spell("I would like to make a payment arrangement on Friday.").tokens
    assert max(tokens) < 1500
    assert len(FINE.spell("还款").tokens) >= 2  # character by character, though the vocabulary has pairs


@pytest.mark.parametrize("language", ["zh", "en", "ja"])
@pytest.mark.parametrize("timestamps", [True, False])
def test_prefix_is_whispers_own(language: str, timestamps: bool) -> None:
    from whisper.tokenizer import get_tokenizer

    own = get_tokenizer(True, num_languages=99, language=language, task="transcribe")
    expected = own.sot_sequence if timestamps else own.sot_sequence_including_notimestamps
    assert tuple(FINE.prefix(language, timestamps)) == tuple(expected)


def test_timestamps_are_steps_of_20_ms_within_30_s() -> None:
    begin = FINE.tokenizer.timestamp_begin
    assert [FINE.timestamp(s) - begin for s in (0.0, 0.02, 1.0, 30.0, 31.0)] == [0, 1, 50, 1500, 1500]


def test_vocabulary_does_not_depend_on_the_order_and_admits_new_sentences() -> None:
    few = Vocabulary.of([FINE.spell("还款").tokens], FINE, ["zh", "en"])
    tokens = np.array(FINE.spell("她在银行 pays nothing").tokens)
    assert np.array_equal(few.ids[few.compact(tokens)], tokens)
    assert len(common_characters()) == 3755
