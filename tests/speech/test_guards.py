"""Invented text goes, what was said stays."""

from __future__ import annotations

import pytest

from callanalysis.speech.guards import guard_text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "zh"),
        ("請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目", "zh"),
        ("字幕由 Amara.org 社群提供", "zh"),
        ("中文字幕志愿者 李宗盛", "zh"),
        ("优优独播剧场——YoYo Television Series Exclusive", "zh"),
        ("谢谢观看", "zh"),
        ("感谢您的收看。", "zh"),
        ("謝謝大家收看", "zh"),
        ("Thanks for watching!", "en"),
        ("Thank you so much for watching.", "en"),
        ("Please like and subscribe to my channel.", "en"),
        ("Subtitles by the Amara.org community", "en"),
        ("...", "en"),
        ("。。", "zh"),
    ],
)
def test_invented_text_is_dropped(text: str, language: str) -> None:
    assert guard_text(text, language, 10).text == ""


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("好的我明天还 请不吝点赞 订阅 转发", "zh", "好的我明天还"),
        ("我知道了我知道了我知道了我知道了我知道了我知道了", "zh", "我知道了"),
        ("I will pay I will pay I will pay I will pay I will pay I will pay", "en", "I will pay"),
        ("嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯", "zh", "嗯"),
        ("no no no no no no no no no no", "en", "no"),
    ],
)
def test_cuts_are_counted(text: str, language: str, kept: str) -> None:
    guarded = guard_text(text, language, 10)
    assert guarded.text == kept
    assert guarded.invented or guarded.looped


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("对对对对，我知道", "zh"),
        ("好的好的好的", "zh"),
        ("您的账号是0000 0000 0000 0012", "zh"),
        ("零零零零零零零零一二", "zh"),
        ("您下期要还三千块", "zh"),
        ("这个订阅不是我办的", "zh"),
        ("谢谢，再见", "zh"),
        ("no, no, no, I paid it", "en"),
        ("the number is 8 8 8 8 8 8 8 8 8 8", "en"),
        ("thank you, bye", "en"),
        ("I subscribe to a magazine", "en"),
    ],
)
def test_what_was_said_stays(text: str, language: str) -> None:
    guarded = guard_text(text, language, 10)
    assert guarded.text.replace(" ", "") == text.replace(" ", "")
    assert not guarded.invented
    assert not guarded.looped


def test_spaces_in_chinese_go_and_in_english_stay() -> None:
    assert guard_text("我 明天 用 App 还 两千 块 。", "zh", 10).text == "我明天用App还两千块。"
    assert guard_text("I  will pay\ntomorrow.", "en", 10).text == "I will pay tomorrow."


def test_more_than_can_be_said_is_invented() -> None:
    sentence = "您好这里是还款提醒中心请问您是张先生吗您的账单已经逾期"
    assert guard_text(sentence, "zh", 4).text == sentence
    assert guard_text(sentence, "zh", 0.5) == guard_text("谢谢观看", "zh", 1)
