"""Corrections: checked, kept beside the machine's tags, never doubled, the newest counts, gone with their call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from callanalysis.errors import InputError, LabelError
from callanalysis.schema import Answer, Correction
from callanalysis.store import calls
from callanalysis.store.corrections import Added, newest
from callanalysis.store.db import Store, open_store
from callanalysis.store.engine import open_engine, writing
from callanalysis.store.schema_version import SCRIPTS

from .examples import a_call

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


def answer(call_id: str = "C-1", utterance: int = 1, **changes: object) -> Answer:
    given = Answer(
        "x.jsonl:1", call_id, utterance, ("promise_vague", "request_instalment"), None, "Reviewer Li"
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def test_a_correction_comes_back_beside_what_the_machine_said(store: Store) -> None:
    store.save(a_call(debtor_name="王建国"))
    assert store.corrections.add([answer()], NOW) == Added(1, 0)
    assert store.corrections.newest() == [
        Correction(
            call_id="C-1",
            utterance=1,
            language="zh",
            debtor_name="王建国",
            role="debtor",
            context=(("collector", "您好，请问是王建国先生吗？"),),
            text="是我，我下个月分期还款。",
            machine_intent=("request_instalment",),
            machine_risk=(),
            intent=("promise_vague", "request_instalment"),
            risk=None,
            reviewer="Reviewer Li",
            at=NOW,
            tags_version="tagger 1",
        )
    ]
    assert store.call("C-1") == a_call(debtor_name="王建国")


def test_the_newest_counts_and_the_older_is_kept(store: Store) -> None:
    store.save(a_call())
    first = answer(intent=("refuse",))
    by_other = answer(intent=("cannot_pay",), reviewer="Reviewer Zhao")
    store.corrections.add([first], NOW)
    store.corrections.add([by_other], NOW + timedelta(hours=1))
    assert [(c.intent, c.reviewer) for c in store.corrections.newest()] == [
        (("cannot_pay",), "Reviewer Zhao")
    ]
    assert [c.intent for c in store.corrections.every()] == [("refuse",), ("cannot_pay",)]
    earlier = answer(intent=("complain",), reviewer="Reviewer Sun", at=NOW - timedelta(days=1))
    store.corrections.add([earlier], NOW + timedelta(hours=2))
    assert store.corrections.newest()[0].intent == ("cannot_pay",)


def test_an_answer_on_one_axis_leaves_the_other(store: Store) -> None:
    store.save(a_call(risk=("insult",)))
    store.corrections.add([answer(utterance=0, intent=None, risk=())], NOW)
    store.corrections.add([answer(utterance=0, intent=("greet",))], NOW + timedelta(hours=1))
    (found,) = store.corrections.newest()
    assert (found.intent, found.risk, found.machine_risk) == (("greet",), (), ("insult",))


def test_nothing_is_doubled(store: Store) -> None:
    store.save(a_call())
    answers = [answer(), answer(reviewer="Reviewer Zhao"), answer(at=NOW)]
    assert store.corrections.add(answers, NOW) == Added(3, 0)
    again = [replace(one, where="other.jsonl:7") for one in answers]
    assert store.corrections.add([*again, answer(at=NOW + timedelta(1))], NOW) == Added(1, 3)
    assert len(store.corrections.every()) == 4


def test_a_call_tagged_and_heard_anew_changes_no_correction(store: Store) -> None:
    store.save(a_call())
    store.corrections.add([answer()], NOW)
    before = store.corrections.every()
    store.save(
        replace(a_call("C-1", "完全不同的一句话", "好"), versions=replace(a_call().versions, tags="2"))
    )
    assert store.corrections.every() == before
    store.corrections.add([answer(intent=("acknowledge",))], NOW)
    assert [c.text for c in store.corrections.newest()] == ["好", before[0].text]  # two different utterances


def test_the_same_answer_on_other_words_is_another(store: Store) -> None:
    store.save(a_call())
    store.corrections.add([answer()], NOW)
    store.save(a_call("C-1", "您好", "完全不同的一句话"))
    assert store.corrections.add([answer()], NOW) == Added(1, 0)
    assert {c.text for c in store.corrections.newest()} == {"是我，我下个月分期还款。", "完全不同的一句话"}


def test_an_answer_under_another_speaker_is_not_mixed_with_it(store: Store) -> None:
    store.save(a_call())
    store.corrections.add([answer(intent=("refuse",))], NOW)
    as_debtor = store.corrections.every()[0]
    as_collector = replace(as_debtor, role="collector", intent=None, risk=("insult",))
    assert newest([as_debtor, as_collector]) == [as_collector, as_debtor]


def test_a_removed_call_takes_its_corrections_along(store: Store) -> None:
    store.save(a_call())
    store.corrections.add([answer()], NOW)
    store.remove("C-1")
    assert store.corrections.every() == []


@pytest.mark.parametrize(
    ("bad", "error", "fault"),
    [
        (answer("C-9"), InputError, "call 'C-9' is not in the store"),
        (answer(utterance=2), InputError, "call 'C-1' has no utterance 2"),
        (answer(intent=("nice",)), LabelError, "unknown label 'nice'"),
        (answer(intent=("greet",)), InputError, "'greet' is not said by the debtor"),
        (answer(intent=()), InputError, "no intent label"),
        (answer(intent=("other", "refuse")), InputError, "other beside another intent"),
        (answer(intent=None, risk=("insult",)), InputError, "risk label on a debtor's turn"),
        (answer("C-2"), InputError, "no tags yet"),
        (answer("C-3"), InputError, "no known speaker"),
    ],
)
def test_one_bad_answer_keeps_all_out(store: Store, bad: Answer, error: type[InputError], fault: str) -> None:
    store.save(a_call())
    store.save(replace(a_call("C-2"), tags=(), call_tags=None))
    nobody = a_call("C-3")
    said = tuple(replace(u, role="unknown") for u in nobody.transcript.utterances)
    store.save(replace(nobody, transcript=replace(nobody.transcript, utterances=said)))
    with pytest.raises(error, match=fault) as caught:
        store.corrections.add([answer(), replace(bad, where="x.jsonl:2")], NOW)
    assert caught.value.subject == "x.jsonl:2"
    assert caught.value.remedy
    assert store.corrections.every() == []


def test_a_store_of_the_first_version_keeps_its_calls_and_takes_corrections(tmp_path: Path) -> None:
    path = str(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with writing(open_engine(path)).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        calls.write(connection, a_call(), NOW)
    store = open_store(path)
    assert store.call("C-1") == a_call()
    assert store.corrections.add([answer()], NOW) == Added(1, 0)
