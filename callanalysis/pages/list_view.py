"""What the list of calls shows: filters, order and page, to and from the address and the store's filter.

Pure functions; the address carries names and ids, never display names, so that it holds in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from callanalysis.labels import INTENT_NAMES, RISK_NAMES, WILLINGNESS
from callanalysis.store.filters import CallFilter

PAGE_SIZE = 50  # calls
ANY_RISK = "any"  # in place of a label: calls with any risk
SORTS = (
    "started_at",
    "call_id",
    "collector_name",
    "product",
    "days_past_due",
    "balance",
    "duration",
    "willingness_score",
    "risk_count",
    "talk_share",
)
_MANY = ("collector", "team", "product", "spoken", "willingness", "risk", "intent")
_KNOWN = {
    "willingness": {label.name for label in WILLINGNESS},
    "risk": {ANY_RISK, *RISK_NAMES},
    "intent": set(INTENT_NAMES),
}

Params = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class ListView:
    """The state of the list; `first` and `last` are days, both included."""

    search: str = ""
    collector: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    willingness: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    order_by: str = "started_at"
    descending: bool = True
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return any((self.search, self.first, self.last, *(getattr(self, name) for name in _MANY)))


def from_params(params: Mapping[str, Sequence[str]]) -> ListView:
    """Return the view of an address; what it says wrongly is left out."""
    many = {name: tuple(dict.fromkeys(_known(name, params.get(name, ())))) for name in _MANY}
    order, _, direction = _last(params, "sort").partition(":")
    page = _last(params, "page")
    return ListView(
        search=_last(params, "q"),
        **many,
        first=_day(_last(params, "from")),
        last=_day(_last(params, "to")),
        order_by=order if order in SORTS else "started_at",
        descending=direction != "up",
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
    )


def to_params(view: ListView) -> Params:
    """Return the address of a view; what is as always is left out."""
    params: Params = {name: list(getattr(view, name)) for name in _MANY if getattr(view, name)}
    single = {
        "q": view.search,
        "from": view.first.isoformat() if view.first else "",
        "to": view.last.isoformat() if view.last else "",
        "sort": _sort(view),
        "page": str(view.page) if view.page > 1 else "",
    }
    return params | {name: [value] for name, value in single.items() if value}


def to_filter(view: ListView, zone: tzinfo) -> CallFilter:
    """Return the store's filter for a page of the view; days are those of `zone`."""
    return CallFilter(
        search=view.search,
        collectors=view.collector,
        teams=view.team,
        products=view.product,
        languages=view.spoken,
        willingness=view.willingness,
        risks=RISK_NAMES if ANY_RISK in view.risk else view.risk,
        intents=view.intent,
        started_from=_midnight(view.first, zone),
        started_to=_midnight(view.last + timedelta(days=1), zone) if view.last else None,
        order_by=view.order_by,
        descending=view.descending,
        limit=PAGE_SIZE,
        offset=(view.page - 1) * PAGE_SIZE,
    )


def _sort(view: ListView) -> str:
    if view.order_by == "started_at" and view.descending:
        return ""
    return f"{view.order_by}:{'down' if view.descending else 'up'}"


def _known(name: str, values: Sequence[str]) -> list[str]:
    return [value for value in values if value and value in _KNOWN.get(name, {value})]


def _last(params: Mapping[str, Sequence[str]], name: str) -> str:
    values = params.get(name, ())
    return values[-1] if values else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return datetime.combine(day, time(), tzinfo=zone) if day else None
