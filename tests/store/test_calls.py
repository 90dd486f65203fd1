from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from callanalysis.schema import Promise
from callanalysis.store.db import Store
from callanalysis.store.filters import CallFilter

from .examples import a_call


def ids(store: Store, **conditions: object) -> list[str]:
    return store.calls(CallFilter(**conditions))["call_id"].tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        a_call(),
        a_call(
            "C-2", "一个人说的话", extra={"备注": "老客户", "=cmd": "1"}, balance=3500.5, collector_channel=1
        ),
        replace(a_call("C-3"), sound=None, call_tags=None, tags=(), measures=()),
        replace(
            a_call("C-4"), promise=Promise(3500.0, date(2026, 6, 18), "full", 1), findings=({"rule": "x"},)
        ),
        a_call("C-5", started_at=None),
    ],
    ids=lambda call: call.metadata.call_id,
)
def test_a_call_comes_back_as_it_was_saved(store, call):
    store.save(call)
    assert store.call(call.metadata.call_id) == call
    assert store.identity(call.metadata.call_id) == call.identity_hash
    assert list(store.analyses()) == [call]


def test_saving_again_replaces_the_call(store):
    store.save(a_call("C-1", "第一次说的话", "明天还款"))
    store.save(a_call("C-1", "第二次"))
    assert store.call("C-1") == a_call("C-1", "第二次")
    assert store.count() == 1
    assert ids(store, search="明天还款") == []
    assert ids(store, search="第二次") == ["C-1"]


def test_an_unknown_call(store):
    assert store.call("none") is None
    assert store.identity("none") is None
    assert store.calls().empty
    assert store.count() == 0
    assert store.facets().collectors == ()


def test_a_removed_call_leaves_nothing(store):
    store.save(a_call("C-1"))
    assert store.remove("C-1")
    assert not store.remove("C-1")
    assert store.call("C-1") is None
    assert store.utterance_tags().empty
    assert ids(store, search="分期还款") == []


def test_a_corrected_list_changes_only_what_the_list_says(store):
    store.save(a_call("C-1", team="一组"))
    corrected = replace(a_call("C-1").metadata, team="二组", extra={"note": "x"})
    store.save_metadata(corrected)
    assert store.call("C-1") == replace(a_call("C-1"), metadata=corrected)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("分期", ["C-1"]),  # two characters, as most Chinese words
        ("期", ["C-1"]),
        ("下个月分期还款", ["C-1"]),
        ("分月", []),
        ("分期 王建国", ["C-1"]),
        ("分期 没有", []),
        ("payment", ["C-2"]),
        ("PAY", ["C-2"]),
        ("尾号6238", ["C-3"]),
        ("号6", ["C-3"]),
        ('"; DROP TABLE calls; --', []),
        ("100%", ["C-2"]),
        ("_", []),
        ("* OR NEAR(", ["C-2"]),
    ],
)
def test_search(store, wanted, found):
    store.save(a_call("C-1"))
    store.save(a_call("C-2", "You can make a payment, 100% safe or near.", "Ok."))
    store.save(a_call("C-3", "尾号6238的卡"))
    assert sorted(ids(store, search=wanted)) == found


def test_filters(store):
    at = a_call().metadata.started_at
    store.save(a_call("C-1", collector_id="K1", collector_name="林晓云", team="一组", product="消费贷"))
    store.save(
        a_call("C-2", risk=("insult",), collector_id="K2", team="二组", started_at=at + timedelta(days=1))
    )
    store.save(replace(a_call("C-3", started_at=None), call_tags=None))
    assert ids(store, collectors=("K1",)) == ["C-1"]
    assert ids(store, teams=("一组", "二组")) == ["C-2", "C-1"]
    assert ids(store, products=("消费贷",)) == ["C-1"]
    assert ids(store, languages=("en",)) == []
    assert ids(store, willingness=("medium",)) == ["C-2", "C-1"]
    assert ids(store, risks=("insult", "threat_visit")) == ["C-2"]
    assert ids(store, intents=("greet",)) == ["C-2", "C-1", "C-3"]
    assert ids(store, started_from=at + timedelta(hours=1)) == ["C-2"]
    assert ids(store, started_to=at.astimezone(UTC) + timedelta(days=1)) == ["C-1"]
    assert ids(store, limit=1, offset=1) == ["C-1"]
    assert store.count(CallFilter(limit=1)) == 3


@pytest.mark.parametrize("descending", [True, False])
def test_calls_without_the_value_come_last(store, descending):
    for call_id, balance in (("C-1", 5.0), ("C-2", None), ("C-3", 9.0)):
        store.save(a_call(call_id, balance=balance))
    found = ids(store, order_by="balance", descending=descending)
    assert found == (["C-3", "C-1", "C-2"] if descending else ["C-1", "C-3", "C-2"])


def test_an_order_by_a_column_unknown_is_refused():
    with pytest.raises(ValueError, match="order_by 'id; DROP'"):
        CallFilter(order_by="id; DROP")


def test_the_frame_of_calls(store):
    store.save(a_call("C-1", risk=("insult", "threat_visit"), days_past_due=12))
    row = store.calls().iloc[0]
    assert row["started_at"] == datetime(2026, 6, 11, 2, 12, tzinfo=UTC)
    assert row["started_local"] == datetime(2026, 6, 11, 10, 12)
    assert row["days_past_due"] == 12
    assert row["risk_count"] == 1
    assert row["risk_labels"] == "insult,threat_visit"
    assert row["talk_share"] == 0.55
    assert row["pace_debtor"] != row["pace_debtor"]  # not available


def test_labels_are_counted_per_call(store):
    store.save(a_call("C-1", "您好", "好", "您好", "行", risk=("insult",), collector_id="K1"))
    found = {(t.role, t.axis, t.label): t.n for t in store.utterance_tags().itertuples()}
    assert found == {
        ("collector", "intent", "greet"): 2,
        ("collector", "intent", "verify_identity"): 2,
        ("collector", "risk", "insult"): 1,
        ("debtor", "intent", "request_instalment"): 2,
    }


def test_facets(store):
    store.save(a_call("C-1", collector_id="K1", collector_name="林晓云", team="一组", product="消费贷"))
    store.save(a_call("C-2", collector_id="K2"))
    facets = store.facets()
    assert facets.collectors == (("K1", "林晓云"), ("K2", None))
    assert (facets.teams, facets.products, facets.languages) == (("一组",), ("消费贷",), ("zh",))
    assert facets.first_start == facets.last_start == datetime(2026, 6, 11, 2, 12, tzinfo=UTC)
