from __future__ import annotations

import pytest

from callanalysis.intake.calllist import ListRow
from callanalysis.intake.folders import find_recordings
from callanalysis.schema import CallMetadata


@pytest.fixture
def folder(tmp_path):
    for name in (
        "a.wav",
        "day1/b.wav",
        "day2/b.wav",
        "day1/c.mp3",
        "d",
        "e.v3",
        "f.txt",
        "notes.csv",
        ".hidden.wav",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def rows(*calls):
    return [
        ListRow(line, CallMetadata(call_id, file=file)) for line, (call_id, file) in enumerate(calls, start=2)
    ]


def found(folder, *calls):
    """(call id, path below the folder) of what the list names, and the codes of its faults."""
    result = find_recordings(folder, rows(*calls))
    listed = {f.metadata.call_id: f.path.relative_to(folder).as_posix() for f in result.files if f.listed}
    return listed, [fault.code for fault in result.faults]


def test_all_that_may_be_sound_is_found(folder):
    result = find_recordings(folder, ())
    names = [file.path.relative_to(folder).as_posix() for file in result.files]
    assert names == ["a.wav", "d", "day1/b.wav", "day1/c.mp3", "day2/b.wav", "e.v3"]
    assert result.files[3].metadata.call_id == "c"
    assert dict(result.passed_over) == {".txt": 1, ".csv": 1}


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("a.wav", "a.wav"),
        ("A.WAV", "a.wav"),
        ("./a.wav", "a.wav"),
        ("a", "a.wav"),
        ("day2/b.wav", "day2/b.wav"),
        ("day2\\b.wav", "day2/b.wav"),
        ("D:\\recorder\\export\\c.mp3", "day1/c.mp3"),
        ("f.txt", "f.txt"),  # named in the list, so it is tried
        ("e", "e.v3"),
    ],
)
def test_how_a_list_names_a_file(folder, file, path):
    assert found(folder, ("C-1", file)) == ({"C-1": path}, [])


def test_a_list_without_files_goes_by_the_id(folder):
    assert found(folder, ("a", None), ("x", None)) == ({"a": "a.wav"}, ["not_in_folder"])


@pytest.mark.parametrize(
    ("calls", "listed", "faults"),
    [
        ([("1", "b.wav")], {}, ["ambiguous_file"]),
        ([("1", "gone.wav")], {}, ["not_in_folder"]),
        ([("1", "a.wav"), ("2", "a.wav")], {"1": "a.wav"}, ["duplicate_file"]),
        ([("1", "a.wav"), ("1", "d")], {"1": "a.wav"}, ["duplicate_call_id"]),
        ([("1", "a.wav"), ("1", "a.wav")], {"1": "a.wav"}, []),  # the same line twice says nothing new
    ],
)
def test_faults_of_a_list(folder, calls, listed, faults):
    assert found(folder, *calls) == (listed, faults)


def test_one_file_needs_only_its_own_line(folder):
    result = find_recordings(folder / "a.wav", rows(("1", "a.wav"), ("2", "d")))
    assert [(file.metadata.call_id, file.listed) for file in result.files] == [("1", True)]
    assert result.faults == ()
