"""`make messages`: find the texts of pages and sources, and renew the catalogues.

New texts are added untranslated, those no longer used are dropped; a test fails until all are translated.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

from protocol.reason import TEMPLATES
from services.console.presentation.i18n import DOMAIN, LANGUAGES
from services.records.refusal_texts import REFUSALS

FOLDER = Path(__file__).parents[1]
_START_PAGE = FOLDER.parent / "sandbox" / "start_page.py"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {"_": None, "gettext_noop": None, "gettext": None, "ngettext": (1, 2)}
_OPTIONS = {"templates/**.html": {"trimmed": "false", "silent": "false"}}


def extracted() -> Catalog:
    """The texts that the sources have now."""
    catalogue = Catalog(charset="utf-8")
    for _file, _line, message, _comments, _context in extract_from_dir(
        FOLDER, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
    ):
        catalogue.add(message)
    for _line, message, _comments, _context in extract_from_file("python", _START_PAGE, keywords=_KEYWORDS):
        catalogue.add(message)
    for message in (*REFUSALS.values(), *TEMPLATES):
        catalogue.add(message)
    return catalogue


def catalogue_path(language: str) -> Path:
    """Where a language's catalogue is."""
    return FOLDER / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def renewed(language: str) -> Catalog:
    """A language's catalogue with exactly the texts of today."""
    path = catalogue_path(language)
    catalogue = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, domain=DOMAIN)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def main() -> None:
    """Renew all catalogues."""
    for language in LANGUAGES:
        if language == "en":
            continue
        catalogue, path = renewed(language), catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            # Without places and dates, so that two branches that add texts can be merged.
            write_po(file, catalogue, width=110, no_location=True, omit_header=True, sort_output=True)


if __name__ == "__main__":
    main()
