"""Sound made by numbers, and files of every format made from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

LAYOUTS = {1: "mono", 2: "stereo"}


def chirps(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """Sound with pauses that is no tone and no speech: a wandering pitch in noise, float32."""
    time = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    pitch = 300 + 200 * np.sin(2 * np.pi * 1.3 * time + seed)
    gate = np.sin(2 * np.pi * 2 * time + seed) > -0.3
    sound = 0.2 * np.sin(2 * np.pi * pitch * time) * gate + 0.03 * rng.standard_normal(len(time))
    return sound.astype(np.float32)


def encode(path: Path, samples: np.ndarray, rate: int, codec: str, container: str) -> Path:
    """Write (channels, samples) by PyAV's encoders."""
    layout = LAYOUTS[len(samples)]
    with av.open(str(path), "w", format=container) as target:
        options = {"b": "12200"} if "amr" in codec else {}
        stream = target.add_stream(codec, rate=rate, layout=layout, options=options)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                target.mux(packet)
    return path


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., Path]:
    """Write channels as a WAV file: write_wav(left, right, rate=8000)."""

    def write(
        *channels: np.ndarray, rate: int = 8000, name: str = "call.wav", subtype: str = "PCM_16"
    ) -> Path:
        soundfile.write(tmp_path / name, np.stack(channels, axis=1), rate, subtype=subtype)
        return tmp_path / name

    return write
