"""What the pages say where there is nothing to show."""

from __future__ import annotations

from callanalysis.errors import StoreError
from callanalysis.i18n import Words
from callanalysis.pages import markup


def nothing_stored(failures: int, words: Words) -> str:
    """Return the notice of an empty store: how calls come into it."""
    paragraphs = [
        words.t("Analyse a folder of recordings, with the call list where there is one:"),
        "`callanalysis run recordings/ --calls calls.csv`",
        words.t("The calls appear here as they are done. To see how it looks with the sample calls:"),
        "`make app`",
    ]
    if failures:
        paragraphs.append(
            words.n(
                "{count} file could not be analysed: see Failures.",
                "{count} files could not be analysed: see Failures.",
                failures,
            )
        )
    return markup.notice(words.t("No calls yet"), *paragraphs)


def trouble(error: StoreError, words: Words) -> str:
    """Return the notice of a database that cannot be read, with the error's own words."""
    said = f"{error.subject}: {error.fault}. {error.remedy}"
    return markup.notice(words.t("The database cannot be read"), said)
