from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callanalysis.schema import Failure
from callanalysis.store.ledger import SeenFile

from .examples import a_call

AT = datetime(2026, 6, 11, 2, 12, tzinfo=UTC)


def a_failure(source: str = "/calls/a.wav") -> Failure:
    return Failure(source, "a", "audio", "silence", "the recording is silent", "Check the line", AT)


def test_failures_are_kept_counted_and_cleared(store):
    store.record_failure(a_failure(), "fingerprint")
    again = store.record_failure(a_failure(), "other")
    assert again.attempts == 2
    assert store.failures() == [again]
    assert store.ledger.fingerprints() == {"/calls/a.wav": "other"}
    store.clear_failure("/calls/a.wav")
    assert store.failures() == []


def test_what_is_stored_can_be_asked_for_many(store):
    store.save(a_call("C-1"))
    assert store.ledger.stored_calls(f"C-{i}" for i in range(2000)).keys() == {"C-1"}
    assert store.ledger.calls_with_content(["hash of C-1"])["hash of C-1"].call_id == "C-1"


def test_files_seen(store):
    seen = [SeenFile(f"/{i}.wav", 2**40, 2**62 + i, f"hash {i}", None) for i in range(1200)]
    store.ledger.note_files(seen)
    store.ledger.note_files([SeenFile("/1.wav", 5, 6, "new", 1.5)])
    found = store.ledger.seen_files([file.path for file in seen])
    assert len(found) == 1200
    assert found["/1.wav"] == SeenFile("/1.wav", 5, 6, "new", 1.5)
    assert found["/2.wav"] == seen[2]


def test_a_call_is_claimed_by_one_run(store):
    first, second = store.ledger.begin_run(), store.ledger.begin_run()
    assert store.ledger.claim(first, "C-1")
    assert not store.ledger.claim(second, "C-1")
    store.ledger.release("C-1")
    assert store.ledger.claim(second, "C-1")
    store.ledger.end_run(second)
    assert store.ledger.claim(first, "C-1")


def stop_beating(store, run):
    with store._engine.begin() as connection:
        old = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=11)
        connection.execute(
            text("UPDATE runs SET heartbeat_at = :old WHERE id = :run"), {"old": old, "run": run}
        )


def die(store, run):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with store._engine.begin() as connection:
        connection.execute(
            text("UPDATE runs SET pid = :pid WHERE id = :run"), {"pid": process.pid, "run": run}
        )


@pytest.mark.parametrize("end", [stop_beating, die])
def test_a_dead_run_loses_its_claims(store, end):
    dead, alive = store.ledger.begin_run(), store.ledger.begin_run()
    assert store.ledger.claim(dead, "C-1")
    end(store, dead)
    assert store.ledger.claim(alive, "C-1")


def test_a_beating_run_keeps_its_claims(store):
    slow, other = store.ledger.begin_run(), store.ledger.begin_run()
    assert store.ledger.claim(slow, "C-1")
    stop_beating(store, slow)
    store.ledger.beat(slow)
    assert not store.ledger.claim(other, "C-1")
