"""The sound of calls over HTTP: signed addresses, ranges, refusals, and the bounded cache."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.applications import Starlette
from starlette.testclient import TestClient

from callanalysis.errors import RecordingError
from callanalysis.pages import sound, sound_cache
from callanalysis.schema import Sound
from callanalysis.store.db import open_store

NOW = 1_800_000_000.0


@pytest.fixture
def client(full: Path) -> TestClient:
    store = open_store(f"sqlite:///{full}")

    def find(call_id: str) -> Sound | None:
        found = store.call(call_id)
        return found.sound if found else None

    return TestClient(Starlette(routes=sound.routes(find)))


@pytest.fixture(autouse=True)
def _unserved() -> Iterator[None]:
    yield
    sound._served.clear()


def test_whole_file(client: TestClient) -> None:
    answer = client.get(sound.addresses("T-0000")["sound"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content[:4] == b"RIFF"


def test_a_range_is_answered_by_the_range(client: TestClient) -> None:
    address = sound.addresses("T-0000")["sound"]
    whole = client.get(address).content
    answer = client.get(address, headers={"Range": "bytes=1000-1999"})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert answer.content == whole[1000:2000]


def test_peaks_have_both_channels(client: TestClient) -> None:
    found = client.get(sound.addresses("T-0000")["peaks"]).json()
    assert len(found["peaks"]) == 2
    assert max(map(max, found["peaks"])) == 1.0
    assert 30 < found["duration"] < 90
    assert client.get(sound.addresses("T-0000")["peaks"]).json() == found


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 403),
        ("?call=T-0000", 403),
        ("?call=T-0000&token=9999999999.00", 403),
        ("?call=T-0000&token=é.é", 403),
    ],
)
def test_without_a_token_there_is_nothing(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/recordings/sound{query}").status_code == status


def test_a_token_opens_its_own_call_alone(client: TestClient) -> None:
    token = sound.sign("T-0000", time.time())
    assert client.get("/recordings/sound", params={"call": "T-0003", "token": token}).status_code == 403


def test_tokens_run_out() -> None:
    token = sound.sign("T-0000", NOW)
    assert sound.is_valid("T-0000", token, NOW + sound.HOUR)
    assert not sound.is_valid("T-0000", token, NOW + 2 * sound.HOUR)


@pytest.mark.parametrize("call", ["T-0002", "T-0005", "none"])
def test_a_call_without_sound_is_refused_with_a_code(client: TestClient, call: str) -> None:
    answer = client.get(sound.addresses(call)["sound"])
    assert (answer.status_code, answer.json()) == (404, {"code": "missing"})


def recording(path: Path) -> tuple[Path, str]:
    soundfile.write(path, np.zeros((8000, 2)), 8000)
    return path, sound_cache._sha256(path)


def test_a_deleted_recording_leaves_nothing_behind(tmp_path: Path) -> None:
    path, digest = recording(tmp_path / "a.wav")
    cache = tmp_path / "cache"
    cache.mkdir()
    sound_cache.peaks(sound_cache.playable(path, digest, cache))
    assert len(list(cache.iterdir())) == 2
    path.unlink()
    with pytest.raises(RecordingError):
        sound_cache.playable(path, digest, cache)
    assert not list(cache.iterdir())


def test_another_recording_at_the_place_is_not_played(tmp_path: Path) -> None:
    path, _ = recording(tmp_path / "a.wav")
    with pytest.raises(RecordingError) as caught:
        sound_cache.playable(path, "0" * 64, tmp_path)
    assert caught.value.code == "changed"


def test_the_cache_is_bounded_and_forgets_the_oldest(tmp_path: Path) -> None:
    for age, name in ((3, "old"), (2, "middle"), (1, "new")):
        file = tmp_path / f"{name}.wav"
        file.write_bytes(bytes(100))
        os.utime(file, (NOW - age, NOW - age))
    sound_cache.trim(tmp_path, 200)
    assert {file.stem for file in tmp_path.glob("*.wav")} == {"middle", "new"}
