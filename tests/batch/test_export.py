from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from callanalysis.exports import call_object, harmless, masked, write_csv, write_jsonl
from callanalysis.intake.transcripts import ImportedCall, read_transcripts
from callanalysis.intake.values import Clock
from callanalysis.schema import (
    CallAnalysis,
    CallMetadata,
    CallTags,
    Measure,
    Promise,
    Transcript,
    Utterance,
    UtteranceTags,
    Versions,
)


def a_call(**changes) -> CallAnalysis:
    metadata = CallMetadata(
        "C-1",
        started_at=datetime.fromisoformat("2026-06-11T10:12:00+08:00"),
        collector_name="林晓云",
        debtor_name="王建国",
        number_dialled="199-0000-0101",
        balance=3500.0,
        extra={"备注": "电话19900000101", "x": "=1+1"},
    )
    said = (
        Utterance(0, "channel 0", 0.5, 3.5, "您好，请问是王建国先生吗？", role="collector"),
        Utterance(1, "channel 1", 4.0, 5.0, "尾号六二三八，十八号还三千五百元。", role="debtor"),
    )
    made = CallAnalysis(
        metadata,
        None,
        Transcript("C-1", "zh", said, "demo"),
        (
            UtteranceTags(0, ("greet",), ("insult",), {"greet": 0.9}),
            UtteranceTags(1, ("promise_full",), (), {}),
        ),
        CallTags("high", 0.87, "able", "willingness", (1,)),
        (Measure("talk_share", 0.6, "ratio"), Measure("pace_debtor", None, "characters/min", "mono")),
        Versions("demo 1", "t 1", "1"),
        identity_hash="hash",
    )
    return replace(made, **changes)


def test_a_line_is_as_the_format_says():
    file = io.StringIO()
    assert write_jsonl([a_call(promise=Promise(3500.0, date(2026, 6, 18), "full", 1))], file) == 1
    line = json.loads(file.getvalue())
    assert list(line) == [
        "id", "metadata", "turns", "willingness", "ability", "overdue_reason", "promise", "findings", "measures",
        "versions",
    ]  # fmt: skip
    assert line["id"] == "C-1"
    assert line["metadata"]["started_at"] == "2026-06-11T10:12:00+08:00"
    assert line["metadata"]["language"] == "zh"
    assert line["turns"][0] == {
        "index": 0, "role": "collector", "start": 0.5, "end": 3.5, "text": "您好，请问是王建国先生吗？",
        "intent": ["greet"], "risk": ["insult"],
    }  # fmt: skip
    assert line["willingness"] == {"level": "high", "score": 0.87}
    assert line["promise"] == {"amount": 3500.0, "due_date": "2026-06-18", "kind": "full"}
    assert line["measures"] == {"talk_share": 0.6, "pace_debtor": None}
    assert line["versions"] == {"speech": "demo 1", "tags": "t 1", "measures": "1", "rules": None}
    assert "王建国" in file.getvalue()  # not escaped


def test_what_is_not_known_is_null():
    line = call_object(a_call(call_tags=None, tags=()))
    assert line["promise"] is None
    assert line["findings"] == []
    assert line["willingness"] == {"level": None, "score": None}
    assert line["turns"][0]["intent"] == []


def test_masked():
    text = json.dumps(call_object(masked(a_call())), ensure_ascii=False)
    assert "王**" in text
    assert "199-****-**01" in text
    assert "尾号****，十八号还三千五百元" in text
    assert "19900000101" not in text
    assert "请问是王**先生吗" in text


def test_an_export_can_be_imported(tmp_path):
    path = tmp_path / "calls.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_jsonl([a_call()], file)
    from zoneinfo import ZoneInfo

    (line,) = read_transcripts(path, Clock(ZoneInfo("UTC"), datetime.now(UTC)))
    assert isinstance(line, ImportedCall)
    assert line.metadata == replace(a_call().metadata, language="zh")
    assert [u.text for u in line.transcript.utterances] == [u.text for u in a_call().transcript.utterances]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1"])
def test_no_cell_is_a_formula(cell):
    hostile = a_call(metadata=replace(a_call().metadata, collector_name=cell, team=cell))
    file = io.StringIO()
    write_csv([hostile], file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row["collector_name"].startswith("'")
    assert row["team"] == f"'{cell}"
    assert row["balance"] == "3500.0"
    assert harmless(-1.5) == -1.5


def test_the_columns_of_the_csv():
    file = io.StringIO()
    assert write_csv([a_call(), a_call(call_tags=None)], file) == 2
    first, second = csv.DictReader(io.StringIO(file.getvalue()))
    assert (first["id"], first["willingness"], first["risk_utterances"], first["risk_labels"]) == (
        "C-1", "high", "1", "insult",
    )  # fmt: skip
    assert (first["talk_share"], first["pace_debtor"]) == ("0.6", "")
    assert second["willingness"] == ""
