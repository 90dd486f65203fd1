"""Recordings as a browser plays them: 16-bit WAV with all channels, whatever the file is coded in."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from callanalysis.audio.container import open_file
from callanalysis.audio.decode import DecodeReport, decode_blocks

NARROW, WIDE = 8_000, 16_000  # Hz; telephone sound needs no more than the first


def wav_for_browser(path: Path) -> bytes:
    """Return the recording as a WAV file in memory: 8 or 16 kHz, 1 to 2 MB a minute of stereo.

    The times are those of the transcript. Raises RecordingError for a file that cannot be opened; a cut file
    is played as far as it goes.
    """
    buffer = io.BytesIO()
    _write(path, buffer)
    return buffer.getvalue()


def write_wav_for_browser(path: Path, target: Path) -> None:
    """Write the same WAV to `target`, all at once: a reader sees the whole file or none. For long calls."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w+b") as file:
            _write(path, file)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write(path: Path, target: BinaryIO) -> None:
    with open_file(path) as source:
        rate = NARROW if source.stream.sample_rate <= NARROW else WIDE
        options = {
            "samplerate": rate,
            "channels": source.stream.channels,
            "format": "WAV",
            "subtype": "PCM_16",
        }
        with soundfile.SoundFile(target, "w", **options) as wav:
            for block in decode_blocks(source, rate, DecodeReport()):
                wav.write(np.clip(block.T, -1.0, 1.0))
