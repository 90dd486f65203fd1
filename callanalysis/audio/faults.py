"""What can be wrong with a sound file: faults that stop it, and notes that do not.

The codes are stored with a call and translated by the app; the texts here are the English ones. This module
opens nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from callanalysis.errors import RecordingError

_COPY_AGAIN = "Copy it again from the recorder"

# code: (fault, remedy); both are format strings
FAULTS = MappingProxyType(
    {
        "missing": ("the file does not exist", "Correct the name in the call list, or put the file there"),
        "directory": (
            "this is a folder, not a sound file",
            "Give the files in it, or the folder to `callanalysis run`",
        ),
        "permission": (
            "the file may not be read",
            "Give the user who runs callanalysis the right to read it",
        ),
        "zero_length": ("the file holds no sound ({found})", f"{_COPY_AGAIN}, or take it off the list"),
        "unreadable": (
            "this is no sound file that can be read",
            f"{_COPY_AGAIN}, or convert it to WAV, FLAC, MP3, M4A, AMR, Ogg or WebM",
        ),
        "no_sound_track": (
            "the file has no sound track",
            "Give the file that holds the sound of the call",
        ),
        "codec": ("the sound is coded as {codec}, which cannot be decoded", "Convert it to WAV or FLAC"),
        "truncated": (
            "the file is cut off or has a hole: {found} of {promised} can be read",
            f"{_COPY_AGAIN}; if the original is no better, save what is left under a new name with an "
            "audio program",
        ),
        "damaged": (
            "{bad} of {total} packets of sound cannot be decoded",
            f"{_COPY_AGAIN}, or convert it to WAV with a program that repairs it",
        ),
        "too_long": (
            "the recording lasts {hours:.1f} hours, more than the {limit:g} allowed",
            "Cut it into calls, or raise max_hours under [audio] in callanalysis.toml",
        ),
        "channels": (
            "the recording has {count} channels with sound of their own, and a call has one or two",
            "Give the two channels of the call as a stereo file",
        ),
        "silence": (
            "the recording is silent throughout",
            "Check the recorder and the line, or take the file off the list",
        ),
        "tones_only": (
            "there are only tones on the line (ring-back, busy or voicemail) and no speech",
            "Nobody was reached: keep the call in the contact log and take the recording off the list",
        ),
        "no_speech": (
            "no speech was found in the recording",
            "Listen to it: if it holds only noise or music, take it off the list",
        ),
    }
)

# code: what the reader did about it
NOTES = MappingProxyType(
    {
        "extension": "the name does not fit the content; the file was read by its content",
        "identical_channels": "all channels carry the same sound; it is treated as mono",
        "extra_channels": "channels that are silent or copies were left out, so that two remain",
        "dead_channel": "one side of the call is silent",
        "gaps": "sound is missing inside the recording; silence stands in its place",
        "damaged_packets": "a few packets of sound could not be decoded",
        "swapped_channels": "the sides were recorded on each other's channel; what is said shows who is who",
        "open_ended": "the recorder did not close the file; its length is what is there",
    }
)


def recording_error(path: Path, code: str, **values: object) -> RecordingError:
    """Return the error for fault `code` of the file, its texts filled with `values`."""
    fault, remedy = FAULTS[code]
    return RecordingError(str(path), fault.format(**values), remedy.format(**values), code)
