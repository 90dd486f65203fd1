"""Full text over what was said: one document per call, Chinese cut into overlapping pairs of characters.

SQLite gets an FTS5 table without content; a two-character word is one token, which a trigram index could not
find. Other databases fall back on LIKE. Nobody else writes SQL of one database only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, exists, select, text

from callanalysis.store.tables import CallRow, UtteranceRow

TABLE = "call_search"  # rowid: the call's; tokens of index_words
_EDGES = re.compile(r"^\W+|\W+$")
_RUN = re.compile(r"(?P<han>[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)|(?P<word>[^\W_]+)")


def index_words(texts: Iterable[str]) -> str:
    """Return the tokens of a call's utterances; the same texts give the same tokens, which deletion needs."""
    return " ".join(token for line in texts for token in _tokens(line))


def add_document(connection: Connection, call_pk: int, texts: Iterable[str]) -> None:
    """Make a call findable; nothing happens where the database has no index."""
    if _has_index(connection):
        statement = text(f"INSERT INTO {TABLE}(rowid, words) VALUES (:pk, :words)")
        connection.execute(statement, {"pk": call_pk, "words": index_words(texts)})


def remove_document(connection: Connection, call_pk: int, texts: Iterable[str]) -> None:
    """Take a call out of the index; `texts` are the ones it was added with."""
    if _has_index(connection):
        statement = text(f"INSERT INTO {TABLE}({TABLE}, rowid, words) VALUES ('delete', :pk, :words)")
        connection.execute(statement, {"pk": call_pk, "words": index_words(texts)})


def matches(connection: Connection, wanted: str) -> ColumnElement[bool]:
    """Return the condition on calls that every blank-separated part of `wanted` was said."""
    parts = [part for part in wanted.split() if _tokens(part)] or wanted.split()
    query = " AND ".join(filter(None, map(_phrase, parts)))
    if query and _has_index(connection):
        found = text(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH :query").bindparams(query=query)
        return CallRow.id.in_(found.columns(CallRow.id).scalar_subquery())
    return and_(*(_said(_EDGES.sub("", part) or part) for part in parts))


def _said(part: str) -> ColumnElement[bool]:
    holds = UtteranceRow.text.icontains(part, autoescape=True)
    return exists(select(1).where(UtteranceRow.call_pk == CallRow.id, holds))


def _phrase(part: str) -> str:
    """FTS5 phrase whose last token may go on, so that "pay" finds "payment" and 还 finds 还款."""
    tokens = _tokens(part)
    if len(tokens) > 1 and len(tokens[-1]) == 1 and tokens[-2].endswith(tokens[-1]):
        tokens.pop()  # the single character that ends a Chinese run in the index
    return f'"{" ".join(tokens)}" *' if tokens else ""


def _tokens(line: str) -> list[str]:
    """ "分期pay" -> 分期, 期, pay: pairs, the last character alone, words in lower case."""
    tokens: list[str] = []
    for run in _RUN.finditer(line.casefold()):
        if run["han"]:
            tokens += [run["han"][i : i + 2] for i in range(len(run["han"]))]
        else:
            tokens.append(run["word"])
    return tokens


def _has_index(connection: Connection) -> bool:
    return bool(
        connection.dialect.name == "sqlite" and connection.engine.dialect.has_table(connection, TABLE)
    )
