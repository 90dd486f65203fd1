"""The sample calls are what their README says: complete, consistent, readable, invented."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from callanalysis.audio.reader import open_recording
from callanalysis.labels import INTENT_NAMES, RISK_NAMES, check

SAMPLES = Path(__file__).resolve().parent.parent / "sample_calls"
CALLS = [json.loads(line) for line in (SAMPLES / "reference.jsonl").read_text(encoding="utf-8").splitlines()]


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_call_has_a_recording_a_row_and_a_reference() -> None:
    listed = {row["call_id"]: row["file"] for row in rows("calls.csv")}
    assert set(listed) == {call["id"] for call in CALLS}
    assert {p.name for p in (SAMPLES / "recordings").iterdir()} == set(listed.values())


def test_there_are_enough_in_both_languages_and_small_enough() -> None:
    languages = [call["language"] for call in CALLS]
    assert languages.count("zh") >= 14
    assert languages.count("en") >= 6
    assert sum(p.stat().st_size for p in SAMPLES.rglob("*") if p.is_file()) < 25_000_000


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["id"])
def test_reference_fits_the_sound_and_the_labels(call: dict) -> None:
    path = next((SAMPLES / "recordings").glob(f"{call['id']}.*"))
    with open_recording(path) as recording:
        assert 20 <= recording.duration <= 120
        for turn in call["turns"]:
            assert 0 <= turn["start"] < turn["end"] <= recording.duration + 0.05
            said = recording.samples(
                turn["channel"] if recording.channels > 1 else 0, turn["start"], turn["end"]
            )
            assert abs(said).max() > 0.02
            check(turn["intent"], "intent", call["id"])
            check(turn["risk"], "risk", call["id"])


def test_every_label_occurs() -> None:
    turns = [turn for call in CALLS for turn in call["turns"]]
    assert {label for turn in turns for label in turn["intent"]} >= set(INTENT_NAMES)
    assert {label for turn in turns for label in turn["risk"]} == set(RISK_NAMES)


def test_tables_refer_to_what_exists() -> None:
    accounts = {row["account_id"] for row in rows("accounts.csv")}
    for name in ("calls.csv", "payments.csv", "contacts.csv"):
        assert {row["account_id"] for row in rows(name) if row["account_id"]} <= accounts


def test_numbers_are_from_ranges_kept_for_fiction() -> None:
    for row in rows("calls.csv"):
        digits = "".join(c for c in row["number_dialled"] if c.isdigit())
        invented = ("1990000", "861990000", "4000000", "7700900", "447700900", "07700900")
        assert "55501" in digits or digits.startswith(invented), digits[:4]
