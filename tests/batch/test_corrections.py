"""Files of corrections and the commands around them: whole or not at all, masked where shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callanalysis.cli import app
from callanalysis.errors import CallAnalysisError, InputError, LabelError
from callanalysis.store.db import open_store

from .test_export import a_call

GOOD = {"call": "C-1", "utterance": 1, "intent": ["promise_full"], "reviewer": "审核员李"}


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = str(tmp_path / "calls.db")
    store = open_store(path)
    store.save(a_call())
    store.close()
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, CallAnalysisError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def write(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), "utf-8")
    return str(path)


def test_corrections_are_added_once_and_listed_masked(database: str, tmp_path: Path) -> None:
    source = write(tmp_path, GOOD, "", {**GOOD, "utterance": 0, "intent": None, "risk": ["false_claim"]})
    assert "2 corrections added\n" in run("corrections", "add", source, "--db", database)
    assert "0 corrections added, 2 were there already" in run("corrections", "add", source, "--db", database)
    rows = [
        json.loads(x) for x in run("corrections", "list", "--format", "jsonl", "--db", database).splitlines()
    ]
    assert [row["utterance"] for row in rows] == [0, 1]
    assert rows[0]["text"] == "您好，请问是王**先生吗？"
    assert rows[1]["text"].startswith("尾号****")
    assert (rows[0]["machine"]["intent"], rows[0]["intent"], rows[0]["risk"]) == (
        ["greet"],
        None,
        ["false_claim"],
    )
    plain = run("corrections", "list", "--db", database)
    assert "promise_full" in plain
    assert "王建国" not in plain
    assert "王建国" in run("corrections", "list", "--unmasked", "--db", database)


def test_answers_that_were_replaced_are_listed_on_request(database: str, tmp_path: Path) -> None:
    run("corrections", "add", write(tmp_path, GOOD), "--db", database)
    later = {**GOOD, "intent": ["refuse"], "reviewer": "审核员赵"}
    run("corrections", "add", write(tmp_path, later), "--db", database)
    newest = run("corrections", "list", "--format", "jsonl", "--db", database)
    assert [json.loads(line)["intent"] for line in newest.splitlines()] == [["refuse"]]
    every = run("corrections", "list", "--all", "--format", "jsonl", "--db", database)
    assert [json.loads(line)["intent"] for line in every.splitlines()] == [["promise_full"], ["refuse"]]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("{broken", "no JSON object"),
        ("[1]", "no JSON object"),
        ({**GOOD, "call": ""}, "call is missing"),
        ({**GOOD, "utterance": "1"}, "utterance '1' is no number from 0"),
        ({**GOOD, "utterance": True}, "utterance True is no number"),
        ({**GOOD, "utterance": -1}, "utterance -1 is no number"),
        ({**GOOD, "intent": "refuse"}, "intent is no list of labels"),
        ({**GOOD, "intent": None}, "neither intent nor risk"),
        ({**GOOD, "intnet": []}, "unknown field 'intnet'"),
        ({**GOOD, "reviewer": " "}, "reviewer is missing"),
        ({**GOOD, "reviewer": "\x1b[2J"}, "reviewer is missing, or no name"),
        ({**GOOD, "at": "yesterday"}, "at 'yesterday' is no time"),
        ({**GOOD, "at": "2026-11-01T10:00"}, "has no zone"),
        ({**GOOD, "at": "2999-01-01T00:00+08:00"}, "lies in the future"),
        ({**GOOD, "intent": ["refuse"]}, "judges this utterance's intent twice, also in line 1"),
        ({**GOOD, "utterance": 9, "intent": ["refuse"]}, "has no utterance 9"),
    ],
)
def test_a_bad_line_is_named_and_nothing_of_its_file_stored(
    database: str, tmp_path: Path, bad: object, fault: str
) -> None:
    source = write(tmp_path, GOOD, bad)
    with pytest.raises(InputError, match=fault) as caught:
        run("corrections", "add", source, "--db", database)
    assert caught.value.subject == f"{source}:2"
    assert run("corrections", "list", "--format", "jsonl", "--db", database) == ""


def test_a_label_unknown_and_a_file_unusable(database: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="unknown label 'nice'"):
        run("corrections", "add", write(tmp_path, {**GOOD, "intent": ["nice"]}), "--db", database)
    with pytest.raises(InputError, match="holds no corrections"):
        run("corrections", "add", write(tmp_path, ""), "--db", database)
    with pytest.raises(InputError, match="cannot be read"):
        run("corrections", "add", str(tmp_path / "none.jsonl"), "--db", database)
