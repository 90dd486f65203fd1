"""Page: files that could not be analysed, with the reason and the remedy."""

import streamlit as st

from callanalysis.pages import data, frame, markup
from callanalysis.pages.components import show_grid
from callanalysis.pages.failures_table import failures_grid

words = frame.current_words()
frame.set_address({})
failures = data.failures()
st.html(
    markup.title(words.t("Failures"), [words.n("<b>{count}</b> file", "<b>{count}</b> files", len(failures))])
)
if failures:
    st.html(
        markup.text(
            words.t("After the remedy: callanalysis run FOLDER --retry tries these files again."),
            css="ca-small",
        )
    )
    show_grid(failures_grid(failures, words), key="failures.grid")
else:
    st.html(markup.notice(words.t("Nothing failed"), words.t("Every file that was given could be analysed.")))
