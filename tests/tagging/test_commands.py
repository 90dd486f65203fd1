"""The commands: corpus add, tag on good and bad lines, evaluate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callanalysis.cli import app
from callanalysis.errors import CallAnalysisError, InputError
from callanalysis.settings import PROJECT

from .conftest import scenes

GOOD = [
    {"id": "a", "role": "collector", "context": [], "text": "喂您好，请问是周先生吗？"},
    {"id": "b", "role": "debtor", "context": ["[collector] 喂您好，请问是周先生吗？"], "text": "嗯"},
    {"id": "c", "role": "collector", "text": "Somebody will come and break your legs."},
    {"id": 4, "role": "debtor", "context": [], "text": ""},
]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, CallAnalysisError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), "utf-8")
    return path


def test_tag_writes_one_line_a_line(trained: Path, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.jsonl", list(GOOD)), tmp_path / "out.jsonl"
    run("tag", str(source), "--out", str(out), "--tagger", str(trained))
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c", 4]
    assert all(set(row) == {"id", "intent", "risk", "scores"} for row in rows)
    assert all(row["intent"] for row in rows)
    assert rows[1]["risk"] == rows[3]["risk"] == []
    assert rows[2]["risk"] == ["threat_violence"]
    assert "insult" not in rows[1]["scores"]
    printed = run("tag", str(source), "--tagger", str(trained))
    assert [json.loads(line) for line in printed.splitlines()] == rows


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("{broken", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"id": "x", "role": "judge", "text": "hi"}, "unknown role 'judge'"),
        ({"id": "x", "role": "debtor"}, "field 'text' is missing"),
        ({"role": "debtor", "text": "hi"}, "field 'id' is missing"),
        ({"id": "x", "role": ["debtor"], "text": "hi"}, "unknown role ['debtor']"),
        ({"id": None, "role": "debtor", "text": "hi"}, "id is neither"),
        ({"id": "\ud83d", "role": "debtor", "text": "hi"}, "id is neither"),
        ("[" * 200_000, "not JSON"),
        ({"id": "x", "role": "debtor", "text": "hi", "context": [3]}, "context is not a list of strings"),
        ({"id": "x", "role": "debtor", "text": None}, "text is not a string"),
        ({"id": "x", "role": "debtor", "text": 7}, "text is not a string"),
        ({"id": "x", "role": "debtor", "text": "hi", "context": "[collector] hi"}, "context is not a list"),
    ],
)
def test_a_bad_line_is_named_and_nothing_written(
    trained: Path, tmp_path: Path, bad: object, fault: str
) -> None:
    source, out = write(tmp_path / "in.jsonl", [GOOD[0], "", bad]), tmp_path / "out.jsonl"
    with pytest.raises(InputError) as error:
        run("tag", str(source), "--out", str(out), "--tagger", str(trained))
    assert f"{source}:3: {fault}" in str(error.value)
    assert not out.exists()


def test_odd_texts_are_tagged(trained: Path, tmp_path: Path) -> None:
    texts = [
        "",
        "😀👨‍👩‍👧",
        "嗯" * 10_000,
        "我 pay 明天",
        "Ich zahle morgen",
        "عربي",
        "\ud83d",
        "a\u2028b\x85c",
    ]
    rows = [{"id": i, "role": "debtor", "context": [text] * 5, "text": text} for i, text in enumerate(texts)]
    raw = '{"id": 99, "role": "collector", "text": "one\u2028two"}'
    source = tmp_path / "in.jsonl"
    source.write_text("\ufeff" + "\r\n".join([*map(json.dumps, rows), raw, ""]), "utf-8")
    tagged = [json.loads(line) for line in run("tag", str(source), "--tagger", str(trained)).splitlines()]
    assert [row["id"] for row in tagged] == [*range(len(texts)), 99]
    assert all(row["intent"] for row in tagged)


def test_benchmark_prints_a_ratio_and_writes_json(corpus: Path, trained: Path, tmp_path: Path) -> None:
    figures = tmp_path / "speed.json"
    options = ["--tagger", str(trained), "--corpus", str(corpus), "--rounds", "1", "--json", str(figures)]
    printed = run("benchmark", "tagger", *options)
    written = json.loads(figures.read_text("utf-8"))
    assert f"ratio {written['ratio']:.1f}" in printed
    assert written["ratio"] == pytest.approx(written["tagger"] / written["plain"])
    assert written["apart"] <= 0.02
    assert written["per_hour"] is None


@pytest.mark.slow
def test_the_shipped_tagger_costs_little_beside_transcription(tmp_path: Path) -> None:
    figures, recording = tmp_path / "speed.json", PROJECT / "sample_calls" / "recordings" / "SC-0001.wav"
    run("benchmark", "tagger", str(recording), "--lines", "64", "--rounds", "1", "--json", str(figures))
    written = json.loads(figures.read_text("utf-8"))
    assert written["ratio"] > 1
    assert written["per_hour"]["tagging"] <= 0.1 * written["per_hour"]["transcription"]


def test_corpus_add_counts_and_checks(tmp_path: Path) -> None:
    source = tmp_path / "zh.txt"
    source.write_text(scenes("zh", 3), "utf-8")
    assert "3 families (3 new), 21 utterances, 3 whole calls" in run(
        "corpus", "add", str(source), "--corpus", str(tmp_path / "corpus")
    )
    with pytest.raises(InputError, match="no such file"):
        run("corpus", "add", str(tmp_path / "none.txt"), "--corpus", str(tmp_path / "corpus"))


def test_evaluate_prints_a_table_and_writes_json(corpus: Path, trained: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--tagger", str(trained), "--part", "valid", "--corpus", str(corpus), "--json", str(figures)]
    table = run("evaluate", *options)
    assert "| promise_partial" in table
    assert "floor" in table
    assert "most often confused" in table
    written = json.loads(figures.read_text("utf-8"))
    assert written["part"] == "valid"
    assert written["intent"]["overall"]["macro"] > 0.6
    assert written["calls"]["n"] > 0
    assert {"zh", "en", "collector", "debtor, en"} <= written["intent"]["slices"].keys()
    label = next(x for x in written["intent"]["labels"] if x["label"] == "close")
    assert label["n"] > 0
    assert label["interval"][0] <= label["f1"] <= label["interval"][1]
