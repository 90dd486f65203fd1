"""The serving form beside the model's own forward pass: same scores, whatever stands beside a line."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from callanalysis.settings import PROJECT
from callanalysis.tagging.corpus import read_utterances
from callanalysis.tagging.encoders import Shape
from callanalysis.tagging.inputs import TagInput
from callanalysis.tagging.model import Batch, TaggerConfig, TaggerModel
from callanalysis.tagging.predict import Tagger
from callanalysis.tagging.scoring import Scorer, Scores, load
from callanalysis.tagging.serving import PackedTagger, serving_form

SHIPPED = PROJECT / "models" / "tagger"
FARTHEST = 0.02  # of a probability in bfloat16 from the one in float32
MOST_CHANGED = 0.01  # share of lines whose labels may differ; 0.3 % measured on 4,000 lines
SMALL = Shape(layers=2, width=32, heads=2, inner=48, vocabulary=300, ngram_buckets=64, wide_buckets=128)


@pytest.fixture(scope="module")
def lines() -> list[TagInput]:
    """600 lines of the validation part, and long and empty ones."""
    found = [example.input for example in read_utterances(SHIPPED / "corpus", "valid")]
    odd = [
        TagInput("long", "debtor", ("[collector] 您好",), "嗯" * 500),
        TagInput("none", "collector", (), ""),
    ]
    return random.Random(0).sample(found, 600) + odd


@pytest.fixture(scope="module")
def plain() -> Scorer:
    scorer = load(SHIPPED)
    return Scorer(scorer.model, scorer.codec)


@pytest.fixture(scope="module")
def packed(plain: Scorer) -> Scorer:
    return Scorer(plain.model, plain.codec, PackedTagger(plain.model, torch.bfloat16))


def columns(scores: Scores) -> np.ndarray:
    return np.concatenate([scores.intent, scores.risk, scores.collector[:, None]], axis=1)


def test_bfloat16_stays_near_float32(plain: Scorer, packed: Scorer, lines: list[TagInput]) -> None:
    expected, found = plain.score(lines), packed.score(lines)
    assert np.abs(columns(found) - columns(expected)).max() <= FARTHEST
    tagger = Tagger(plain, "test")
    one, two = (np.concatenate(tagger.decide(scores), axis=1) for scores in (expected, found))
    assert (one != two).any(axis=1).mean() <= MOST_CHANGED


def test_a_line_scores_alike_alone_and_in_any_company(packed: Scorer, lines: list[TagInput]) -> None:
    order = random.Random(1).sample(range(len(lines)), len(lines))
    together = columns(packed.logits(lines))
    assert np.array_equal(columns(packed.logits(lines)), together)
    shuffled = columns(packed.logits([lines[i] for i in order]))
    np.testing.assert_allclose(shuffled, together[order], atol=1e-4)
    alone = np.concatenate([columns(packed.logits([line])) for line in lines[-20:]])
    np.testing.assert_allclose(alone, together[-20:], atol=1e-4)


@pytest.mark.parametrize("changes", [{}, {"ngram_buckets": 0}, {"wide_buckets": 0}])
def test_packed_float32_is_the_models_own_forward_pass(changes: dict[str, int]) -> None:
    torch.manual_seed(0)
    model = TaggerModel(TaggerConfig(**(SMALL.config(300).to_dict() | changes))).eval()
    batch = Batch(
        ids=torch.tensor([[2, 5, 9, 3, 0, 0], [2, 6, 8, 3, 7, 3], [2, 7, 3, 6, 11, 3]]),
        mask=torch.tensor([[1, 1, 1, 1, 0, 0], [1] * 6, [1] * 6]),
        segments=torch.tensor([[0] * 6, [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]),
        roles=torch.tensor([0, 1, 2]),
    )
    with torch.inference_mode():
        expected = model(batch)
    found = PackedTagger(model, torch.float32)(batch)
    for name in ("intent", "risk", "role"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "encoder",
    [
        {"model_type": "distilbert", "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50},
        {"model_type": "bert", "hidden_act": "relu", "hidden_size": 16, "num_hidden_layers": 1,
         "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50},
    ],
    ids=["distilbert", "relu"],
)  # fmt: skip
def test_any_other_encoder_keeps_its_own_forward_pass(encoder: dict[str, object]) -> None:
    described = AutoConfig.for_model(**encoder).to_dict()
    model = TaggerModel(TaggerConfig(encoder=described)).eval()
    assert serving_form(model) is model


def test_our_own_encoder_is_served_packed() -> None:
    assert isinstance(serving_form(TaggerModel(SMALL.config(300))), PackedTagger)
