"""Both languages are whole, and the compiled catalogues are those of the sources."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from callanalysis.audio.faults import FAULTS
from callanalysis.i18n import LOCALES, Language, preferred_language, words_of
from callanalysis.intake.faults import FAULTS as INTAKE_FAULTS
from callanalysis.locale import update
from callanalysis.pages.texts import fault_and_remedy
from callanalysis.schema import Failure

LANGUAGES: tuple[Language, ...] = ("zh", "en")
AT = datetime(2026, 6, 11, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", LOCALES.values())
def test_every_message_is_translated(name: str) -> None:
    catalogue = update.read(name)
    wanted = {x if isinstance(x, str) else x[0] for x in update.messages()} - {""}
    known = {x.id if isinstance(x.id, str) else x.id[0] for x in catalogue}
    assert wanted - known == set(), "run python -m callanalysis.locale.update"
    assert not update.untranslated(catalogue)


@pytest.mark.parametrize("name", LOCALES.values())
def test_compiled_catalogue_is_that_of_the_source(name: str) -> None:
    assert update.po_file(name).with_suffix(".mo").read_bytes() == update.compiled(update.read(name))


@pytest.mark.parametrize("name", LOCALES.values())
def test_translations_keep_the_fields(name: str) -> None:
    for message in update.read(name):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[-1]
            text = message.string if isinstance(message.string, str) else (message.string or ("",))[-1]
            assert sorted(re.findall(r"{[^}]*}", key)) == sorted(re.findall(r"{[^}]*}", text)), key


@pytest.mark.parametrize(
    ("locale", "language"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-US", "en"), ("de", "en"), (None, "en")]
)
def test_language_of_a_browser(locale: str | None, language: str) -> None:
    assert preferred_language(locale) == language


@pytest.mark.parametrize(
    ("method", "arguments", "zh", "en"),
    [
        ("money", (3500.0, "CNY"), "¥3,500.00", "CN¥3,500.00"),
        ("money", (-850.5, "USD"), "-US$850.50", "-$850.50"),
        ("money", (10.0, "CHF"), "CHF 10.00", "CHF 10.00"),
        ("money", (None, "CNY"), "–", "–"),
        ("moment", (AT,), "2026-06-11 09:05", "11 Jun 2026 09:05"),
        ("clock", (3725.9,), "1:02:05", "1:02:05"),
        ("clock", (65,), "1:05", "1:05"),
        ("percent", (0.256,), "26%", "26%"),
        ("label", ("insult", "risk"), "辱骂侮辱", "Insult"),
        ("label", (None, "risk"), "–", "–"),
        ("n", ("{count} day", "{count} days", 1), "1 天", "1 day"),
        ("n", ("{count} day", "{count} days", 1200), "1,200 天", "1,200 days"),
    ],
)
def test_how_things_are_written(method: str, arguments: tuple[object, ...], zh: str, en: str) -> None:
    assert [getattr(words_of(language), method)(*arguments) for language in LANGUAGES] == [zh, en]


def failure(code: str, fault: str, remedy: str) -> Failure:
    return Failure("a.wav", None, "audio", code, fault, remedy, AT)


def test_faults_keep_their_values_in_translation() -> None:
    fault, remedy = FAULTS["too_long"]
    stored = failure("too_long", fault.format(hours=6.5, limit=4.0), remedy)
    assert fault_and_remedy(stored, words_of("en")) == (stored.fault, stored.remedy)
    assert fault_and_remedy(stored, words_of("zh"))[0] == "录音长 6.5 小时，超过上限 4 小时"


@pytest.mark.parametrize("code", [*FAULTS, *INTAKE_FAULTS, "checkpoint", "bad_table", "store"])
def test_every_fault_can_be_told_in_chinese(code: str) -> None:
    told = fault_and_remedy(failure(code, "worded otherwise", "by an older version"), words_of("zh"))
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in told)


def test_unknown_fault_is_told_as_it_was_stored() -> None:
    stored = failure("of_the_future", "a {brace} and more", "do this")
    assert fault_and_remedy(stored, words_of("zh")) == (stored.fault, stored.remedy)
