"""Scenes in, corpus out: labels kept, faults named with file and line, families held out whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callanalysis.errors import InputError, LabelError
from callanalysis.tagging.corpus import add_scenes, part_of, read_calls, read_utterances
from callanalysis.tagging.scenes import read_scenes, read_turn

from .conftest import scenes

HEADER = "# family=zh-x-001 | whole=no\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("C greet | 您好\n", ":1: a turn before any header"),
        (HEADER + "C nice | 您好\n", ":2: unknown label 'nice'"),
        (HEADER + "C greet ! rude | 您好\n", ":2: unknown label 'rude'"),
        (HEADER + "C refuse | 您好\n", ":2: 'refuse' is not said by the collector"),
        (HEADER + "D acknowledge ! insult | 嗯\n", ":2: a risk label on a debtor's turn"),
        (HEADER + "C other,greet | 您好\n", ":2: other beside another intent"),
        (HEADER + "X greet | 您好\n", ":2: not a turn"),
        ("# family=zh-x-001 | whole=maybe\n", ":1: whole='maybe'"),
        ("# family=fr-x-001 | whole=no\n", ":1: family 'fr-x-001'"),
        ("# family=zh-x-001 | whole=yes | willingness=keen\n", ":1: unknown label 'keen'"),
    ],
)
def test_a_fault_is_named_with_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "scenes.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        list(read_scenes(path))
    assert f"{path}{fault}" in str(error.value)


def test_labels_survive_the_round_trip(corpus: Path) -> None:
    line = next(x for x in read_utterances(corpus) if "threat_exposure" in x.risk)
    assert (line.role, line.intent, line.language) == ("collector", ("other",), "zh")
    assert line.context[0].startswith("[debtor] 是我")
    assert len(line.context) == 3
    call = next(x for x in read_calls(corpus) if x.family == line.family)
    assert call.willingness == "none"
    assert call.promise is None
    promised = next(x for x in read_calls(corpus) if x.promise is not None)
    assert promised.promise is not None
    assert promised.promise.due_date == "2026-03-20"
    assert [x.text for x in promised.inputs] == [t.text for t in promised.turns]


def test_families_are_whole_and_adding_again_changes_nothing(corpus: Path, tmp_path: Path) -> None:
    parts: dict[str, set[str]] = {}
    for line in read_utterances(corpus):
        parts.setdefault(line.family, set()).add(line.part)
    assert all(len(part) == 1 for part in parts.values())
    source = tmp_path / "zh.txt"
    source.write_text(scenes("zh", 24), "utf-8")
    target = tmp_path / "corpus"
    first = add_scenes(target, [source])
    before = (target / "utterances.zh.jsonl").read_text("utf-8")
    second = add_scenes(target, [source])
    assert (first.new_families, second.new_families) == (24, 0)
    assert (target / "utterances.zh.jsonl").read_text("utf-8") == before


def test_a_tenth_is_for_validation_and_the_test_part_has_authors_of_its_own() -> None:
    parts = [part_of(f"zh-a-{i:04d}") for i in range(5000)]
    assert 0.08 < parts.count("valid") / 5000 < 0.12
    assert parts.count("train") + parts.count("valid") == 5000
    assert {part_of(f"{language}-test-{i:04d}") for language in ("zh", "en") for i in range(100)} == {"test"}


def test_adding_moves_older_families_to_the_part_they_belong_to(corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    target.mkdir()
    row = json.loads((corpus / "utterances.zh.jsonl").read_text("utf-8").splitlines()[0])
    old = row | {"family": "zh-test-900", "id": "zh-test-900/0", "part": "train"}
    (target / "utterances.zh.jsonl").write_text(json.dumps(old) + "\n", "utf-8")
    source = tmp_path / "zh.txt"
    source.write_text(scenes("zh", 5), "utf-8")
    add_scenes(target, [source])
    moved = next(x for x in read_utterances(target) if x.family == "zh-test-900")
    assert moved.part == "test"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"intent": ["nice"]}, LabelError),
        ({"risk": ["insult"], "role": "debtor", "intent": ["acknowledge"]}, InputError),
        ({"role": "judge"}, InputError),
        ({"part": "exam"}, InputError),
        ({"text": None, "intent": None}, InputError),
    ],
)
def test_a_bad_corpus_line_is_named(
    corpus: Path, tmp_path: Path, change: dict[str, object], error: type[InputError]
) -> None:
    lines = (corpus / "utterances.zh.jsonl").read_text("utf-8").splitlines()[:3]
    lines[2] = json.dumps(json.loads(lines[2]) | change, ensure_ascii=False)
    path = tmp_path / "utterances.zh.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(error, match=r"utterances\.zh\.jsonl:3"):
        read_utterances(tmp_path)


def test_an_empty_corpus_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="corpus add"):
        read_utterances(tmp_path)


def test_a_turn_keeps_bars_in_its_text() -> None:
    turn = read_turn("C greet , close ! insult | a | b", "here")
    assert (turn.text, turn.intent, turn.risk) == ("a | b", ("greet", "close"), ("insult",))
