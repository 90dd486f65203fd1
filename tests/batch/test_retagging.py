"""Tags made anew over stored calls: only those of other versions, one transaction each, faults kept apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callanalysis.retagging import retag
from callanalysis.store.db import Store, open_store

from .fakes import FakeTagger
from .test_export import a_call


class OtherTagger(FakeTagger):
    version = "fake tagger 2"


def no_report(number: int, of: int) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(str(tmp_path / "calls.db"))
    for number in range(3):
        call = a_call()
        opened.save(
            replace(
                call,
                metadata=replace(call.metadata, call_id=f"C-{number}"),
                transcript=replace(call.transcript, call_id=f"C-{number}"),
            )
        )
    return opened


def test_tags_and_version_change_and_nothing_else(store: Store) -> None:
    before = store.call("C-1")
    heard: list[tuple[int, int]] = []
    outcome = retag(store, OtherTagger(), lambda number, of: heard.append((number, of)))
    assert (outcome.done, outcome.current, outcome.failed) == (3, 0, ())
    assert heard == [(1, 3), (2, 3), (3, 3)]
    after = store.call("C-1")
    assert before is not None
    assert after is not None
    assert [tag.intent for tag in after.tags] == [("other",), ("other",)]
    assert after.versions == replace(before.versions, tags="fake tagger 2")
    same = replace(before, tags=after.tags, call_tags=after.call_tags, versions=after.versions)
    assert after == same


def test_a_second_start_does_only_what_is_left(store: Store) -> None:
    class StopError(Exception): ...

    def stop(number: int, of: int) -> None:
        raise StopError

    with pytest.raises(StopError):
        retag(store, OtherTagger(), stop)
    outcome = retag(store, OtherTagger(), no_report)
    assert (outcome.done, outcome.current) == (2, 1)
    assert retag(store, OtherTagger(), no_report).done == 0


def test_a_call_that_fails_keeps_its_tags_and_stops_no_other(store: Store) -> None:
    call = store.call("C-1")
    assert call is not None
    said = (replace(call.transcript.utterances[0], text="爆"), *call.transcript.utterances[1:])
    store.save(replace(call, transcript=replace(call.transcript, utterances=said)))
    outcome = retag(store, OtherTagger(), no_report)
    assert (outcome.done, outcome.failed) == (2, ("C-1",))
    kept = store.call("C-1")
    assert kept is not None
    assert kept.versions.tags == "t 1"
    assert kept.tags[0].intent == ("greet",)
