"""What can be wrong with what comes in, besides the sound itself: stored by code, translated by the app."""

from __future__ import annotations

from types import MappingProxyType

from callanalysis.errors import InputError

# code: (fault, remedy); both are format strings
FAULTS = MappingProxyType(
    {
        "not_in_folder": (
            "line {line} of the call list names this file, and it is not there",
            "Put the file there, or correct the list",
        ),
        "ambiguous_file": (
            "line {line} of the call list names {name}, and {count} files below the folder are called that",
            "Write the path below the folder into the list",
        ),
        "duplicate_call_id": (
            "the call id {call_id} stands in the call list twice, in lines {first} and {line}",
            "Give each call an id of its own",
        ),
        "duplicate_file": (
            "the file stands in the call list twice, as {first} and {call_id}",
            "Give each call a file of its own",
        ),
        "duplicate_content": (
            "the content is the same as that of call {other}",
            "Nothing is lost: take the copy away, or correct the file that was copied by mistake",
        ),
        "identity_conflict": (
            "call {call_id} is known with other content ({other})",
            "Give this call an id of its own, or run with --replace to put it in the place of the stored one",
        ),
        "bad_json": ("the line is no JSON object ({why})", "Write one JSON object a line, in UTF-8"),
        "bad_transcript": (
            "the line is no transcript: {why}",
            'Write {{"id", "metadata": {{…}}, "turns": [{{"role", "start", "end", "text"}}]}}',
        ),
        "unexpected": (
            "the stage {stage} stopped with {error}",
            "Run again with --retry; if it stays, report it with the log",
        ),
        "worker_died": (
            "the process that worked on it ended by itself (exit code {exit_code})",
            "Memory may have run out: run again with --retry and --workers 1",
        ),
    }
)


def input_error(subject: str, code: str, **values: object) -> InputError:
    """Return the error for fault `code` of a thing, its texts filled with `values`."""
    fault, remedy = FAULTS[code]
    return InputError(subject, fault.format(**values), remedy.format(**values), code)
