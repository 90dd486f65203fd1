from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from callanalysis.batch import Request, run
from callanalysis.errors import CheckpointError, InputError, SetupError
from callanalysis.planning import Choices
from callanalysis.settings import Settings, SpeechSettings
from callanalysis.store.db import Store, open_store

from .fakes import open_fakes, write_call


class Watch:
    def __init__(self):
        self.plans, self.results = [], []

    def planned(self, calls, seconds):
        self.plans.append((calls, seconds))

    def done(self, result, seconds):
        self.results.append(result)


@pytest.fixture
def store(tmp_path) -> Store:
    return open_store(str(tmp_path / "calls.db"))


@pytest.fixture
def folder(tmp_path) -> Path:
    for seed, name in enumerate(("C-1", "C-2", "C-3")):
        write_call(tmp_path / "in" / f"{name}.wav", seed)
    return tmp_path / "in"


def batch(store, source, *, calls=None, workers=1, opener=open_fakes, **choices):
    settings = Settings(db="unused", speech=SpeechSettings())
    request = Request(Path(source), settings, calls, Choices(**choices), workers)
    return run(request, store, Watch(), opener)


def no_models(settings):
    raise AssertionError("models were opened although nothing was to be done")


def failures(store):
    return {(Path(f.source).name, f.stage, f.code) for f in store.failures()}


def test_started_twice_nothing_is_done_twice(store, folder):
    first = batch(store, folder)
    assert (first.analysed, first.exit_code) == (3, 0)
    saved = store.calls()
    second = batch(store, folder, opener=no_models)
    assert (second.analysed, second.stored, second.exit_code) == (0, 3, 0)
    assert store.calls().equals(saved)


def test_what_is_new_is_added(store, folder):
    batch(store, folder)
    write_call(folder / "later" / "C-4.wav", 9)
    assert batch(store, folder).analysed == 1
    assert sorted(store.calls()["call_id"]) == ["C-1", "C-2", "C-3", "C-4"]


def test_a_single_file(store, folder):
    summary = batch(store, folder / "C-2.wav")
    assert summary.analysed == 1
    assert store.calls()["call_id"].tolist() == ["C-2"]


def test_failed_files_are_told_and_tried_again_only_when_asked_or_changed(store, folder):
    (folder / "bad.wav").write_bytes(b"no sound at all")
    write_call(folder / "mute.wav", 5)
    first = batch(store, folder)
    assert (first.analysed, first.exit_code) == (3, 1)
    assert failures(store) == {("bad.wav", "audio", "unreadable"), ("mute.wav", "speech", "no_speech")}
    assert all(failure.remedy for failure in first.failures)
    second = batch(store, folder, opener=no_models)
    assert (second.failed_before, second.failures, second.exit_code) == (2, [], 1)
    third = batch(store, folder, retry=True)
    assert {failure.attempts for failure in third.failures} == {2}
    write_call(folder / "bad.wav", 6)
    fourth = batch(store, folder)
    assert (fourth.analysed, fourth.failed_before) == (1, 1)
    assert failures(store) == {("mute.wav", "speech", "no_speech")}
    (folder / "mute.wav").unlink()
    assert batch(store, folder).exit_code == 0
    assert store.failures() == []


def test_copies_and_conflicts(store, folder):
    shutil.copy(folder / "C-1.wav", folder / "copy.wav")
    write_call(folder / "other" / "C-2.wav", 7)
    summary = batch(store, folder)
    assert (summary.analysed, summary.exit_code) == (3, 1)
    assert failures(store) == {
        ("copy.wav", "identity", "duplicate_content"),
        ("C-2.wav", "identity", "identity_conflict"),
    }
    again = batch(store, folder, opener=no_models)
    assert {failure.code for failure in again.failures} == {"duplicate_content", "identity_conflict"}


def test_a_stored_call_is_replaced_only_when_asked(store, folder):
    batch(store, folder)
    before = store.identity("C-1")
    write_call(folder / "C-1.wav", 99)
    summary = batch(store, folder)
    assert [failure.code for failure in summary.failures] == ["identity_conflict"]
    assert store.identity("C-1") == before
    summary = batch(store, folder, replace=True)
    assert (summary.analysed, summary.exit_code) == (1, 0)
    assert store.identity("C-1") != before
    assert store.failures() == []


