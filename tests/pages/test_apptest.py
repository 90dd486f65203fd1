"""Every page on an empty and on a full store, in both languages, without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from .conftest import APP
from .seed import HOSTILE

PAGES = ("calls", "call", "collectors", "failures")
TITLES = {
    "zh": {"calls": "通话", "collectors": "催收员", "failures": "失败"},
    "en": {"calls": "Calls", "collectors": "Collectors", "failures": "Failures"},
}


def open_page(page: str, language: str, /, **params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in (params | {"lang": language}).items():
        app.query_params[name] = value
    if page != "calls":
        app.switch_page(f"callanalysis/pages/{page}.py")
    return app.run()


def html_of(app: AppTest) -> str:
    return "\n".join(str(x.proto.body) for x in app.get("html"))


def components(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(x.proto.mixed.json or x.proto.json) for x in app.get("bidi_component")]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_an_empty_store(empty: Path, page: str, language: str) -> None:
    app = open_page(page, language)
    assert not app.exception
    assert TITLES[language].get(page, "") in html_of(app)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_a_full_store(full: Path, page: str, language: str) -> None:
    app = open_page(page, language, **({"call": "T-0000"} if page == "call" else {}))
    assert not app.exception
    assert components(app)


def test_empty_store_says_what_to_do(empty: Path) -> None:
    assert "callanalysis run recordings/ --calls calls.csv" in html_of(open_page("calls", "en"))
    assert "还没有通话" in html_of(open_page("calls", "zh"))


def test_the_address_sets_filters_and_order(full: Path) -> None:
    (grid,) = components(open_page("calls", "en", collector="C04", sort="balance:up"))
    assert [row["cells"][2]["text"] for row in grid["rows"]] == ["Anna Reed"] * 2
    assert grid["sort"] == {"key": "balance", "descending": False}


def test_a_search_that_finds_nothing_says_so(full: Path) -> None:
    assert "No call fits these filters" in html_of(open_page("calls", "en", q="zzzz"))


def test_a_filter_narrows_the_list_and_is_kept(full: Path) -> None:
    app = open_page("calls", "en")
    app.multiselect(key="calls.willingness").select("high")
    app.run()
    (grid,) = components(app)
    assert {row["cells"][8]["text"] for row in grid["rows"]} == {"High"}
    assert app.query_params["willingness"] == "high"


def test_pages_of_the_list(full: Path) -> None:
    pages = [
        components(open_page("calls", "en", sort="call_id:up", page=page))[0] for page in ("1", "2", "9")
    ]
    assert [len(grid["rows"]) for grid in pages] == [50, 10, 10]
    assert pages[1]["rows"][0]["id"] == "T-0050"


def test_days_in_the_address_are_both_shown(full: Path) -> None:
    app = open_page("calls", "en", **{"from": "2026-06-02", "to": "2026-06-02"})
    (grid,) = components(app)
    assert grid["rows"]
    assert {row["cells"][0]["text"][:10] for row in grid["rows"]} <= {
        "2 Jun 2026",
        "3 Jun 2026",
    }  # other zones


def test_the_switch_changes_the_language_and_the_address(full: Path) -> None:
    app = open_page("calls", "en")
    switch: Any = app.get("button_group")[0]
    switch.set_value("zh").run()
    assert "通话" in html_of(app)
    assert app.query_params["lang"] == "zh"


def test_hostile_text_is_data_and_never_markup(full: Path) -> None:
    app = open_page("call", "en", call="T-0001")
    (player,) = components(app)
    assert player["lines"][1]["text"] == HOSTILE
    assert "<script" not in html_of(app).lower()
    assert "<img" not in html_of(app).lower()


def test_unknown_call_is_told_calmly(full: Path) -> None:
    app = open_page("call", "en", call="<b>nothing</b>")
    assert not app.exception
    assert "&lt;b&gt;nothing&lt;/b&gt;" in html_of(app)


@pytest.mark.parametrize(
    ("call", "notice"),
    [("T-0002", "imported as a transcript"), ("T-0005", "no longer at its place")],
)
def test_call_without_sound_has_its_transcript(full: Path, call: str, notice: str) -> None:
    (player,) = components(open_page("call", "en", call=call))
    assert player["sound"] is None
    assert notice in player["notice"]
    assert player["lines"]


def test_sound_plays_by_streamlit_where_the_routes_are_missing(full: Path) -> None:
    app = open_page("call", "en", call="T-0000")
    assert len(app.get("audio")) == 1
    assert "streamlit run app.py" in components(app)[0]["notice"]


def test_names_and_numbers_are_masked(full: Path) -> None:
    app = open_page("call", "zh", call="T-0000")
    shown = html_of(app) + json.dumps(components(app), ensure_ascii=False)
    assert "王建国" not in shown
    assert "199-0000-0101" not in shown
    assert "王**" in shown


def test_failures_are_told_in_the_language(full: Path) -> None:
    (grid,) = components(open_page("failures", "zh"))
    assert any("录音长 6.5 小时" in row["cells"][3]["text"] for row in grid["rows"])


def test_a_damaged_database_is_told(broken_store: Path) -> None:
    app = open_page("calls", "en")
    assert not app.exception
    assert "is no database" in html_of(app)


def test_app_opens_without_torch() -> None:
    code = (
        "import app, sys, importlib, pkgutil, callanalysis.pages as p\n"
        "scripts = {'calls', 'call', 'collectors', 'failures'}\n"
        "[importlib.import_module(f'callanalysis.pages.{m.name}') for m in pkgutil.iter_modules(p.__path__)"
        " if m.name not in scripts]\n"
        "print([m for m in ('torch', 'whisper', 'transformers', 'onnxruntime') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=APP.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
