"""Every error that a user can meet, in one tree; each names the thing, the fault and the remedy.

CallAnalysisError
├── InputError             something the user gave cannot be used; the rest of the batch goes on
│   ├── RecordingError     a sound file, see audio/
│   ├── CallListError      the call list or another table
│   └── LabelError         a label outside labels.py
├── SetupError             something is missing on this machine
│   ├── MissingProgram
│   ├── MissingExtra
│   └── CheckpointError    speech or tagger weights
└── StoreError             the database
"""

from __future__ import annotations


class CallAnalysisError(Exception):
    """What went wrong (`fault`), with which thing (`subject`), and what to do about it (`remedy`).

    `code` is a stable name of the fault: it is stored, and the app shows its translation.
    """

    code = "error"

    def __init__(self, subject: str, fault: str, remedy: str, code: str | None = None) -> None:
        super().__init__(subject, fault, remedy)
        self.subject, self.fault, self.remedy = subject, fault, remedy
        self.code = code or self.code

    def __str__(self) -> str:
        return f"{self.subject}: {self.fault}. {self.remedy}"


class InputError(CallAnalysisError):
    """Something the user gave cannot be used."""

    code = "bad_input"


class RecordingError(InputError):
    """A sound file cannot be analysed; `code` says which of the faults of audio/ it has."""

    code = "unreadable"


class CallListError(InputError):
    """The call list or another table has a fault."""

    code = "bad_table"


class LabelError(InputError):
    """A label that labels.py does not know."""

    code = "unknown_label"


class SetupError(CallAnalysisError):
    """Something is missing on this machine."""

    code = "setup"


class MissingProgram(SetupError):
    """An outside program is not installed."""

    code = "missing_program"

    def __init__(self, name: str) -> None:
        super().__init__(
            name, "the program is not installed", f"Install it, on Debian: apt-get install {name}"
        )


class MissingExtra(SetupError):
    """A Python package of an optional extra is not installed."""

    code = "missing_extra"

    def __init__(self, package: str, extra: str) -> None:
        remedy = f"Install it: pip install 'callanalysis[{extra}]'"
        super().__init__(package, "the Python package is not installed", remedy)


class CheckpointError(SetupError):
    """Speech or tagger weights are missing, damaged or of another format."""

    code = "checkpoint"


class StoreError(CallAnalysisError):
    """The database cannot be opened, or holds what contradicts the call at hand."""

    code = "store"
