"""Page: one call, with its sound, its transcript, and what was found in it."""

from pathlib import Path

import streamlit as st

from callanalysis.pages import data, frame, markup, open_call, panels, sound
from callanalysis.pages.call_view import player_data
from callanalysis.pages.components import show_player
from callanalysis.pages.masking import masked_call

words = frame.current_words()
call_id = st.query_params.get("call", "")
search = st.query_params.get("q", "")
frame.set_address({name: [value] for name, value in (("call", call_id), ("q", search)) if value})
analysis = data.call(call_id) if call_id else None

if analysis is None:
    st.html(markup.title(words.t("Call")))
    missing = words.t("There is no call {call} in the store.", call=call_id)
    st.html(
        markup.notice(
            missing if call_id else words.t("No call chosen"), words.t("Choose one in the list of calls.")
        )
    )
    st.page_link(f"{frame.PAGES}/calls.py", label=words.t("To the list of calls"))
    st.stop()

analysis = masked_call(analysis)
before, after = open_call.neighbours(call_id)
head, leaf = st.columns([5, 2], vertical_alignment="center")
facts = (analysis.metadata.collector_name, analysis.metadata.product)
counts = [words.moment(analysis.metadata.started_at), *(fact for fact in facts if fact)]
head.html(markup.title(call_id, (markup.text(fact) for fact in counts)))
with leaf.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
    st.page_link(f"{frame.PAGES}/calls.py", label=words.t("All calls"))
    if st.button(words.t("Previous"), disabled=before is None) and before:
        open_call.open_call(before, search=search)
    if st.button(words.t("Next"), disabled=after is None) and after:
        open_call.open_call(after, search=search)

here = analysis.sound is not None and Path(analysis.sound.path).is_file()
left, right = st.columns([2.35, 1], gap="medium")
with left:
    addresses = sound.addresses(call_id) if here and sound.is_served() else None
    if analysis.sound and here and not sound.is_served() and (file := sound.whole_file(analysis.sound)):
        st.audio(file, format="audio/wav")
    shown = player_data(analysis, words, addresses, here, search)
    shown["renewal"] = st.session_state.get("call.renewal")  # new data, even if the address is the same
    player = show_player(shown, key=f"player.{call_id}")
    if player.renew:
        st.session_state["call.renewal"] = player.renew
        st.rerun()
with right:
    st.html(panels.all_panels(analysis, words))
