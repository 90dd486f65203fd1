"""The app: `streamlit run app.py`.

Streamlit's server imports this file once for `app`, which serves the sound of the calls beside the pages, and
runs it as a script at every visit, which shows a page.
"""

import streamlit as st
from streamlit.starlette import App

from callanalysis.errors import StoreError
from callanalysis.pages import frame, sound
from callanalysis.pages.empty import trouble

if __name__ == "__main__":
    words = frame.open_frame()
    page = st.navigation(
        [
            st.Page("callanalysis/pages/calls.py", title=words.t("Calls"), url_path="calls", default=True),
            st.Page(
                "callanalysis/pages/call.py", title=words.t("Call"), url_path="call", visibility="hidden"
            ),
            st.Page("callanalysis/pages/collectors.py", title=words.t("Collectors"), url_path="collectors"),
            st.Page("callanalysis/pages/failures.py", title=words.t("Failures"), url_path="failures"),
        ],
        position="top",
    )
    try:
        page.run()
    except StoreError as error:
        st.html(trouble(error, words))
else:
    app = App(__file__, routes=sound.routes())
