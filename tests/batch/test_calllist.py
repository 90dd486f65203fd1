from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callanalysis.errors import CallListError, MissingExtra
from callanalysis.intake.calllist import metadata_of, read_call_list
from callanalysis.intake.columns import FIELDS
from callanalysis.intake.values import Clock
from callanalysis.schema import CallMetadata

NOW = datetime(2026, 7, 20, tzinfo=UTC)


def written(tmp_path: Path, content: str | bytes, encoding: str = "utf-8", name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def rows(path: Path, timezone: str = "Asia/Shanghai") -> list[CallMetadata]:
    return [row.metadata for row in read_call_list(path, timezone, NOW).rows]


def cell(tmp_path, header, value):
    """One cell of a list: (field or None, faults)."""
    found = read_call_list(written(tmp_path, f"call_id\t{header}\nC-1\t{value}\n"), "Asia/Shanghai", NOW)
    return found.rows[0].metadata, found.faults


CHINESE = (
    "通话编号,录音文件,开始时间,催收员,工号,欠款金额（元）,逾期天数,备注\n"
    'T1,a.wav,2026-06-11 10:12:00,林晓云,C01,"3,500.00",12,老客户\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators(tmp_path, encoding, separator):
    text = CHINESE.replace('"3,500.00"', "3500.00").replace(",", separator)
    (call,) = rows(written(tmp_path, text, encoding))
    assert call == CallMetadata(
        "T1",
        file="a.wav",
        started_at=datetime.fromisoformat("2026-06-11T10:12:00+08:00"),
        collector_name="林晓云",
        collector_id="C01",
        balance=3500.0,
        days_past_due=12,
        extra={"备注": "老客户"},
    )


def test_quoted_cells_line_ends_and_the_hint_of_excel(tmp_path):
    text = 'sep=;\r\nCall ID;Remarks;Balance\r\n1;"two\r\nlines; one cell";1\r\n\r\n2;x;-5\r\n'
    found = read_call_list(written(tmp_path, text), "Asia/Shanghai", NOW)
    assert [row.metadata.call_id for row in found.rows] == ["1", "2"]
    assert found.rows[0].metadata.extra == {"Remarks": "two\r\nlines; one cell"}
    assert [fault.line for fault in found.faults] == [6]


def test_only_a_file_column(tmp_path):
    (a, b) = rows(written(tmp_path, "recording\nday1\\a.b.wav\n/x/c\n"))
    assert (a.call_id, a.file) == ("a.b", "day1\\a.b.wav")
    assert b.call_id == "c"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-06-11T10:12:00+08:00", "2026-06-11T10:12:00+08:00"),
        ("2026-06-11T02:12:00Z", "2026-06-11T02:12:00+00:00"),
        ("2026-06-11 10:12:00 +0800", "2026-06-11T10:12:00+08:00"),
        ("2026-06-11 10:12", "2026-06-11T10:12:00+08:00"),
        ("2026/6/11 9:05:07", "2026-06-11T09:05:07+08:00"),
        ("2026年6月11日 10时12分", "2026-06-11T10:12:00+08:00"),
        ("2026.6.11", "2026-06-11T00:00:00+08:00"),
        ("18/06/2026 22:01", "2026-06-18T22:01:00+08:00"),
        ("6/18/2026 1:05 PM", "2026-06-18T13:05:00+08:00"),
        ("20260611101200", "2026-06-11T10:12:00+08:00"),
        ("20260611", "2026-06-11T00:00:00+08:00"),
        ("46184.425", "2026-06-11T10:12:00+08:00"),
        ("1781143920", "2026-06-11T02:12:00+00:00"),
        ("1781143920000", "2026-06-11T02:12:00+00:00"),
    ],
)
def test_times(tmp_path, text, at):
    call, faults = cell(tmp_path, "start time", text)
    assert not faults
    assert call.started_at == datetime.fromisoformat(at)
    assert call.started_at.utcoffset() == datetime.fromisoformat(at).utcoffset()


def test_a_zone_of_ones_own(tmp_path):
    path = written(tmp_path, "id,start\n1,2026-06-11 10:12\n2,2026-01-11 10:12\n")
    path.write_text(path.read_text().replace("id,", "call_id,"))
    summer, winter = rows(path, "America/New_York")
    assert str(summer.started_at) == "2026-06-11 10:12:00-04:00"
    assert str(winter.started_at) == "2026-01-11 10:12:00-05:00"


def test_date_and_time_in_two_columns(tmp_path):
    (call,) = rows(written(tmp_path, "通话编号,通话日期,通话时间\n1,2026-06-11,10:12:30\n"))
    assert str(call.started_at) == "2026-06-11 10:12:30+08:00"
    (call,) = rows(written(tmp_path, "通话编号,日期\n1,2026-06-11 10:12\n"))
    assert str(call.started_at) == "2026-06-11 10:12:00+08:00"


