"""The store: one object that writes and reads calls, whatever the database behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, select

from callanalysis.schema import CallAnalysis, CallMetadata, Failure
from callanalysis.store import calls, figures
from callanalysis.store.corrections import Corrections
from callanalysis.store.engine import open_engine, shown_url, writing
from callanalysis.store.figures import Facets
from callanalysis.store.filters import CallFilter, page
from callanalysis.store.ledger import Ledger
from callanalysis.store.schema_version import upgrade
from callanalysis.store.tables import CallRow

EVERYTHING = CallFilter()


def open_store(url: str) -> Store:
    """Return the store behind an SQLAlchemy URL or the path of an SQLite file, brought to this version.

    Raises StoreError for one that cannot be opened, is damaged, of a newer version or of another program.
    """
    engine = open_engine(url)
    upgrade(engine)
    return Store(engine)


class Store:
    """Calls, failures and corrections. Safe to share between threads; every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ledger = Ledger(engine)
        self.corrections = Corrections(engine)

    @property
    def address(self) -> str:
        """The database's path or URL, without a password."""
        return shown_url(self._engine)

    def save(self, analysis: CallAnalysis) -> None:
        """Write a call in one transaction, in place of an older state of the same call."""
        with writing(self._engine).begin() as connection:
            calls.write(connection, analysis, datetime.now(UTC))

    def save_metadata(self, metadata: CallMetadata) -> None:
        """Write what a corrected call list says of a stored call; nothing else of it changes."""
        with writing(self._engine).begin() as connection:
            calls.write_metadata(connection, metadata)

    def remove(self, call_id: str) -> bool:
        """Delete a call with everything that hangs on it; whether it was there."""
        with writing(self._engine).begin() as connection:
            return calls.remove(connection, call_id)

    def identity(self, call_id: str) -> str | None:
        """Return the hash of the content that the call was made from, None for an unknown call."""
        with self._engine.connect() as connection:
            query = select(CallRow.identity_hash).where(CallRow.call_id == call_id)
            return connection.execute(query).scalar()

    def call(self, call_id: str) -> CallAnalysis | None:
        """Return a whole call, None for an unknown one."""
        with self._engine.connect() as connection:
            key = calls.key_of(connection, call_id)
            return None if key is None else next(calls.read(connection, [key]), None)

    def analyses(self, wanted: CallFilter = EVERYTHING) -> Iterator[CallAnalysis]:
        """Yield whole calls in the filter's order, in bounded memory."""
        with self._engine.connect() as connection:
            keys = list(connection.execute(page(connection, wanted, CallRow.id)).scalars())
            yield from calls.read(connection, keys)

    def calls_not_tagged_by(self, version: str) -> list[str]:
        """Return the ids of the calls whose tags another version of the tagger made, in order of id."""
        with self._engine.connect() as connection:
            other = CallRow.tags_version.is_distinct_from(version)
            return list(connection.scalars(select(CallRow.call_id).where(other).order_by(CallRow.call_id)))

    def calls(self, wanted: CallFilter = EVERYTHING) -> pd.DataFrame:
        """Return one row per call, see figures.call_frame."""
        with self._engine.connect() as connection:
            return figures.call_frame(connection, wanted)

    def count(self, wanted: CallFilter = EVERYTHING) -> int:
        """Return how many calls the filter takes, whatever its limit."""
        with self._engine.connect() as connection:
            return figures.count(connection, wanted)

    def utterance_tags(self, wanted: CallFilter = EVERYTHING) -> pd.DataFrame:
        """Return call_id, collector_id, role, label, axis, n (utterances of the call that carry it)."""
        with self._engine.connect() as connection:
            return figures.label_frame(connection, wanted)

    def facets(self) -> Facets:
        """Return what there is to choose from in filters."""
        with self._engine.connect() as connection:
            return figures.facets(connection)

    def record_failure(self, failure: Failure, fingerprint: str | None = None) -> Failure:
        """Record a failure, counting attempts; `fingerprint` tells later whether the source has changed."""
        return self.ledger.record_failure(failure, fingerprint)

    def failures(self) -> list[Failure]:
        """Return all failures, the newest first."""
        return self.ledger.failures()

    def clear_failure(self, source: str) -> None:
        """Forget the failure of a source."""
        self.ledger.clear_failures([source])

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()
