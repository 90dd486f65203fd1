from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callanalysis import batch
from callanalysis.cli import app, main
from callanalysis.cli.printing import printable
from callanalysis.cli.progress import Estimate, LineWatcher
from callanalysis.schema import Failure
from callanalysis.store.db import open_store

from .fakes import open_fakes, write_call
from .test_batch import LINE, listed, written


@pytest.fixture
def db(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLANALYSIS_DB", f"sqlite:///{tmp_path / 'calls.db'}")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(batch, "open_models", open_fakes)
    return tmp_path / "calls.db"


def call(*arguments) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_run_failures_export_show(db, tmp_path):
    for seed, name in enumerate(("C-1", "C-2", "mute")):
        write_call(tmp_path / "in" / f"{name}.wav", seed)
    text = "call_id,debtor_name,number_dialled,balance\nC-1,王建国,199-0000-0101,-1\n"
    calls = listed(tmp_path / "calls.csv", text)
    code, out, err = call("run", tmp_path / "in", "--calls", calls)
    assert code == 1
    assert "2 analysed, 1 failed" in out
    assert "calls.csv, line 2, balance" in err
    assert "mute.wav" in err
    assert "3 of 3 calls" in err

    code, out, err = call("failures")
    assert (code, "no speech" in out, err.strip()) == (0, True, "1 failure")
    code, out, _ = call("failures", "--lang", "zh")
    assert "处理办法" in out

    code, out, err = call("export", "calls", "--format", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["id"] for line in lines] == ["C-1", "C-2"]
    assert lines[0]["metadata"]["debtor_name"] == "王建国"
    assert err.strip() == "2 calls written"
    code, out, err = call("export", "calls", "--mask", "--out", tmp_path / "out.jsonl")
    assert (code, out) == (0, "")
    assert "王**" in (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    code, out, err = call("export", "calls", "--format", "csv", "--out", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert not list(tmp_path.glob("*.part"))

    code, out, err = call("show", "C-1")
    assert "王**" in out
    assert "王建国" not in out
    assert "Willingness" in out
    assert "high" in out.lower()
    code, out, err = call("show", "C-1", "--unmasked", "--lang", "zh")
    assert "王建国" in out
    assert "199-0000-0101" in out
    assert "还款意愿" in out
    assert "催收员" in out


def test_run_again_and_with_options(db, tmp_path):
    path = written(tmp_path / "t.jsonl", LINE)
    assert call("run", path, "--timezone", "Europe/London", "--model", "demo", "--workers", 1)[0] == 0
    code, out, _err = call("run", path)
    assert code == 0
    assert "1 in the store before" in out
    other = tmp_path / "other.db"
    assert call("run", path, "--db", other)[0] == 0
    assert open_store(str(other)).count() == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nowhere"], "nowhere: there is no such file or folder. Correct the path"),
        (["run", "."], "there are no recordings in it"),
        (["show", "C-9"], "call C-9: it is not in"),
        (["export", "calls", "--out", "no/such/folder/x"], "it cannot be written"),
        (["failures", "--db", "no/such/folder/x.db"], "does not exist"),
        (["run", ".", "--calls", "none.csv"], "the list cannot be read"),
    ],
)
def test_errors_are_one_line_and_code_2(db, monkeypatch, capsys, arguments, told):
    monkeypatch.setattr(sys, "argv", ["callanalysis", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_show_of_a_call_that_failed_says_why(db, tmp_path, monkeypatch, capsys):
    write_call(tmp_path / "in" / "mute.wav", 1)
    call("run", tmp_path / "in")
    monkeypatch.setattr(sys, "argv", ["callanalysis", "show", "mute"])
    with pytest.raises(SystemExit):
        main()
    assert "could not be analysed: no speech" in capsys.readouterr().err


def test_a_transcript_cannot_steer_the_terminal():
    assert "\x1b" not in printable("您好\x1b[2J\x1b]0;x\x07")


def test_time_left_goes_by_sound():
    now = [0.0]
    estimate = Estimate(lambda: now[0])
    estimate.planned(4, 400.0)
    assert estimate.left is None
    now[0] = 10.0
    estimate.add(None, 100.0)  # done by another run: no measure of speed
    assert estimate.left is None
    estimate.add(Failure("f", None, "audio", "c", "f", "r", None), 100.0)
    assert estimate.left == pytest.approx(20.0)
    assert str(estimate) == "2 of 4 calls, 3:20 of 6:40 of sound, 20.0 x real time, 0:20 left, 1 failed"


def test_lines_come_now_and_then():
    now, said = [0.0], []
    watch = LineWatcher(said.append, lambda: now[0])
    watch.planned(100, 0.0)
    for _ in range(100):
        now[0] += 1
        watch.done(object(), 0.0)
    assert len(said) == 1 + 3 + 1
    assert said[-1].startswith("100 of 100 calls")


def test_help_needs_no_models():
    assert (
        "torch" not in os.popen(f"{sys.executable} -X importtime -m callanalysis.cli run --help 2>&1").read()
    )
