"""Small pieces of HTML for st.html; every text that goes in is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Fact = tuple[str, str, str]  # label, value (HTML), help


def text(value: object, title: str = "", css: str = "") -> str:
    """Return a span of plain text, with help and class where given."""
    attributes = f' class="{escape(css)}"' if css else ""
    attributes += f' title="{escape(title)}"' if title else ""
    return f"<span{attributes}>{escape(str(value))}</span>" if attributes else escape(str(value))


def paragraph(value: str, css: str) -> str:
    """Return a paragraph of plain text."""
    return f'<p class="{escape(css)}">{escape(value)}</p>'


def title(heading: str, counts: Iterable[str] = ()) -> str:
    """Return the head line of a page: its name, and counts (HTML) beside it."""
    beside = "".join(f'<span class="ca-counts">{part}</span>' for part in counts)
    return f'<div class="ca-title"><h1>{escape(heading)}</h1>{beside}</div>'


def panel(heading: str, *body: str) -> str:
    """Return a framed part with a heading; the body is HTML."""
    return f'<section class="ca-panel"><h2>{escape(heading)}</h2>{"".join(body)}</section>'


def facts(rows: Iterable[Fact], css: str = "") -> str:
    """Return a list of label and value; the values are HTML, labels and help are text."""
    cells = (f'<dt>{text(label, help_)}</dt><dd class="{css}">{value}</dd>' for label, value, help_ in rows)
    return f"<dl>{''.join(cells)}</dl>"


def chip(name: str, kind: str, title: str = "") -> str:
    """Return a label as a chip."""
    return text(name, title, f"ca-chip ca-chip-{kind}")


def line_links(lines: Iterable[tuple[int, str, str]]) -> str:
    """Return links to lines of the transcript, each of (index, time, text)."""
    items = (
        f'<li><a href="#line-{index}"><time>{escape(at)}</time><span>{escape(said)}</span></a></li>'
        for index, at, said in lines
    )
    return f"<ul>{''.join(items)}</ul>"


def notice(heading: str, *paragraphs: str) -> str:
    """Return a framed notice for a page with nothing to show; `code` in the text stands in backticks."""
    body = "".join(f"<p>{_with_code(paragraph)}</p>" for paragraph in paragraphs)
    return f'<div class="ca-empty"><h2>{escape(heading)}</h2>{body}</div>'


def _with_code(paragraph: str) -> str:
    parts = escape(paragraph).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
