"""A call and a list of failures as a terminal shows them, in Chinese or English."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callanalysis.i18n import MISSING, N_, Language, Words, words_of
from callanalysis.schema import CallAnalysis, Failure, Measure, Utterance, UtteranceTags
from callanalysis.skills import REASONS

_FILE_WIDTH = 120  # columns where the output is no terminal
_ROLES = MappingProxyType(
    {
        "collector": (N_("Collector"), "cyan"),
        "debtor": (N_("Debtor"), "yellow"),
        "unknown": (N_("Unknown"), ""),
    }
)
_MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "talk_time_collector": N_("Talk time of the collector"),
        "talk_time_debtor": N_("Talk time of the debtor"),
        "talk_share": N_("Collector talks"),
        "silence": N_("Silence"),
        "silence_share": N_("Share of silence"),
        "dead_air": N_("Dead air"),
        "pace_collector": N_("Pace of the collector"),
        "pace_debtor": N_("Pace of the debtor"),
        "longest_monologue": N_("Longest monologue"),
        "response_gap": N_("Response gap"),
        "interruptions_by_collector": N_("Interruptions by the collector"),
        "interruptions_by_debtor": N_("Interruptions by the debtor"),
    }
)


def console() -> Console:
    """Return the console of standard output; wide enough for tables where it is a file."""
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH, highlight=False)


def print_call(analysis: CallAnalysis, language: Language) -> None:
    """Print a call: what is known of it, what was said, measures."""
    words, out = words_of(language), console()
    out.print(Text(printable(analysis.metadata.call_id), style="bold"))
    out.print(_pairs(_facts(analysis, words)))
    out.print()
    out.print(_transcript(analysis, words))
    if analysis.measures:
        out.print(Text(f"\n{words.t('Measures')}", style="bold"))
        out.print(
            _pairs((words.t(_MEASURES.get(m.name, m.name)), _value(m, words)) for m in analysis.measures)
        )


def print_failures(failures: Iterable[Failure], language: Language) -> None:
    """Print failures with their remedies."""
    words = words_of(language)
    headings = ("File", "Call", "Stage", "What is wrong", "What to do", "Tried")
    table = Table(*(words.t(heading) for heading in headings), box=None, pad_edge=False)
    for failure in failures:
        cells = (failure.source, failure.call_id or MISSING, failure.stage, failure.fault, failure.remedy)
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in cells), f"{failure.attempts}×")
    console().print(table)


def print_corrections(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the objects of corrections by the names that files of corrections use."""
    table = Table(
        "call", "utterance", "text", "machine", "reviewer says", "reviewer", "at", box=None, pad_edge=False
    )
    for row in rows:
        machine = row["machine"]
        cells = (
            f"[{row['role']}] {row['text']}",
            "\n".join(
                ", ".join(machine[axis]) or "-" for axis in ("intent", "risk") if row[axis] is not None
            ),
            "\n".join(", ".join(row[axis]) or "-" for axis in ("intent", "risk") if row[axis] is not None),
            row["reviewer"],
            row["at"][:16],
        )
        shown = (Text("\n".join(map(printable, cell.split("\n"))), overflow="fold") for cell in cells)
        table.add_row(Text(printable(row["call"])), str(row["utterance"]), *shown)
    console().print(table)


def printable(text: str) -> str:
    """Return text without what would steer the terminal."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def _facts(analysis: CallAnalysis, words: Words) -> Iterator[tuple[str, str]]:
    data, judged = analysis.metadata, analysis.call_tags
    days = "" if data.days_past_due is None else words.n("{count} day", "{count} days", data.days_past_due)
    who = " ".join(filter(None, (data.collector_name, data.collector_id)))
    yield words.t("Started"), words.moment(data.started_at)
    yield words.t("Length"), words.clock(analysis.sound.duration if analysis.sound else None)
    yield words.t("Collector"), " · ".join(filter(None, (who, data.team)))
    yield words.t("Debtor"), " ".join(filter(None, (data.debtor_name, data.debtor_id, data.number_dialled)))
    yield words.t("Account"), " · ".join(filter(None, (data.account_id, data.product, days)))
    yield words.t("Balance"), words.money(data.balance, data.currency)
    if judged is not None:
        score = "" if judged.score is None else f" ({judged.score:.2f})"
        yield words.t("Willingness"), words.label(judged.willingness, "willingness") + score
        yield words.t("Ability"), words.label(judged.ability, "ability")
        yield words.t("Reason for arrears"), words.label(judged.overdue_reason, "overdue_reason")
    if analysis.sound is not None:
        yield words.t("Recording"), analysis.sound.path
    versions = (analysis.versions.speech, analysis.versions.tags)
    yield f"{words.t('Speech')}, {words.t('Tags')}", ", ".join(filter(None, versions))


def _transcript(analysis: CallAnalysis, words: Words) -> Table:
    tags = {tag.index: tag for tag in analysis.tags}
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column, width in (("time", 7), ("role", 9)):
        table.add_column(column, min_width=width, no_wrap=True)
    for utterance in analysis.transcript.utterances:
        role, style = _ROLES[utterance.role]
        said = Text(printable(utterance.text))
        said.append_text(_labels(utterance, tags.get(utterance.index), words))
        table.add_row(Text(words.clock(utterance.start), style="dim"), Text(words.t(role), style=style), said)
    return table


def _labels(utterance: Utterance, tags: UtteranceTags | None, words: Words) -> Text:
    found = Text()
    if tags is not None:
        for label in tags.intent:
            found.append(f"  {words.label(label, 'intent')}", style="dim")
        for label in tags.risk:
            score = tags.scores.get(label)
            share = f" {words.percent(score)}" if score is not None else ""
            found.append(f"  ⚠ {words.label(label, 'risk')}{share}", style="bold red")
    if utterance.role_confidence is not None:
        guessed = words.t("guessed, {share}", share=words.percent(utterance.role_confidence))
        found.append(f"  {guessed}", style="dim italic")
    return found


def _value(measure: Measure, words: Words) -> str:
    if measure.value is None:
        reason = words.t(REASONS.get(measure.reason or "", measure.reason or ""))
        return words.t("not available: {reason}", reason=reason)
    if measure.unit == "ratio":
        return words.percent(measure.value)
    digits = 0 if measure.name.startswith("pace_") else 1
    return f"{words.number(measure.value, digits)} {words.t(measure.unit)}"


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in pairs:
        if value and value != MISSING:
            table.add_row(Text(name, style="dim"), Text(printable(value), overflow="fold"))
    return table