def listed(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_call_list(store, folder, tmp_path):
    calls = listed(
        tmp_path / "calls.csv",
        "call_id,file,team,balance\n"
        "A-1,C-1.wav,一组,-5\n"
        "A-2,c-2.WAV,二组,7\n"
        "A-3,gone.wav,三组,1\n"
        "A-2,C-3.wav,二组,7\n",
    )
    summary = batch(store, folder, calls=calls)
    assert sorted(store.calls()["call_id"]) == ["A-1", "A-2"]
    assert store.call("A-1").metadata.team == "一组"
    assert store.call("A-1").metadata.extra == {"balance": "-5"}
    assert failures(store) == {
        ("gone.wav", "list", "not_in_folder"),
        ("C-3.wav", "list", "duplicate_call_id"),
    }
    assert len(summary.notices) == 1
    assert "calls.csv, line 2, balance: '-5' the amount is negative" in summary.notices[0]
    assert batch(store, folder, calls=calls, opener=no_models).stored == 2


def test_a_corrected_list_is_taken_over_without_listening_again(store, folder, tmp_path):
    calls = listed(tmp_path / "calls.csv", "call_id,team\nC-1,一组\nC-2,一组\n")
    summary = batch(store, folder, calls=calls)
    assert any("not in the call list (C-3.wav)" in notice for notice in summary.notices)
    listed(calls, "call_id,team\nC-1,二组\nC-2,一组\nC-3,三组\n")
    summary = batch(store, folder, calls=calls, opener=no_models)
    assert (summary.stored, summary.corrected) == (3, 2)
    assert [store.call(x).metadata.team for x in ("C-1", "C-2", "C-3")] == ["二组", "一组", "三组"]
    assert batch(store, folder, opener=no_models).corrected == 0  # no list: what was known stays
    listed(calls, "call_id,collector_channel\nC-1,1\n")
    assert batch(store, folder, calls=calls).analysed == 1
    assert store.call("C-1").transcript.utterances[0].role == "debtor"


def test_a_folder_that_has_moved(store, folder, tmp_path):
    batch(store, folder)
    folder.rename(tmp_path / "moved")
    assert batch(store, tmp_path / "moved", opener=no_models).stored == 3
    assert store.call("C-1").sound.path == str(tmp_path / "moved" / "C-1.wav")


LINE = {
    "id": "T-1",
    "metadata": {"collector_id": "C01", "started_at": "2026-06-11T10:12:00+08:00"},
    "turns": [
        {"role": "collector", "start": 0.0, "end": 6.0, "text": "您好，请问是王先生吗？"},
        {"role": "debtor", "start": 6.5, "end": 12.0, "text": "我下个月还三千五百元。"},
    ],
}


def written(path: Path, *lines) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n")
    return path


def test_transcripts(store, tmp_path):
    path = written(
        tmp_path / "t.jsonl",
        LINE,
        "not json",
        '{"id": "T-2"}',
        "",
        LINE | {"id": 3, "turns": [{"speaker": "A", "text": "您好\u0000"}, {"speaker": "B", "text": "我还"}]},
        LINE | {"id": "T-4", "turns": [{"role": "collector", "start": 5, "end": 1, "text": "x"}]},
        LINE | {"id": "T-5"},
        {"id": "T-6", "turns": [{"role": "judge", "text": "x"}]},
        LINE | {"id": "T-1", "turns": [{"text": "something else 还"}]},
    )
    summary = batch(store, path)
    assert (summary.analysed, summary.exit_code) == (2, 1)
    call = store.call("T-1")
    assert call.sound is None
    assert call.metadata.collector_id == "C01"
    assert call.transcript.engine == "imported"
    assert {m.name: m.value for m in call.measures}["talk_share"] == pytest.approx(6 / 11.5, abs=1e-4)
    assert [(u.speaker, u.role, u.text) for u in store.call("3").transcript.utterances] == [
        ("A", "collector", "您好"),
        ("B", "debtor", "我还"),
    ]
    assert failures(store) == {
        ("t.jsonl:2", "transcript", "bad_json"),
        ("t.jsonl:3", "transcript", "bad_transcript"),
        ("t.jsonl:6", "transcript", "bad_transcript"),
        ("t.jsonl:7", "identity", "duplicate_content"),
        ("t.jsonl:8", "transcript", "bad_transcript"),
        ("t.jsonl:9", "identity", "identity_conflict"),
    }
    again = batch(store, path, opener=no_models)
    assert (again.stored, len(again.failures)) == (2, 6)


def test_a_call_list_beside_transcripts(store, tmp_path):
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in" / "t.jsonl", LINE)
    calls = listed(tmp_path / "calls.csv", "call_id,team,collector_id\nT-1,一组,\n")
    assert batch(store, path.parent, calls=calls).analysed == 1
    metadata = store.call("T-1").metadata
    assert (metadata.team, metadata.collector_id) == ("一组", "C01")


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda p: None, "no such file or folder"),
        (lambda p: p.mkdir(), "no recordings in it"),
        (lambda p: (p.mkdir(), (p / "calls.csv").touch()), r"1 .csv passed over"),
        (lambda p: (p.mkdir(), (p / "t.jsonl").touch()), "empty"),
    ],
)
def test_nothing_to_do_is_an_error_that_says_why(store, tmp_path, make, fault):
    make(tmp_path / "x")
    with pytest.raises(InputError, match=fault):
        batch(store, tmp_path / "x")


