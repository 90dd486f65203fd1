"""What stands beside a call's transcript, as HTML: judgement, risks, promise, measures, facts.

Names and numbers come in masked, see masking.py.
"""

from __future__ import annotations

from datetime import datetime

from callanalysis.i18n import MISSING, N_, Words
from callanalysis.pages import markup
from callanalysis.pages.measures import measure_rows, missing_measures
from callanalysis.pages.texts import label_meaning, note
from callanalysis.schema import CallAnalysis, CallMetadata, Sound

_DIRECTIONS = {"outbound": N_("Outbound"), "inbound": N_("Inbound")}
_KINDS = {
    "full": N_("All that is due"),
    "partial": N_("A part"),
    "instalment": N_("Instalment"),
    "vague": N_("Vague"),
}
_EXCERPT = 60  # characters of an utterance in a link


def all_panels(analysis: CallAnalysis, words: Words) -> str:
    """Return the panels of a call, one under the other."""
    panels = (judgement(analysis, words), risks(analysis, words), promise(analysis, words))
    return "".join((*panels, measures(analysis, words), facts(analysis, words)))


def judgement(analysis: CallAnalysis, words: Words) -> str:
    """Return willingness with its place on the scale and the utterances it rests on, ability and reason."""
    tags, heading = analysis.call_tags, words.t("Judgement")
    if tags is None:
        return markup.panel(
            heading, markup.text(words.t("This call has not been tagged yet."), css="ca-small")
        )
    level = words.label(tags.willingness, "willingness")
    score = "" if tags.score is None else f" {tags.score:.2f}"
    help_ = words.t("0 to 1: none below 0.25, low below 0.5, medium below 0.75, high above")
    value = (
        f'<span class="ca-level ca-level-{tags.willingness}"><b>{level}</b></span>{markup.text(score, help_)}'
    )
    rows = [
        (words.t("Willingness"), value, ""),
        (words.t("Ability"), markup.text(words.label(tags.ability, "ability")), ""),
        (words.t("Reason for arrears"), markup.text(words.label(tags.overdue_reason, "overdue_reason")), ""),
    ]
    scale = (
        "" if tags.score is None else f'<span class="ca-scale"><i style="left: {tags.score:.0%}"></i></span>'
    )
    why = markup.text(words.t("What willingness rests on"), css="ca-small") if tags.evidence else ""
    return markup.panel(heading, scale, markup.facts(rows), why, _lines(analysis, tags.evidence, words))


def risks(analysis: CallAnalysis, words: Words) -> str:
    """Return the risk labels of the call, each with links to its utterances."""
    found: dict[str, list[int]] = {}
    for tag in analysis.tags:
        for name in tag.risk:
            found.setdefault(name, []).append(tag.index)
    if not found:
        none = words.t("No utterance carries a risk label.") if analysis.call_tags else MISSING
        return markup.panel(words.t("Compliance risks"), markup.text(none, css="ca-small"))
    body = (
        markup.chip(words.label(name, "risk"), "risk", label_meaning(name, words))
        + _lines(analysis, at, words)
        for name, at in found.items()
    )
    return markup.panel(words.t("Compliance risks"), *body)


def promise(analysis: CallAnalysis, words: Words) -> str:
    """Return the promise to pay, or nothing where none is stored."""
    made = analysis.promise
    if made is None:
        return ""
    due = datetime.combine(made.due_date, datetime.min.time()) if made.due_date else None
    rows = [
        (words.t("Amount"), words.money(made.amount, analysis.metadata.currency), ""),
        (words.t("Due"), words.date(due), ""),
        (words.t("Kind"), markup.text(words.t(_KINDS.get(made.kind, made.kind))), ""),
    ]
    evidence = () if made.evidence is None else (made.evidence,)
    return markup.panel(words.t("Promise to pay"), markup.facts(rows), _lines(analysis, evidence, words))


def measures(analysis: CallAnalysis, words: Words) -> str:
    """Return the measures with their definitions as help, or why one is not available."""
    rows = measure_rows(analysis.measures, words)
    missing = [markup.paragraph(told, "ca-na") for told in missing_measures(analysis.measures, words)]
    if not rows and not missing:
        return ""
    return markup.panel(words.t("Measures"), markup.facts(rows, "ca-right") if rows else "", *missing)


def facts(analysis: CallAnalysis, words: Words) -> str:
    """Return what the call list says, then sound and versions."""
    rows = [*_list_facts(analysis.metadata, words), *_sound_facts(analysis.sound, words)]
    rows += [(words.t("Speech"), analysis.transcript.engine, "")]
    versions = {words.t("Tags"): analysis.versions.tags, words.t("Rules"): analysis.versions.rules}
    rows += [(label, version, "") for label, version in versions.items() if version]
    shown = [(label, markup.text(value), help_) for label, value, help_ in rows if value]
    return markup.panel(words.t("Call"), markup.facts(shown))


def _list_facts(data: CallMetadata, words: Words) -> list[markup.Fact]:
    collector = " · ".join(filter(None, (data.collector_name, data.collector_id, data.team)))
    overdue = data.days_past_due
    hidden = words.t("Shown masked")
    return [
        (words.t("Started"), _started(data.started_at, words), ""),
        (words.t("Direction"), words.t(_DIRECTIONS.get(data.direction or "", "")), ""),
        (words.t("Collector"), collector, ""),
        (words.t("Debtor"), data.debtor_name or "", hidden),
        (words.t("Number"), data.number_dialled or "", hidden),
        (words.t("Account"), data.account_id or "", ""),
        (words.t("Product"), data.product or "", ""),
        (words.t("Past due"), "" if overdue is None else words.n("{count} day", "{count} days", overdue), ""),
        (words.t("Balance"), _if(data.balance, words.money(data.balance, data.currency)), ""),
        (words.t("Jurisdiction"), data.jurisdiction or "", ""),
        *((name, value, "") for name, value in data.extra.items()),
    ]


def _sound_facts(sound: Sound | None, words: Words) -> list[markup.Fact]:
    if sound is None:
        return []
    sides = words.t("stereo") if sound.channels > 1 else words.t("mono")
    known = f"{sound.codec}, {sound.sample_rate / 1000:g} kHz, {sides}"
    notes = "; ".join(note(code, words) for code in sound.notes)
    return [(words.t("Recording"), known, ""), (words.t("Note"), notes, "")]


def _started(moment: datetime | None, words: Words) -> str:
    """Day and time with the zone they are told in."""
    return f"{words.moment(moment)} ({moment.tzname() or 'UTC'})" if moment else ""


def _if(value: object, shown: str) -> str:
    return "" if value is None else shown


def _lines(analysis: CallAnalysis, indices: tuple[int, ...] | list[int], words: Words) -> str:
    said = {x.index: x for x in analysis.transcript.utterances}
    found = [said[index] for index in indices if index in said]
    return (
        markup.line_links((x.index, words.clock(x.start), _excerpt(x.text)) for x in found) if found else ""
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
