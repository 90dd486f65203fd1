from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalysis.privacy import mask, mask_name, mask_number

PERSONAL = {
    "尾号六二三八": "尾号****",
    "六二三八。": "****。",
    "身份证后四位是6238": "身份证后四位是****",
    "6238。": "****。",
    "我的手机号是13800001234": "我的手机号是***********",
    "电话 138-0000-1234，对吧": "电话 ***-****-****，对吧",
    "一三八，零零零零，幺二三四": "***，****，****",
    "幺三八零零零零一二三四": "***********",
    "六二嗯三八": "**嗯**",
    "身份证110101199003070012": "身份证******************",
    "号码是11010119900307001X": "号码是******************",
    "卡号6222 0200 0000 0000 123": "卡号**** **** **** **** ***",
    "验证码是804213": "验证码是******",
    "发到 zhang.san@example.com 吧": "发到 ***@*** 吧",
    "my number is (555) 010-1234": "my number is (***) ***-****",
    "call +44 7700 900123 please": "call +** **** ****** please",
    "ending in six two three eight": "ending in * * * *",
    "It's five five five, zero one double two.": "It's * * *, * * * *.",
    "the last four are 6238": "the last four are ****",
    "last four digits: 6238": "last four digits: ****",
    "SSN 078-05-1120": "SSN ***-**-****",
    "write to d.moore@mail.example.co.uk": "write to ***@***",
    "尾号６２３８": "尾号****",
}
KEPT = [
    "三千五百元",
    "欠3500元，逾期12天",
    "您的消费贷欠三千五百元，逾期十二天。",
    "六月十八号还一千二",
    "二零二六年六月十八号",
    "2026年6月18日之前",
    "2026-06-18 10:30",
    "18/06/2026",
    "一万二千三百四十五块六",
    "12,000.00",
    "1234567元",
    "¥1234567.89",
    "$12,345.67",
    "USD 1234567",
    "three thousand five hundred dollars",
    "one or two days",
    "two three days",
    "pay 3500 dollars by June eighteenth",
    "You owe 3500.",
    "3500",
    "1500-2000元",
    "百分之三点五",
    "十二月三十一号上午九点半",
    "June twenty-fifth twenty twenty-six",
    "分12期，每期1000",
    "I owe one thousand two hundred and thirty four",
    "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), PERSONAL.items())
def test_what_identifies_a_person_is_covered(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_amounts_and_dates_stay(text):
    assert mask(text) == text


@pytest.mark.parametrize("text", [*PERSONAL, *KEPT])
def test_masking_twice_changes_nothing_more(text):
    assert mask(mask(text)) == mask(text)


@given(
    st.text(alphabet="我是号 ,.-零一二三0123456789abc", max_size=60),
    st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
)
def test_no_mobile_number_is_left(text, number):
    found = mask(f"{text}，{number}。{text}")
    assert not re.search(rf"(?<!\d){number}(?!\d)", found)


def test_a_long_line_takes_no_time():
    assert len(mask("1 2-3." * 20_000)) == 120_000


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王建国", "王**"),
        ("David Moore", "D. M."),
        ("mary-ann o'neil", "m. a. o. n."),
        ("", ""),
        (None, ""),
        ("Łukasz", "Ł."),
    ],
)
def test_names(name, masked):
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("text", "name", "masked"),
    [
        ("请问是王建国先生吗？", "王建国", "请问是王**先生吗？"),
        ("建国啊，我是小李", "王建国", "**啊，我是小李"),
        ("王先生，您好", "王伟", "王先生，您好"),
        ("伟大的时代", "王伟", "伟大的时代"),
        ("Is that David Moore? David? Mr moore?", "David Moore", "Is that D. M.? D.? Mr m.?"),
        ("Moores law", "David Moore", "Moores law"),
        ("尾号六二三八", None, "尾号****"),
    ],
)
def test_names_that_are_known_are_covered_in_a_sentence(text, name, masked):
    assert mask(text, [name]) == masked


@pytest.mark.parametrize(
    ("number", "masked"), [("199-0000-0101", "199-****-**01"), ("12345", "*****"), (None, "")]
)
def test_numbers(number, masked):
    assert mask_number(number) == masked
