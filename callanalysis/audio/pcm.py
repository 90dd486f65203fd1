"""Decoded sound kept as 16-bit samples: in memory while it is short, in a temporary file beyond."""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np

from callanalysis.errors import SetupError

IN_MEMORY = 40_000_000  # bytes: ten minutes of two channels at 16 kHz


class PcmStore:
    """Takes float32 blocks of shape (channels, samples) and gives any stretch of a channel back.

    The temporary file has no name, so that nothing of a call stays on the disk when the process dies.
    """

    def __init__(self, channels: int, in_memory: int = IN_MEMORY) -> None:
        self._channels, self._in_memory = channels, in_memory
        self._bytes = bytearray()
        self._file: IO[bytes] | None = None
        self._samples: np.ndarray | None = None

    def append(self, block: np.ndarray) -> None:
        """Add a block at the end; values beyond full scale are clipped."""
        data = np.clip(np.round(block.T * 32768), -32768, 32767).astype("<i2").tobytes()
        self._bytes += data
        if self._file is not None or len(self._bytes) > self._in_memory:
            self._spill()

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="callanalysis-")  # noqa: SIM115, closed by close()
            self._file.write(self._bytes)
        except OSError as error:
            remedy = "Make room there, or set TMPDIR to a folder on a larger disk"
            raise SetupError(tempfile.gettempdir(), "a long recording cannot be unpacked", remedy) from error
        self._bytes.clear()

    def finish(self) -> None:
        """Make the samples readable; no block may follow."""
        if self._file is None:
            flat = np.frombuffer(self._bytes, dtype="<i2")
        else:
            self._file.flush()
            flat = np.memmap(self._file, dtype="<i2", mode="r")
        self._samples = flat.reshape(-1, self._channels)

    def __len__(self) -> int:
        return 0 if self._samples is None else len(self._samples)

    def read(self, channel: int, first: int, last: int) -> np.ndarray:
        """Return samples `first` to `last` of a channel as float32, cut to what is there."""
        if self._samples is None:
            raise ValueError("the recording is closed: open it again")
        cut = self._samples[max(0, first) : max(0, last), channel]
        return np.asarray(cut, dtype=np.float32) / np.float32(32768)

    def close(self) -> None:
        """Give memory and file back."""
        self._samples = None
        self._bytes = bytearray()
        if self._file is not None:
            self._file.close()
            self._file = None