def without_weights(settings):
    raise CheckpointError("speech model 'small'", "there are no weights", "Fetch them", "checkpoint_missing")


def dies_at_start(settings):
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_models_that_cannot_be_opened_stop_the_batch_and_blame_no_call(store, folder, workers):
    with pytest.raises(SetupError, match="no weights"):
        batch(store, folder, workers=workers, opener=without_weights)
    assert store.failures() == []
    assert batch(store, folder).analysed == 3


def test_workers(store, folder):
    write_call(folder / "kill.wav", 11)
    write_call(folder / "bomb.wav", 12)
    summary = batch(store, folder, workers=2)
    assert (summary.analysed, summary.exit_code) == (3, 1)
    assert failures(store) == {("kill.wav", "speech", "worker_died"), ("bomb.wav", "speech", "unexpected")}
    with pytest.raises(SetupError, match="at its start"):
        batch(store, folder, workers=2, opener=dies_at_start, retry=True)


SCRIPT = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from batch.fakes import open_fakes
    from batch.test_batch import Watch
    from callanalysis.batch import Request, run
    from callanalysis.settings import Settings
    from callanalysis.store.db import open_store

    class Printing(Watch):
        def done(self, result, seconds):
            print(result.metadata.call_id if result else "-", flush=True)

    if __name__ == "__main__":
        request = Request(Path({folder!r}), Settings(), workers={workers})
        summary = run(request, open_store({db!r}), Printing(), open_fakes)
        print(summary.analysed, summary.stored, summary.elsewhere, flush=True)
"""


def start(tmp_path, folder, workers=1):
    script = tmp_path / "script.py"
    values = {
        "tests": str(Path(__file__).parents[1]),
        "folder": str(folder),
        "db": str(tmp_path / "calls.db"),
    }
    script.write_text(textwrap.dedent(SCRIPT.format(**values, workers=workers)))
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)


def slow_calls(tmp_path, count):
    for seed in range(count):
        write_call(tmp_path / "slow" / f"slow-{seed:02}.wav", 100 + seed, seconds=1)
    return tmp_path / "slow"


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_it_goes_on(tmp_path, store, workers):
    folder = slow_calls(tmp_path, 12)
    process = start(tmp_path, folder, workers)
    done = [process.stdout.readline().strip() for _ in range(4)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = set(store.calls()["call_id"])
    assert set(done) <= stored
    assert len(stored) < 12
    if workers > 1:
        time.sleep(1)  # its workers notice that it is gone
    summary = batch(store, folder)
    assert summary.analysed + len(stored) == 12
    assert (summary.elsewhere, summary.exit_code) == (0, 0)
    assert store.count() == 12
    assert all(len(call.transcript.utterances) == 4 for call in store.analyses())


def test_two_at_once_share_the_calls(tmp_path, store):
    folder = slow_calls(tmp_path, 10)
    processes = [start(tmp_path, folder), start(tmp_path, folder)]
    ends = [process.communicate(timeout=60)[0].split()[-3:] for process in processes]
    assert sum(int(end[0]) for end in ends) == 10
    assert store.count() == 10
    assert all(process.returncode == 0 for process in processes)


def test_a_result_that_the_store_cannot_take_is_a_failure(store, folder, monkeypatch):
    def surrogate(settings):
        stages = open_fakes(settings)
        tag = stages.tagger.tag_call

        def spoiled(utterances):
            called = tag(utterances)
            first = replace(called.utterances[0], text="\ud800")
            return replace(called, utterances=(first, *called.utterances[1:]))

        stages.tagger.tag_call = spoiled
        return stages

    summary = batch(store, folder, opener=surrogate)
    assert {failure.stage for failure in summary.failures} == {"store"}
    assert store.count() == 0
