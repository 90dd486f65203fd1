"""The README is tested: its tree names every module, its commands exist and have help."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READMES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")}
COMMANDS = sorted(
    {
        match
        for text in READMES.values()
        for match in re.findall(r"callanalysis ((?:models |corpus |corrections )?[a-z-]+)(?= |\n|`)", text)
    }
)


@pytest.mark.parametrize("name", READMES)
def test_the_tree_names_every_module(name: str) -> None:
    package = ROOT / "callanalysis"
    wings = {p.name for p in package.iterdir() if p.is_dir() and list(p.glob("*.py"))}
    modules = {p.name for p in package.glob("*.py")} - {"__init__.py"}
    missing = [entry for entry in sorted(wings | modules) if entry not in READMES[name]]
    assert not missing


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    out = subprocess.run(
        [sys.executable, "-m", "callanalysis.cli", *command.split(), "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert out.returncode == 0, out.stderr
    assert "Usage" in out.stdout


def test_every_command_is_in_the_readme() -> None:
    from callanalysis.cli import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    for text in READMES.values():
        assert not [name for name in names | groups if f"callanalysis {name}" not in text]


def test_torch_is_not_loaded_for_help() -> None:
    code = "import sys, callanalysis.cli; sys.exit('torch' in sys.modules or 'whisper' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
