"""Recordings as the browser plays them, kept on disk in a bounded folder, with the peaks that draw them.

It knows files and their hashes, not calls, tokens or requests.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np
import platformdirs
import soundfile

from callanalysis.audio.playback import write_wav_for_browser
from callanalysis.errors import RecordingError

LIMIT_BYTES = 2 * 1024**3  # about 18 hours of two-sided telephone sound
PEAKS = 1600  # points per channel: more than a waveform is wide
_MISSING = ("the sound file is no longer there", "Put it back, or go on with the transcript alone")
_CHANGED = ("the sound file is not the one that was analysed", "Analyse it again, or put the old file back")

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def cache_folder() -> Path:
    """Return the folder of playable recordings, made for this user alone."""
    folder = platformdirs.user_cache_path("callanalysis") / "sound"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def playable(path: Path, content_hash: str, folder: Path | None = None) -> Path:
    """Return a WAV file that a browser plays for the recording, made once and kept.

    Raises RecordingError: "missing" when the recording itself is gone (what was kept of it goes too),
    "changed" when its content is not what `content_hash` says, and whatever reading it raises.
    """
    target = (folder or cache_folder()) / f"{content_hash}.wav"
    if not path.is_file():
        _forget(target)
        raise RecordingError(str(path), *_MISSING, "missing")
    with _locks[content_hash]:
        if target.is_file():
            os.utime(target)
            return target
        if _sha256(path) != content_hash:
            raise RecordingError(str(path), *_CHANGED, "changed")
        write_wav_for_browser(path, target)
        trim(target.parent, LIMIT_BYTES, keep=target)
    return target


def peaks(wav: Path) -> dict[str, object]:
    """Return {"duration": seconds, "peaks": a list of 0-1 per channel} of a playable file, kept beside it."""
    kept = wav.with_suffix(".json")
    if kept.is_file():
        return dict(json.loads(kept.read_text()))
    with soundfile.SoundFile(wav) as sound:
        block = max(1, -(-sound.frames // PEAKS))
        loudest = [np.abs(part).max(axis=0) for part in sound.blocks(block, dtype="float32", always_2d=True)]
        duration = sound.frames / sound.samplerate
    shape = np.array(loudest, dtype=np.float32).reshape(len(loudest), -1).T
    scaled = shape / max(float(shape.max(initial=0.0)), 1e-3)
    found = {"duration": duration, "peaks": [[round(float(x), 3) for x in side] for side in scaled]}
    part = kept.with_suffix(f".{threading.get_ident()}")
    part.write_text(json.dumps(found))
    part.replace(kept)
    return found


def trim(folder: Path, limit: int, keep: Path | None = None) -> None:
    """Delete the recordings that were played longest ago until the folder holds at most `limit` bytes."""
    files = sorted(folder.glob("*.wav"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total <= limit:
            return
        if file != keep:
            total -= file.stat().st_size
            _forget(file)


def _forget(wav: Path) -> None:
    wav.unlink(missing_ok=True)
    wav.with_suffix(".json").unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
