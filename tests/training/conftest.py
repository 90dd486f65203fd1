"""Small pairs of invented sentences; the sound is tones, for what is tested here is not whether it learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from whisper.model import ModelDimensions

TINY = ModelDimensions(80, 1500, 32, 2, 1, 51865, 448, 32, 2, 2)
SENTENCES = [
    ("您好，我是安禾消费金融的。", "zh"),
    ("我下周五还三千五百元。", "zh"),
    ("请不要再打电话了。", "zh"),
    ("I can pay fifty dollars on Friday.", "en"),
    ("This call is recorded.", "en"),
    ("Who is this?", "en"),
]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = []
    for i, (text, language) in enumerate(SENTENCES):
        time = np.arange(int(8000 * (0.8 + 0.3 * i))) / 8000
        soundfile.write(tmp_path / f"{i}.wav", 0.1 * np.sin(2 * np.pi * (200 + 50 * i) * time), 8000)
        lines.append(
            json.dumps({"audio": f"{i}.wav", "text": text, "language": language}, ensure_ascii=False)
        )
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
