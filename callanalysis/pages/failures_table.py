"""Failed files as the table component shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callanalysis.i18n import MISSING, Words
from callanalysis.pages.texts import STAGES, fault_and_remedy
from callanalysis.schema import Failure


def failures_grid(failures: Sequence[Failure], words: Words) -> dict[str, Any]:
    """Return the table of failures, in the order given."""
    return {
        "label": words.t("Failures"),
        "columns": [
            {"label": words.t("File")},
            {"label": words.t("Call")},
            {"label": words.t("Stage")},
            {"label": words.t("What is wrong"), "wrap": True},
            {"label": words.t("What to do"), "wrap": True},
            {"label": words.t("Tried"), "align": "right"},
            {"label": words.t("Last tried")},
        ],
        "sort": {"key": "", "descending": False},
        "rows": [_row(failure, words) for failure in failures],
    }


def _row(failure: Failure, words: Words) -> dict[str, Any]:
    fault, remedy = fault_and_remedy(failure, words)
    stored = f"{failure.code}: {failure.fault}. {failure.remedy}"
    return {
        "id": None,
        "cells": [
            {"text": Path(failure.source).name, "title": failure.source},
            {"text": failure.call_id or MISSING},
            {"text": words.t(STAGES.get(failure.stage, failure.stage))},
            {"text": fault, "title": stored},
            {"text": remedy},
            {"text": f"{failure.attempts}×"},
            {"text": words.moment(failure.at.astimezone())},
        ],
    }
