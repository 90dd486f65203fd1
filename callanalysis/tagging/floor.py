"""The floor: character n-gram TF-IDF with logistic regression, trained on the same utterances.

What a transformer has to beat to be worth its weight. Needs scikit-learn (extra `dev`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from callanalysis.errors import MissingExtra
from callanalysis.labels import INTENT_NAMES, RISK_NAMES, intents_of
from callanalysis.tagging.corpus import Example
from callanalysis.tagging.decisions import decide, fit_thresholds
from callanalysis.tagging.inputs import read_turn
from callanalysis.tagging.metrics import Flags, Floats


class Floor:
    """One logistic regression a label over character n-grams (1-4) of the utterance and the turn before."""

    def __init__(self) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
        except ImportError as error:
            raise MissingExtra("scikit-learn", "dev") from error
        options: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 4), "sublinear_tf": True}
        self._text = TfidfVectorizer(min_df=2, **options)
        self._before = TfidfVectorizer(min_df=3, **options)
        self._models: dict[str, Any] = {}
        self.thresholds: dict[str, float] = {}

    def fit(self, train: Sequence[Example], valid: Sequence[Example]) -> Floor:
        """Train on one part, choose thresholds on the other, the same way as the tagger's."""
        from sklearn.linear_model import LogisticRegression

        rows = self._rows(train, learn=True)
        for name in (*INTENT_NAMES, *RISK_NAMES):
            true = np.array([name in (*x.intent, *x.risk) for x in train])
            mine = np.array([_may(x, name) for x in train])
            if true[mine].any() and not true[mine].all():
                model = LogisticRegression(C=10, class_weight="balanced", max_iter=300)
                self._models[name] = model.fit(rows[mine], true[mine])
        for names, axis in ((INTENT_NAMES, "intent"), (RISK_NAMES, "risk")):
            truth = np.array([[name in getattr(x, axis) for name in names] for x in valid])
            self.thresholds |= fit_thresholds(names, self._scores(valid, names), truth)
        return self

    def find(self, lines: Sequence[Example]) -> tuple[Flags, Flags]:
        """Return which intents and which risks hold, (lines, labels) each."""
        intent = decide(INTENT_NAMES, self._scores(lines, INTENT_NAMES), self.thresholds)
        risk = decide(RISK_NAMES, self._scores(lines, RISK_NAMES), self.thresholds)
        return intent, risk

    def _scores(self, lines: Sequence[Example], names: Sequence[str]) -> Floats:
        rows = self._rows(lines)
        scores = np.zeros((len(lines), len(names)))
        for i, name in enumerate(names):
            mine = np.array([_may(x, name) for x in lines], dtype=bool)
            if name in self._models and mine.any():
                scores[mine, i] = self._models[name].predict_proba(rows[mine])[:, 1]
        return scores

    def _rows(self, lines: Sequence[Example], learn: bool = False) -> Any:
        from scipy.sparse import csr_matrix, hstack

        texts = [x.text for x in lines]
        before = [read_turn(x.context[-1])[1] if x.context else "" for x in lines]
        if learn:
            self._text.fit(texts)
            self._before.fit(before)
        rows = hstack([self._text.transform(texts), 0.4 * self._before.transform(before)])
        return csr_matrix(rows)


def _may(line: Example, name: str) -> bool:
    """Return whether the line's speaker can carry the label."""
    return name in intents_of(line.role) or (name in RISK_NAMES and line.role == "collector")
