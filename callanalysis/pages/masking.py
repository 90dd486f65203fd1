"""A call as it is shown: the debtor's name and numbers covered, in the facts and in what was said."""

from __future__ import annotations

import re
from dataclasses import replace

from callanalysis.privacy import mask, mask_name, mask_number
from callanalysis.schema import CallAnalysis


def masked_call(analysis: CallAnalysis) -> CallAnalysis:
    """Return the call with personal data covered; the words of the lines, which hold it too, are left out."""
    data, spoken = analysis.metadata, analysis.transcript
    lines = tuple(replace(x, text=masked_text(x.text, data.debtor_name), words=()) for x in spoken.utterances)
    covered = replace(
        data, debtor_name=mask_name(data.debtor_name), number_dialled=mask_number(data.number_dialled)
    )
    return replace(analysis, metadata=covered, transcript=replace(spoken, utterances=lines))


def masked_text(text: str, name: str | None) -> str:
    """Return a line with numbers covered, and the name that the call list gives, whole or in its parts."""
    covered = mask(text)
    parts = [part for part in (name, *name.split()) if len(part) > 1] if name else []
    for part in parts:
        alone = rf"\b{re.escape(part)}\b" if part.isascii() else re.escape(part)
        covered = re.sub(alone, lambda found: mask_name(found.group()), covered, flags=re.IGNORECASE)
    return covered
