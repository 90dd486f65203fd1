"""Learning from reviewers, for real with a tiny tagger: what is held out, what is refused, what is replaced."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callanalysis.cli import app
from callanalysis.errors import CallAnalysisError, InputError
from callanalysis.retagging import retag
from callanalysis.schema import (
    Answer,
    CallAnalysis,
    CallMetadata,
    Correction,
    Transcript,
    Utterance,
    Versions,
)
from callanalysis.store.db import Store, open_store
from callanalysis.tagging.corpus import add_scenes, part_of, read_calls, read_utterances
from callanalysis.tagging.corrections import MOST, TIMES, is_held_out, lessons_of, repetitions, write_corpus
from callanalysis.tagging.inputs import TagInput, read_turn
from callanalysis.tagging.loop import Progress
from callanalysis.tagging.placing import put_in_place
from callanalysis.tagging.predict import open_folder
from callanalysis.tagging.relearning import Outcome, Relearning, going_on, relearn
from callanalysis.tagging.scoring import WEIGHTS

from .conftest import scenes, tiny_options

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
BILL = "上个月的账单我一直没有收到啊"  # nothing like it is in the corpus


def correction(call_id: str, **changes: object) -> Correction:
    made = Correction(
        call_id=call_id,
        utterance=1,
        language="zh",
        debtor_name=None,
        role="debtor",
        context=(("collector", "喂您好，请问是周先生吗？"),),
        text=BILL,
        machine_intent=("acknowledge",),
        machine_risk=(),
        intent=("complain",),
        risk=None,
        reviewer="Reviewer Li",
        at=NOW,
        tags_version="t 1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


CALLS = [f"C-{i}" for i in range(24)]
TEACHING = [correction(call) for call in CALLS]


def against(corpus: Path) -> list[Correction]:
    """Two corrections of each call that call a greeting what the corpus, word by word, calls a farewell."""
    closing = [x for x in read_utterances(corpus, "train") if x.intent == ("close",)]
    return [
        correction(
            call,
            utterance=place,
            role="collector",
            language=line.language,
            context=tuple(map(read_turn, line.context)),
            text=line.text,
            intent=("greet",),
        )
        for number, call in enumerate(CALLS)
        for place, line in ((2, closing[number % len(closing)]), (3, closing[-1 - number % len(closing)]))
    ]


def test_a_call_is_held_out_as_a_whole_and_for_ever() -> None:
    many = [correction(f"K-{i}", utterance=place) for i in range(200) for place in range(3)]
    lessons = lessons_of(many)
    taught, held = ({x.example.family for x in part} for part in (lessons.train, lessons.held_out))
    assert not taught & held
    assert len(taught) + len(held) == 200
    assert 20 <= len(held) <= 60
    assert len(lessons.train) == 3 * len(taught)
    later = lessons_of([correction("other"), *many[::-1]])
    assert held <= {x.example.family for x in later.held_out} | {"correction/other"}
    assert [i for i in range(30) if is_held_out(f"K-{i}")] == [7, 19, 21, 26]  # for ever


def test_an_axis_that_nobody_judged_keeps_the_tags_of_the_machine() -> None:
    one = correction("C-1", role="collector", machine_intent=("close",), intent=None, risk=("insult",))
    lessons = lessons_of([one])
    (lesson,) = lessons.train + lessons.held_out
    assert (lesson.example.intent, lesson.example.risk, lesson.axes) == (("close",), ("insult",), ("risk",))
    assert lesson.example.context == ("[collector] 喂您好，请问是周先生吗？",)


@pytest.mark.parametrize(
    ("corrections", "lines", "times"),
    [(10, 60_000, TIMES), (6_000, 60_000, 2), (60_000, 60_000, 1), (1, 1, 1)],
)
def test_corrections_weigh_more_but_never_outweigh(corrections: int, lines: int, times: int) -> None:
    assert repetitions(corrections, lines) == times
    assert times == 1 or times * corrections <= MOST * lines


def test_the_corpus_that_is_learnt_from_has_no_test_part_and_nothing_held_out(
    corpus: Path, tmp_path: Path
) -> None:
    lessons = lessons_of(TEACHING)
    write_corpus(tmp_path, corpus, lessons)
    lines = read_utterances(tmp_path)
    assert {x.part for x in lines} == {"train", "valid"}
    assert read_utterances(tmp_path, "valid") == read_utterances(corpus, "valid")
    own = [x for x in read_utterances(tmp_path, "train") if x.author == "reviewer"]
    assert {x.family for x in own} == {x.example.family for x in lessons.train}
    assert len(own) == len(lessons.train) * repetitions(
        len(lessons.train), len(read_utterances(corpus, "train"))
    )
    assert {x.id for x in read_calls(tmp_path)} == {x.id for x in read_calls(corpus) if x.part != "test"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus like the one that the tiny tagger learnt from, of little to train on and more to validate with."""
    folder, files = tmp_path_factory.mktemp("small"), []
    for language in ("zh", "en"):
        left, kept = {"train": 4, "valid": 6, "test": 2}, []
        for scene in scenes(language, 120).split("# family=")[1:]:
            part = part_of(scene.split(" ")[0])
            if left[part]:
                left[part] -= 1
                kept.append(f"# family={scene}")
        files.append(folder / f"{language}.txt")
        files[-1].write_text("".join(kept), "utf-8")
    add_scenes(folder / "corpus", files)
    return folder / "corpus"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of the tiny tagger as it is in use: with a corpus and a card in its folder."""
    folder = tmp_path / "models" / "tagger"
    shutil.copytree(trained, folder)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "README.md").write_text("corpus", "utf-8")
    (folder / "README.md").write_text("card", "utf-8")
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def learn(
    corpus: Path, model: Path, corrections: list[Correction], resume: bool = False, **how: bool
) -> Outcome:
    training = going_on(tiny_options(corpus, model, call_steps=20, resume=resume), model)
    wanted = Relearning(replace(training, passes=30.0, wide_passes=20.0), model, **how)
    return relearn(wanted, corrections, lambda progress: None, lambda line: None)


def intents(folder: Path, role: str, text: str) -> tuple[str, ...]:
    return open_folder(folder).tag_utterances([TagInput("1", role, (), text)])[0].intent  # type: ignore[arg-type]


def test_a_model_that_learns_a_label_and_loses_another_is_refused_until_that_is_accepted(
    small: Path, model: Path
) -> None:
    old, version, corrections = files_of(model), open_folder(model).version, [*TEACHING, *against(small)]
    assert intents(model, "debtor", BILL) != ("complain",)
    outcome = learn(small, model, corrections)
    assert not outcome.is_in_place
    assert "greet" in {change.after.label for change in outcome.fallen}
    held = {change.after.label: change for change in outcome.comparisons[1].axes["intent"].labels}
    assert (held["complain"].before.f1, held["complain"].after.f1) == (0.0, 1.0)
    assert outcome.comparisons[1].axes["risk"].lines == 0  # no reviewer judged it
    assert files_of(model) == old
    assert not list(model.parent.rglob("utterances.*.jsonl"))  # nothing of what was said is left behind
    with pytest.raises(InputError, match="nothing to resume"):
        learn(small, model, TEACHING, resume=True)

    again = learn(small, model, corrections, resume=True, accept_losses=True)
    assert (again.before, again.after, again.is_in_place) == (version, outcome.after, True)
    assert open_folder(model).version == outcome.after != version
    assert intents(model, "debtor", BILL) == ("complain",)
    lessons = lessons_of(corrections)
    assert open_folder(model).scorer.config.corrections == {
        "base": version,
        "learnt": len(lessons.train),
        "calls": len(lessons.train) // 3,
        "held_out": len(lessons.held_out),
    }
    assert again.kept == model.with_name(f"tagger-{version}")
    assert files_of(again.kept) == old
    assert (model / "corpus" / "README.md").read_text("utf-8") == "corpus"
    card = (model / "README.md").read_text("utf-8")
    assert outcome.after in card
    assert BILL not in card
    assert sorted(p.name for p in model.parent.iterdir()) == ["tagger", again.kept.name]


def test_what_cannot_be_learnt_is_refused_before_any_training(corpus: Path, model: Path) -> None:
    held = [x for x in TEACHING if is_held_out(x.call_id)]
    assert held
    for corrections, fault in (([], "holds none"), (held, "held out")):
        with pytest.raises(InputError, match=fault):
            learn(corpus, model, corrections)
    shutil.move(model / WEIGHTS, model.parent)
    with pytest.raises(CallAnalysisError, match="holds no tagger"):
        learn(corpus, model, TEACHING)


def test_no_model_that_was_replaced_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "tagger"
    for content, kept in (("1", None), ("2", "tagger-v"), ("3", "tagger-v.2")):
        new = tmp_path / "new"
        new.mkdir()
        (new / WEIGHTS).write_text(content, "utf-8")
        (new / WEIGHTS).chmod(0o644 if kept is None else 0o600)
        found = put_in_place(new, folder, "v")
        assert (found and found.name) == kept
        assert (folder / WEIGHTS).read_text("utf-8") == content
        assert (
            folder / WEIGHTS
        ).stat().st_mode & 0o777 == 0o644  # whoever could read the old one can read the new
        assert not new.exists()
    assert [(tmp_path / name / WEIGHTS).read_text("utf-8") for name in ("tagger-v", "tagger-v.2")] == [
        "1",
        "2",
    ]


class Stopped(Exception): ...


@pytest.mark.slow
def test_a_run_that_was_stopped_leaves_no_text_behind_and_goes_on(small: Path, model: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.name == "phrases":
            raise Stopped

    old, seen = files_of(model), []
    training = replace(going_on(tiny_options(small, model, call_steps=20), model), passes=30.0)
    with pytest.raises(Stopped):
        relearn(Relearning(training, model), TEACHING, stop, lambda line: None)
    assert files_of(model) == old
    assert not list(model.parent.rglob("utterances.*.jsonl"))
    wanted = Relearning(replace(training, resume=True), model, accept_losses=True)
    assert relearn(
        wanted, TEACHING, lambda progress: seen.append(progress.name), lambda line: None
    ).is_in_place
    assert "labels" not in seen


def stored(folder: Path, corpus: Path, path: Path) -> Store:
    """A store of calls as the corpus has them, with a complaint at the end and two corrections each."""
    store, tagger, written = open_store(str(path)), open_folder(folder), read_calls(corpus, "train")
    for number, call in enumerate(CALLS):
        turns = [(turn.role, turn.text) for turn in written[number % len(written)].turns] + [("debtor", BILL)]
        said = tuple(Utterance(i, role, None, None, text, role=role) for i, (role, text) in enumerate(turns))
        tagged = tagger.tag_call(said)
        transcript, versions = Transcript(call, "zh", said, "imported"), Versions(tags=tagger.version)
        tags, judged = tagged.tags, tagged.call
        store.save(
            CallAnalysis(CallMetadata(call), None, transcript, tags, judged, (), versions, identity_hash=call)
        )
        last = len(turns) - 1
        answers = [(last, ("complain",)), (last - 1, ("greet",))]
        store.corrections.add(
            [Answer("x", call, at, intent, None, "Reviewer Li") for at, intent in answers], NOW
        )
    return store


@pytest.mark.slow
def test_from_the_store_to_new_tags_and_back_by_command(
    small: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLANALYSIS_TAGGER", str(model))
    store, version, old = (
        stored(model, small, tmp_path / "calls.db"),
        open_folder(model).version,
        files_of(model),
    )
    before, database = store.corrections.every(), ["--db", str(tmp_path / "calls.db")]
    train = [
        "train",
        "--with-corrections",
        "--corpus",
        str(small),
        "--epochs",
        "60",
        "--processes",
        "1",
        *database,
    ]
    refused = CliRunner().invoke(app, train)
    assert refused.exit_code == 1, refused.output
    assert f"stays as it is, version {version}" in refused.output
    assert "greet: F1 1.000 → 0.6" in refused.output
    assert files_of(model) == old

    done = CliRunner().invoke(app, [*train, "--resume", "--accept-losses"])
    assert done.exit_code == 0, done.output
    assert "On the corrections held out" in done.output
    assert f"before: {version}" in done.output
    tagger, kept = open_folder(model), model.with_name(f"tagger-{version}")
    assert tagger.scorer.config.corrections["base"] == version
    assert retag(store, tagger, lambda number, of: None).done == len(CALLS)
    call = store.call("C-1")
    assert call is not None
    assert call.tags[-1].intent == ("complain",)
    assert store.corrections.every() == before

    back = CliRunner().invoke(app, ["retag", "--tagger", str(kept), *database])
    assert f"{len(CALLS)} calls have the tags of {version}" in back.output
    call = store.call("C-1")
    assert call is not None
    assert call.versions.tags == version


def test_options_that_go_with_corrections_alone(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--accept-losses", "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "out").exists()