@pytest.mark.parametrize(
    ("header", "value", "field", "expected"),
    [
        ("balance", "¥3,500.00", "balance", 3500.0),
        ("余额", "1.2万", "balance", 12000.0),
        ("金额", "3500元", "balance", 3500.0),
        ("balance", "0", "balance", 0.0),
        ("dpd", "12.0", "days_past_due", 12),
        ("逾期天数", "-3天", "days_past_due", -3),
        ("direction", "呼出", "direction", "outbound"),
        ("方向", "IN", "direction", "inbound"),
        ("币种", "人民币", "currency", "CNY"),
        ("currency", "usd", "currency", "USD"),
        ("国家", "英国", "jurisdiction", "UK"),
        ("声道", "右", "collector_channel", 1),
        ("language", "zh-CN", "language", "zh"),
        ("account no.", '="0012"', "account_id", "0012"),
        ("account", "1001.0", "account_id", "1001"),
        ("team", " 电催 一组 ", "team", "电催 一组"),
        ("team", "NULL", "team", None),
    ],
)
def test_values(tmp_path, header, value, field, expected):
    call, faults = cell(tmp_path, header, value)
    assert not faults
    assert getattr(call, field) == expected


@pytest.mark.parametrize(
    ("header", "value", "fault"),
    [
        ("start", "2027-01-01 10:00", "lies in the future"),
        ("start", "1900-01-01", "before 1990"),
        ("start", "06/07/2026", "cannot be told apart"),
        ("start", "gestern", "no date"),
        ("start", "2026-02-30", "no date"),
        ("start", "5", "no date"),
        ("balance", "-35.00", "negative"),
        ("balance", "(35.00)", "negative"),
        ("balance", "viel", "no amount"),
        ("balance", "inf", "no amount"),
        ("dpd", "M2", "no number of days"),
        ("direction", "sideways", "no direction"),
        ("currency", "shells", "no currency"),
        ("language", "fr", "no language"),
        ("jurisdiction", "the moon", "no code of a place"),
        ("collector channel", "2", "no channel"),
        ("account", "1.23457E+17", "cut this number short"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_and_kept(tmp_path, header, value, fault):
    call, faults = cell(tmp_path, header, value)
    assert [(f.line, f.column, f.value) for f in faults] == [(2, header, value)]
    assert fault in faults[0].fault
    assert faults[0].remedy
    assert call == CallMetadata("C-1", extra={header: value})


def test_lines_without_a_name_and_with_too_many_cells(tmp_path):
    found = read_call_list(written(tmp_path, "call_id,team\n,a\n2,b,c\n3\n"), "Asia/Shanghai", NOW)
    assert [row.metadata.call_id for row in found.rows] == ["2", "3"]
    assert [(fault.line, fault.fault) for fault in found.faults] == [
        (2, "the line names neither a call nor a file"),
        (3, "the line has more cells than the header"),
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "no column names the call"),
        ("name,colour\nx,blue\n", "no column names the call"),
        (b"PK\x03\x04rest", "a spreadsheet"),
        (b"call_id\n\xff\xfe\xfa\x81\x30", "neither UTF-8 nor GBK"),
        ("call_id\n" + "x" * 1_100_000, "line cannot be read"),
    ],
)
def test_files_that_are_no_list(tmp_path, content, fault):
    with pytest.raises(CallListError, match=fault) as caught:
        read_call_list(written(tmp_path, content), "Asia/Shanghai", NOW)
    assert caught.value.remedy


def test_a_list_that_is_not_there_and_a_zone_that_is_none(tmp_path):
    with pytest.raises(CallListError, match="cannot be read"):
        read_call_list(tmp_path / "none.csv", "Asia/Shanghai")
    with pytest.raises(CallListError, match="no such time zone"):
        read_call_list(written(tmp_path, CHINESE), "Mars/Olympus")


def test_a_spreadsheet(tmp_path):
    path = tmp_path / "calls.xlsx"
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError:
        path.write_bytes(b"PK\x03\x04")
        with pytest.raises(MissingExtra, match="openpyxl"):
            read_call_list(path, "Asia/Shanghai")
        return
    book = Workbook()
    book.active.append(["通话编号", "开始时间", "余额", "逾期天数"])
    book.active.append(["T1", datetime(2026, 6, 11, 10, 12), 3500.5, 12])
    book.save(path)
    started_at = datetime.fromisoformat("2026-06-11T10:12:00+08:00")
    assert rows(path) == [CallMetadata("T1", started_at=started_at, balance=3500.5, days_past_due=12)]


def test_metadata_of_an_imported_transcript():
    from zoneinfo import ZoneInfo

    given = {"collector_id": "C01", "balance": 3500.0, "started_at": None, "mood": ["calm"], "dpd": "x"}
    metadata, faults = metadata_of(given, "C-1", Clock(ZoneInfo("Asia/Shanghai"), NOW))
    assert metadata == CallMetadata(
        "C-1", collector_id="C01", balance=3500.0, extra={"mood": "['calm']", "dpd": "x"}
    )
    assert [fault.column for fault in faults] == ["dpd"]


def test_no_header_has_two_meanings():
    assert set(FIELDS.values()) >= {"call_id", "file", "started_at", "collector_id", "collector_name"}
    assert all(header == header.casefold() for header in FIELDS)
