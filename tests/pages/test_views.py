"""What the pages are given to show: addresses, the table of calls, the player's data, panels."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from callanalysis.i18n import words_of
from callanalysis.labels import RISK_NAMES
from callanalysis.pages import panels
from callanalysis.pages.call_view import merged, player_data
from callanalysis.pages.calls_table import calls_grid
from callanalysis.pages.components import grid_script, player_script
from callanalysis.pages.list_view import ListView, from_params, to_filter, to_params
from callanalysis.pages.masking import masked_call, masked_text
from callanalysis.schema import CallAnalysis, SpeechRegion
from callanalysis.store.db import Store, open_store
from callanalysis.store.filters import CallFilter

from .seed import HOSTILE

EN, ZH = words_of("en"), words_of("zh")


@pytest.fixture(scope="module")
def store(seeded: Path) -> Store:
    return open_store(f"sqlite:///{seeded}")


def stored(store: Store, call_id: str) -> CallAnalysis:
    found = store.call(call_id)
    assert found
    return found


VIEW = ListView(
    search="分期 pay",
    collector=("C01", "C 2&"),
    risk=("insult", "any"),
    willingness=("low",),
    first=date(2026, 6, 1),
    last=date(2026, 6, 2),
    order_by="balance",
    descending=False,
    page=3,
)


@pytest.mark.parametrize("view", [ListView(), VIEW, ListView(spoken=("zh",)), ListView(descending=False)])
def test_view_survives_the_address(view: ListView) -> None:
    assert from_params(to_params(view)) == view


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "password:down"),
        ("page", "-1"),
        ("page", "9" * 30),
        ("from", "soon"),
        ("risk", "rude"),
        ("intent", "x"),
    ],
)
def test_nonsense_in_the_address_is_left_out(name: str, value: str) -> None:
    assert from_params({name: [value]}) == ListView()


def test_view_as_a_filter() -> None:
    found = to_filter(VIEW, UTC)
    assert found.risks == RISK_NAMES
    assert (found.limit, found.offset) == (50, 100)
    assert found.started_from == datetime(2026, 6, 1, tzinfo=UTC)
    assert found.started_to == datetime(2026, 6, 3, tzinfo=UTC)  # exclusive: the whole of the last day


@pytest.mark.parametrize("words", [ZH, EN])
def test_table_of_calls(store: Store, words: Any) -> None:
    grid = calls_grid(store.calls(CallFilter(order_by="call_id", descending=False)), ListView(), words)
    assert all(len(row["cells"]) == len(grid["columns"]) for row in grid["rows"])
    first = grid["rows"][0]
    assert first["id"] == "T-0000"
    assert first["href"] == f"call?call=T-0000&lang={words.language}"
    assert first["cells"][10]["chips"][0]["text"] == words.label("threat_exposure", "risk")


def test_player_is_given_lines_regions_and_risks(store: Store) -> None:
    data = player_data(stored(store, "T-0000"), EN, {"sound": "/s", "peaks": "/p"})
    assert [lane["name"] for lane in data["lanes"]] == ["Collector", "Debtor"]
    assert {region["channel"] for region in data["speech"]} == {0, 1}
    assert len(data["risks"]) == 1
    risky = [line for line in data["lines"] if line["risky"]]
    assert [chip["kind"] for chip in risky[0]["chips"]] == ["risk"]
    assert "Compliance risk" in risky[0]["chips"][0]["title"]


def test_mono_has_one_lane_and_says_how_sure_roles_are(store: Store) -> None:
    data = player_data(stored(store, "T-0003"), ZH, {"sound": "/s", "peaks": "/p"})
    assert [lane["name"] for lane in data["lanes"]] == ["双方"]
    assert data["lines"][0]["confidence"]["text"].startswith("推测 ")


def test_regions_are_drawn_together_over_small_gaps() -> None:
    regions = (SpeechRegion(0, 0, 1), SpeechRegion(0, 1.2, 2), SpeechRegion(1, 1, 2), SpeechRegion(0, 3, 4))
    assert merged(regions) == [SpeechRegion(0, 0, 2), SpeechRegion(0, 3, 4), SpeechRegion(1, 1, 2)]


@pytest.mark.parametrize("words", [ZH, EN])
@pytest.mark.parametrize("call", ["T-0000", "T-0001", "T-0002", "T-0003"])
def test_panels_hold_no_markup_of_a_caller(store: Store, call: str, words: Any) -> None:
    html = panels.all_panels(masked_call(stored(store, call)), words)
    assert HOSTILE not in html
    assert "<script" not in html
    assert "<img" not in html


def test_measures_say_why_they_are_missing(store: Store) -> None:
    html = panels.measures(stored(store, "T-0003"), EN)
    assert "Not available, both sides are on one channel: Talk time of the collector, " in html
    assert "Share of silence" in html


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("王建国先生，您欠3500元", "王建国", "王**先生，您欠3500元"),
        ("my number is 555-0123-4567", None, "my number is ***-****-****"),
        ("Hi Peter, is that peter young?", "Peter Young", "Hi P., is that p. y.?"),
        ("Petersburg", "Peter", "Petersburg"),
        ("nothing to hide", "", "nothing to hide"),
    ],
)
def test_masked_text(text: str, name: str | None, shown: str) -> None:
    assert masked_text(text, name) == shown


def test_scripts_are_whole_and_fetch_nothing_from_elsewhere() -> None:
    for script in (player_script(), grid_script()):
        assert script.count("export default") == 1
        assert "innerHTML" not in script.split("// Building blocks")[1]
        assert "https://" not in script
