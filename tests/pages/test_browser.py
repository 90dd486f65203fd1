"""A pass through the app in headless Chromium: list, filter, call, sound, language, no outside address."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from .conftest import APP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE = 60_000  # milliseconds; a busy machine loads Streamlit slowly

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app as the user starts it."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    cache = tmp_path_factory.mktemp("cache")
    surroundings = os.environ | {"CALLANALYSIS_DB": f"sqlite:///{seeded}", "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (
        (cache / "log").open("w") as log,
        subprocess.Popen(command, cwd=APP.parent, env=surroundings, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health")
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, requests: list[str]) -> Iterator[Page]:
    """A page of a Chinese browser; every address it asks for goes into `requests`."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    yield page
    context.close()


def test_list_call_and_sound(server: str, page: Page, requests: list[str], tmp_path: Path) -> None:
    page.goto(server)
    page.wait_for_selector("tr[data-row]")
    page.screenshot(path=tmp_path / "calls-zh.png")
    assert page.locator("h1").inner_text() == "通话"

    search = page.get_by_placeholder("搜索通话内容")
    search.fill("全村")
    search.press("Enter")
    page.wait_for_function("document.querySelectorAll('tr[data-row]').length < 30")
    page.wait_for_function("location.search.includes('q=')")
    row = page.locator("tr[data-row='T-0000']")
    row.click()

    page.wait_for_selector(".ca-player[data-call='T-0000'] .ca-axis")
    assert "call=T-0000" in page.url
    assert page.locator(".ca-line mark").inner_text() == "全村"
    page.screenshot(path=tmp_path / "call-zh.png")

    page.locator("#said-4").click()
    page.wait_for_function("document.querySelector('.ca-player audio').currentTime > 10")
    page.wait_for_selector("#said-4.ca-current")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('.ca-player audio').paused")
    before = page.evaluate("document.querySelector('.ca-player audio').currentTime")
    page.keyboard.press("ArrowLeft")
    after = page.evaluate("document.querySelector('.ca-player audio').currentTime")
    assert after == pytest.approx(before - 5, abs=0.3)

    page.locator(".ca-panel a[href='#line-8']").click()
    page.wait_for_selector("#said-8.ca-current")
    page.keyboard.press(" ")
    address = page.evaluate("document.querySelector('.ca-player audio').src")
    answer = page.request.get(address, headers={"Range": "bytes=0-99"})
    assert answer.status == 206
    assert len(answer.body()) == 100

    page.get_by_text("English", exact=True).click()
    page.wait_for_selector("text=What willingness rests on")
    page.wait_for_function("location.search.includes('lang=en') && location.search.includes('call=T-0000')")
    page.wait_for_function("document.querySelector('.ca-player audio').currentTime > 10")  # where it was
    page.screenshot(path=tmp_path / "call-en.png")
    assert any("/recordings/peaks" in request for request in requests)

    page.get_by_role("link", name="All calls").click()
    page.wait_for_selector("tr[data-row='T-0000']")
    assert page.get_by_placeholder("Search what was said").input_value() == "全村"
    page.wait_for_function("location.search.includes('q=')")
    _nothing_from_elsewhere(requests)


def test_collectors_lead_to_their_calls(server: str, page: Page, requests: list[str], tmp_path: Path) -> None:
    page.goto(f"{server}/collectors?lang=en")
    page.wait_for_selector("tr[data-row='C04']")
    page.wait_for_selector(".vega-embed")
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "collectors-en.png")
    page.locator("tr[data-row='C04']").click()
    page.wait_for_function("location.search.includes('collector=C04')")
    page.wait_for_function("document.querySelectorAll('tr[data-row]').length == 2")
    page.get_by_role("button", name="Started").click()
    page.wait_for_function("location.search.includes('sort=started_at')")
    _nothing_from_elsewhere(requests)


def test_pages_of_the_list(server: str, page: Page) -> None:
    page.goto(f"{server}/?lang=en&sort=call_id:up")
    page.wait_for_selector("tr[data-row='T-0000']")
    page.locator(".stMain").get_by_role("button", name="Page 2", exact=True).click()
    page.wait_for_selector("tr[data-row='T-0050']")
    page.wait_for_function("location.search.includes('page=2')")


def test_hostile_words_stay_words(server: str, page: Page) -> None:
    page.goto(f"{server}/call?call=T-0001")
    page.wait_for_selector(".ca-player .ca-axis")
    assert "<script>" in page.locator("#said-1 .ca-text").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator(".ca-player img, .ca-player script").count() == 0


def test_a_bookmark_opens_at_its_line(server: str, page: Page) -> None:
    page.goto(f"{server}/call?call=T-0000&lang=en#line-7")
    page.wait_for_selector("#said-7.ca-current")
    page.wait_for_function("document.querySelector('.ca-player audio').currentTime > 20")


def test_an_address_that_ran_out_is_renewed(server: str, page: Page) -> None:
    refused = {"status": 403, "json": {"code": "expired"}}
    page.route("**/recordings/peaks*", lambda route: route.fulfill(**refused), times=1)
    page.goto(f"{server}/call?call=T-0000")
    page.wait_for_selector(".ca-player .ca-axis")
    page.route("**/recordings/sound*", lambda route: route.fulfill(**refused), times=1)
    page.evaluate("document.querySelector('.ca-player audio').load()")
    page.wait_for_selector(".ca-notice:visible")  # twice within ten seconds is no renewal but a fault


def test_call_without_a_recording_is_readable(server: str, page: Page) -> None:
    page.goto(f"{server}/call?call=T-0005&lang=en")
    page.wait_for_selector(".ca-notice:visible")
    assert "no longer at its place" in page.locator(".ca-notice").inner_text()
    assert page.locator(".ca-line").count() > 5


def _nothing_from_elsewhere(requests: list[str]) -> None:
    """Everything came from this server, or from inside the page."""
    elsewhere = {urlsplit(address).hostname for address in requests if re.match(r"(http|ws)s?:", address)}
    assert elsewhere == {"localhost"}
