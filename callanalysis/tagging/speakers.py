"""Who is the collector where a transcript does not say: from what is said, speaker by speaker.

It knows utterances and the log-odds that the model gives each; it loads no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from callanalysis.labels import Role
from callanalysis.schema import Utterance
from callanalysis.tagging.metrics import Floats

_CLIP = 3.0  # log-odds one utterance can add to its speaker


def assign_roles(utterances: Sequence[Utterance], odds: Floats) -> tuple[Utterance, ...]:
    """Return the utterances with unknown roles filled in; `odds` are log-odds of collector, one an utterance.

    Of two speakers one is the collector and the other is not. A single speaker without a role is a mono
    recording that was not separated: there every utterance is judged alone.
    """
    known = {u.speaker: u.role for u in utterances if u.role != "unknown"}
    unknown = list(dict.fromkeys(u.speaker for u in utterances if u.role == "unknown"))
    total = {
        name: sum(
            max(-_CLIP, min(_CLIP, float(odd)))
            for u, odd in zip(utterances, odds, strict=True)
            if u.speaker == name and u.text.strip()
        )
        for name in unknown
    }
    if len(unknown) == 1 and not known:
        return tuple(_with(u, float(odd)) for u, odd in zip(utterances, odds, strict=True))
    if len(unknown) == 1 and len(set(known.values())) == 1:
        total[unknown[0]] += -_CLIP if "collector" in known.values() else _CLIP
    if len(unknown) == 2 and not known:
        gap = (total[unknown[0]] - total[unknown[1]]) / 2
        total = {unknown[0]: gap, unknown[1]: -gap}
    return tuple(_with(u, total[u.speaker]) if u.role == "unknown" else u for u in utterances)


def _with(utterance: Utterance, odds: float) -> Utterance:
    if utterance.role != "unknown":
        return utterance
    role: Role = "collector" if odds > 0 else "debtor"
    return replace(utterance, role=role, role_confidence=round(1 / (1 + math.exp(-min(abs(odds), 30.0))), 4))
