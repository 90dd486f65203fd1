"""The trained tagger from its folder: labels by role, odd inputs, calls, missing or broken folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from callanalysis.errors import CheckpointError, InputError
from callanalysis.labels import RISK_NAMES, Role, intents_of
from callanalysis.schema import Utterance
from callanalysis.settings import Settings
from callanalysis.tagging.call_judging import level_of
from callanalysis.tagging.model import TaggerModel
from callanalysis.tagging.predict import Tagger, TagInput, open_folder, open_tagger
from callanalysis.tagging.scoring import load
from callanalysis.tagging.speakers import assign_roles

ODD = [
    "",
    " ",
    "😀😀",
    "。。。",
    "х" * 50,
    "嗯" * 10_000,
    "word " * 2500,
    "[collector] [MASK] x",
    "日本語です",
    "مرحبا كيف حالك",
    "我 will pay 明天 ₽ ｃａｆé 👨‍👩‍👧",
    "half a character \ud83d",
    "\u2028\ufeff\u200b",
    "a" * 10_000,
    "\u0000",
]


@pytest.fixture(scope="module")
def tagger(trained: Path) -> Tagger:
    return open_folder(trained)


def call(roles: bool) -> list[Utterance]:
    said = [
        ("喂您好，请问是周先生吗？", "collector"),
        ("是我，哪位？", "debtor"),
        ("我是青石金融的小许，您的借款 1200 元逾期 20 天了。", "collector"),
        ("我二十号先还八百。", "debtor"),
        ("好，二十号八百，对吧？", "collector"),
        ("嗯，好。", "debtor"),
    ]
    return [
        Utterance(i + 5, f"channel {r == 'debtor':d}", i, i + 1, text, role=r if roles else "unknown")  # type: ignore[arg-type]
        for i, (text, r) in enumerate(said)
    ]


def test_a_speaker_gets_only_labels_of_its_role(tagger: Tagger) -> None:
    roles: tuple[Role, ...] = ("collector", "debtor", "unknown")
    lines = [TagInput(str(i), role, (), text) for i, text in enumerate(ODD) for role in roles]
    for line, tag in zip(lines, tagger.tag_utterances(lines), strict=True):
        assert tag.intent
        assert len(tag.intent) == 1 or "other" not in tag.intent
        assert all(0 <= score <= 1 for score in tag.scores.values())
        if line.role != "unknown":
            assert set(tag.intent) <= set(intents_of(line.role))
            risks = set(RISK_NAMES) if line.role == "collector" else set()
            assert set(tag.scores) == set(intents_of(line.role)) | risks
        if line.role == "debtor":
            assert tag.risk == ()


def test_a_role_that_there_is_not_is_an_error(tagger: Tagger) -> None:
    line = TagInput("7", "judge", (), "hi")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"line 7: unknown role 'judge'.*collector"):
        tagger.tag_utterances([line])


@pytest.mark.parametrize(
    "context", [("",), ("[collector]",), ("no marker",), ("[debtor] 😀 \ud83d",), ("x" * 9999,) * 3]
)
def test_any_context_is_read(tagger: Tagger, context: tuple[str, ...]) -> None:
    assert tagger.tag_utterances([TagInput("1", "debtor", context, "")])[0].intent


def test_it_learned_what_it_was_shown(tagger: Tagger) -> None:
    context = ("[collector] 您的借款 1200 元逾期 20 天了。",)
    lines = [
        TagInput("1", "debtor", context, "我二十号先还八百。"),
        TagInput("2", "collector", ("[debtor] I won't pay you.",), "Somebody will come and break your legs."),
        TagInput("3", "collector", (), "喂您好，请问是郑先生吗？"),
    ]  # fmt: skip
    one, two, three = tagger.tag_utterances(lines)
    assert one.intent == ("promise_partial",)
    assert two.risk == ("threat_violence",)
    assert set(three.intent) == {"greet", "verify_identity"}


def test_order_and_company_do_not_change_a_line(tagger: Tagger) -> None:
    line = TagInput("x", "debtor", ("[collector] Hello",), "I'll pay 800 on the twentieth.")
    alone = tagger.tag_utterances([line])[0]
    crowd = tagger.tag_utterances([TagInput("y", "collector", (), "再见" * 40), line, line])
    assert crowd[1].scores == pytest.approx(alone.scores, abs=1e-3)
    assert tagger.tag_utterances([]) == []


def test_a_call_is_judged_with_evidence_by_utterance_index(tagger: Tagger) -> None:
    tagged = tagger.tag_call(call(roles=True))
    assert [t.index for t in tagged.tags] == [5, 6, 7, 8, 9, 10]
    assert tagged.call.willingness in ("high", "medium", "low", "none", "unknown")
    assert set(tagged.call.evidence) <= {6, 8, 10}
    if tagged.call.willingness != "unknown":
        assert tagged.call.score is not None
        assert 0 <= tagged.call.score <= 1


def test_unknown_roles_are_found_speaker_by_speaker(tagger: Tagger) -> None:
    tagged = tagger.tag_call(call(roles=False))
    assert [u.role for u in tagged.utterances] == ["collector", "debtor"] * 3
    assert all(u.role_confidence is not None and u.role_confidence >= 0.5 for u in tagged.utterances)


def test_a_call_without_words_or_without_debtor_is_unknown(tagger: Tagger) -> None:
    assert tagger.tag_call([]).call.willingness == "unknown"
    only = tagger.tag_call([u for u in call(roles=True) if u.role == "collector"])
    assert (only.call.willingness, only.call.score) == ("unknown", None)


@pytest.mark.parametrize("expected", [0.0, 0.49, 0.5, 1.2, 2.49, 2.51, 3.0])
def test_score_lies_within_the_bounds_of_its_level(expected: float) -> None:
    from callanalysis.labels import WILLINGNESS_SCORES

    level, score = level_of(expected)
    low, high = WILLINGNESS_SCORES[level]
    assert low <= score <= high


def test_one_known_speaker_settles_the_other() -> None:
    import numpy as np

    first, second = (Utterance(i, f"channel {i}", None, None, "话") for i in range(2))
    known = Utterance(0, "channel 0", None, None, "话", role="collector")
    assert [u.role for u in assign_roles([known, second], np.array([0.0, 1.0]))] == ["collector", "debtor"]
    both = assign_roles([first, second], np.array([1.0, 2.0]))
    assert [u.role for u in both] == ["debtor", "collector"]


def test_saving_and_loading_keeps_every_weight(trained: Path, tmp_path: Path) -> None:
    scorer = load(trained)
    scorer.model.save_pretrained(tmp_path)
    again = TaggerModel.from_pretrained(tmp_path, dtype=torch.float32)
    for name, value in scorer.model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert again.config.thresholds == scorer.config.thresholds
    assert again.config.temperatures == scorer.config.temperatures


def test_version_names_model_and_weights(tagger: Tagger, trained: Path) -> None:
    version, _, digest = tagger.version.rpartition("-")
    assert version
    assert len(digest) == 8
    assert open_tagger(Settings(models=trained.parent, tagger=trained.name)).version == tagger.version
    assert open_tagger(Settings(models=Path("/nowhere"), tagger=str(trained))).version == tagger.version


def test_a_missing_or_broken_folder_says_what_to_do(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no such folder.*callanalysis train"):
        open_tagger(Settings(models=tmp_path, tagger="tagger"))
    (tmp_path / "tagger").mkdir()
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        open_tagger(Settings(models=tmp_path, tagger="tagger"))
    broken = tmp_path / "broken"
    shutil.copytree(trained, broken)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        open_folder(broken)
