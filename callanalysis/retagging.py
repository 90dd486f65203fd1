"""The tags of stored calls made anew by another tagger; sound, transcript, roles and measures stay as they are.

It knows the store and a tagger, and decodes no sound.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from callanalysis.pipeline import Tagger
from callanalysis.store.db import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retagged:
    """What became of the stored calls: tagged anew, tagged by this version before, and ids that failed."""

    done: int
    current: int
    failed: tuple[str, ...]


def retag(store: Store, tagger: Tagger, report: Callable[[int, int], None]) -> Retagged:
    """Tag every stored call that another version has tagged; one transaction a call, so it can be stopped anywhere.

    `report` hears how many of how many are done. A call on which the tagger fails keeps the tags it had.
    """
    pending = store.calls_not_tagged_by(tagger.version)
    current = store.count() - len(pending)
    done, failed = 0, []
    for number, call_id in enumerate(pending, 1):
        try:
            done += _retag_one(store, tagger, call_id)
        except Exception as error:  # one call never stops the others
            log.error("call %s: retagging failed: %s", call_id, type(error).__name__)
            failed.append(call_id)
        report(number, len(pending))
    return Retagged(done, current, tuple(failed))


def _retag_one(store: Store, tagger: Tagger, call_id: str) -> bool:
    """Whether the call was still there."""
    analysis = store.call(call_id)
    if analysis is None:
        return False
    tagged = tagger.tag_call(analysis.transcript.utterances)
    versions = replace(analysis.versions, tags=tagger.version)
    store.save(replace(analysis, tags=tagged.tags, call_tags=tagged.call, versions=versions))
    return True
