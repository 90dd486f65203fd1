"""Brings the catalogues up to date with the code and compiles them: `python -m callanalysis.locale.update`.

New messages enter with an empty translation (in English with the message itself), unused ones leave. It needs
Babel, which the extra `dev` brings; the app reads the compiled files with the standard library alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from callanalysis.audio.faults import FAULTS as SOUND_FAULTS
from callanalysis.audio.faults import NOTES
from callanalysis.i18n import DOMAIN, LOCALE_FOLDER, LOCALES, Language
from callanalysis.intake.faults import FAULTS as INTAKE_FAULTS
from callanalysis.labels import COLLECTOR_INTENTS, DEBTOR_INTENTS, OTHER, RISKS
from callanalysis.skills import DEFINITIONS, REASONS

PACKAGE = LOCALE_FOLDER.parent
_KEYWORDS = {"t": None, "n": (1, 2), "N_": None}
_UNDATED = datetime(2026, 1, 1, tzinfo=UTC)  # the compiled file holds a date, which must not change by itself
_HEADER = """msgid ""
msgstr ""
"Language: {locale}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plurals}\\n"

"""

Message = str | tuple[str, str]


def main() -> None:
    """Update and compile every catalogue; print how many messages wait for a translation."""
    for language, name in LOCALES.items():
        catalogue = merged(read(name), list(messages()), language)
        po_file(name).write_bytes(written(catalogue))
        po_file(name).with_suffix(".mo").write_bytes(compiled(read(name)))
        print(f"{name}: {len(catalogue)} messages, {len(untranslated(catalogue))} without a translation")


def messages() -> Iterator[Message]:
    """Yield every message: those in the app's code, meanings of labels, faults, definitions, reasons."""
    for path in sorted(PACKAGE / name for name in _sources()):
        for _, found, _, _ in extract_from_file("python", path, keywords=_KEYWORDS):
            yield found if isinstance(found, str) else (found[0], found[1])
    for label in (*COLLECTOR_INTENTS, *DEBTOR_INTENTS, *RISKS, OTHER):
        yield label.meaning
    for fault_and_remedy in (*SOUND_FAULTS.values(), *INTAKE_FAULTS.values()):
        yield from fault_and_remedy
    for texts in (NOTES, DEFINITIONS, REASONS):
        yield from texts.values()


def _sources() -> list[str]:
    return ["i18n.py", *(str(path.relative_to(PACKAGE)) for path in (PACKAGE / "pages").glob("*.py"))]


def read(name: str) -> Catalog:
    """Return the catalogue of a locale as it is on disk; an empty one where there is none yet."""
    if not po_file(name).is_file():
        return Catalog(locale=name)
    catalogue = read_po(io.BytesIO(po_file(name).read_bytes()), locale=name)
    catalogue.creation_date = _UNDATED
    return catalogue


def merged(old: Catalog, wanted: list[Message], language: Language) -> Catalog:
    """Return a catalogue of exactly the messages wanted, with the translations that `old` has."""
    new = Catalog(locale=old.locale, fuzzy=False)
    for message in sorted(set(wanted), key=str):
        key = message if isinstance(message, str) else message[0]
        known = old.get(key)
        translation = (known.string if known else None) or ""
        if not any(translation) and language == "en":
            translation = message
        new.add(message, translation)
    return new


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the messages without a translation."""
    return [str(message.id) for message in catalogue if message.id and not _is_whole(message.string)]


def written(catalogue: Catalog) -> bytes:
    """Return the catalogue as text for translators."""
    buffer = io.BytesIO(_HEADER.format(locale=catalogue.locale, plurals=catalogue.plural_forms).encode())
    buffer.seek(0, io.SEEK_END)
    write_po(buffer, catalogue, width=110, no_location=True, omit_header=True)
    return buffer.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue in the form that gettext reads."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def po_file(name: str) -> Path:
    """Return where the catalogue of a locale is."""
    path = LOCALE_FOLDER / name / "LC_MESSAGES" / f"{DOMAIN}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _is_whole(translation: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(translation) and (isinstance(translation, str) or all(translation or ()))


if __name__ == "__main__":
    main()
