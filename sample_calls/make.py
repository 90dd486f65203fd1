"""Build the sample calls: `python sample_calls/make.py` writes recordings/ and reference.jsonl.

It speaks the scripts in scripts/. The tables beside it are given, not made: `check_tables` says where they
and the scripts disagree.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from callanalysis.speech.voices import SAMPLE_RATE

from call_script import Beep, CallScript, Greeting, Pause, Turn, read_script
from sound import Placed, place, record, write

HERE = Path(__file__).parent


def main() -> None:
    """Build every call and print one line for each."""
    scripts = [read_script(path) for path in sorted((HERE / "scripts").glob("*.txt"))]
    problems = list(check_tables(scripts))
    if problems:
        raise SystemExit("\n".join(problems))
    (HERE / "recordings").mkdir(exist_ok=True)
    lines = [json.dumps(build(script), ensure_ascii=False) for script in scripts]
    (HERE / "reference.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def build(script: CallScript) -> dict[str, object]:
    """Write the recording of `script` and return its reference."""
    placed = place(script)
    samples, rate = record(script, placed)
    path = HERE / "recordings" / script.fields["file"]
    write(path, samples, rate, script.fields["codec"])
    peak = 20 * np.log10(np.abs(samples).max())
    size = path.stat().st_size / 1e6
    print(f"{path.name:13} {len(samples) / rate:6.1f} s  peak {peak:5.1f} dBFS  {size:5.2f} MB")
    return reference(script, placed)


def reference(script: CallScript, placed: list[Placed]) -> dict[str, object]:
    """Return what was said, by whom and when (seconds), with the labels of the call and of each turn."""
    turns = [p for p in placed if isinstance(p.line, Turn)]
    return {
        "id": script.call_id,
        "language": script.fields["lang"],
        "willingness": script.fields["willingness"],
        "ability": script.fields["ability"],
        "overdue_reason": script.fields["reason"],
        "promise": script.promise(),
        "turns": [_turn(index, p) for index, p in enumerate(turns)],
        "events": [_event(p) for p in placed if not isinstance(p.line, Turn)],
    }


def check_tables(scripts: list[CallScript]) -> Iterator[str]:
    """Yield each disagreement between the scripts and the tables."""
    calls = {row["call_id"]: row for row in _rows("calls.csv")}
    accounts = {row["account_id"]: row for row in _rows("accounts.csv")}
    if calls.keys() != {script.call_id for script in scripts}:
        yield f"calls.csv and scripts/ differ in {calls.keys() ^ {script.call_id for script in scripts}}"
    for script in scripts:
        row = calls.get(script.call_id, {})
        for column, key in (("file", "file"), ("collector_id", "collector")):
            if row.get(column) != script.fields[key]:
                yield f"{script.call_id}: calls.csv says {row.get(column)!r}, script {script.fields[key]}"
    for table in ("calls.csv", "payments.csv", "contacts.csv"):
        unknown = {row["account_id"] for row in _rows(table)} - accounts.keys()
        if unknown:
            yield f"{table}: accounts.csv lacks {sorted(unknown)}"


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _turn(index: int, placed: Placed) -> dict[str, object]:
    line = placed.line
    assert isinstance(line, Turn)
    spoken = {"index": index, "role": line.role, "channel": placed.channel, **_times(placed)}
    return spoken | {"text": line.text, "intent": list(line.intents), "risk": list(line.risks)}


def _event(placed: Placed) -> dict[str, object]:
    match placed.line:
        case Greeting(text=text):
            return {"kind": "voicemail_greeting", **_times(placed), "text": text}
        case Beep():
            return {"kind": "beep", **_times(placed)}
        case Pause(hold=hold):
            return {"kind": "hold" if hold else "silence", **_times(placed)}
        case line:
            raise TypeError(f"{line!r} is a turn, not an event")


def _times(placed: Placed) -> dict[str, float]:
    return {"start": round(placed.start / SAMPLE_RATE, 3), "end": round(placed.end / SAMPLE_RATE, 3)}


if __name__ == "__main__":
    main()
