"""The sound of calls on the app's own server: by call id and signed address, with HTTP Range.

An address holds for one to two hours, for one call; it never names a path. This module knows requests and
signatures; sound_cache.py knows files.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from callanalysis.errors import RecordingError
from callanalysis.pages import sound_cache
from callanalysis.schema import Sound

HOUR = 3600  # seconds
_PATH = "recordings"
_STATUS = {"missing": 404, "changed": 409}
_KEY = secrets.token_bytes(32)  # of this process: addresses end with it
_served: list[bool] = []

FindSound = Callable[[str], Sound | None]


def stored_sound(call_id: str) -> Sound | None:
    """Return the sound of a call of the app's store."""
    from callanalysis.pages import data  # not before the server runs: its caches belong to it

    return data.find_sound(call_id)


def routes(find_sound: FindSound = stored_sound) -> list[BaseRoute]:
    """Return the routes that serve sound and peaks of the calls that `find_sound` knows."""
    _served.append(True)
    base = _base()

    def sound(request: Request) -> Response:
        return _answer(request, find_sound, lambda wav: FileResponse(wav, media_type="audio/wav"))

    def shape(request: Request) -> Response:
        return _answer(request, find_sound, lambda wav: JSONResponse(sound_cache.peaks(wav)))

    return [Route(f"{base}/sound", sound), Route(f"{base}/peaks", shape)]


def is_served() -> bool:
    """Whether this server has the routes; outside `streamlit.starlette.App` it has not."""
    return bool(_served)


def whole_file(sound: Sound) -> Path | None:
    """Return a playable file for Streamlit's own player, where routes are missing; None if there is none."""
    try:
        return sound_cache.playable(Path(sound.path), sound.content_hash)
    except RecordingError:
        return None


def addresses(call_id: str, now: float | None = None) -> dict[str, str]:
    """Return the signed addresses of a call: "sound" and "peaks". They stay the same within an hour."""
    query = urlencode({"call": call_id, "token": sign(call_id, time.time() if now is None else now)})
    return {what: f"{_base()}/{what}?{query}" for what in ("sound", "peaks")}


def sign(call_id: str, now: float) -> str:
    """Return the token that opens one call until the end of the next full hour."""
    expires = (int(now) // HOUR + 2) * HOUR
    return f"{expires}.{_mac(call_id, expires)}"


def is_valid(call_id: str, token: str, now: float) -> bool:
    """Whether the token opens this call now."""
    expires, _, mac = token.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 20 and mac.isascii()):
        return False
    return hmac.compare_digest(mac, _mac(call_id, int(expires))) and now < int(expires)


def _mac(call_id: str, expires: int) -> str:
    return hmac.digest(_KEY, f"{expires}:{call_id}".encode(), "sha256").hex()


def _base() -> str:
    prefix = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{prefix}/{_PATH}" if prefix else f"/{_PATH}"


def _answer(request: Request, find_sound: FindSound, respond: Callable[[Path], Response]) -> Response:
    call_id = request.query_params.get("call", "")
    if not is_valid(call_id, request.query_params.get("token", ""), time.time()):
        return _refuse("expired", 403)
    sound = find_sound(call_id)
    if sound is None:
        return _refuse("missing", 404)
    try:
        response = respond(sound_cache.playable(Path(sound.path), sound.content_hash))
    except RecordingError as error:
        return _refuse(error.code, _STATUS.get(error.code, 422))
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _refuse(code: str, status: int) -> Response:
    return JSONResponse({"code": code}, status, headers={"Cache-Control": "no-store"})
