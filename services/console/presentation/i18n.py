"""Languages: English in the sources, translations from the package's .po files, read once."""

import gettext
import io
from functools import cache
from importlib import resources

from babel import Locale
from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DOMAIN = "console"
LANGUAGES = {"en": "English", "es": "Español"}
"""What the switch offers, each in its own words."""


def gettext_noop(text: str) -> str:
    """Mark a text that is translated where it is shown."""
    return text


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; English needs none."""
    if language == "en":
        return gettext.NullTranslations()
    place = resources.files("services.console") / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    catalog = read_po(io.BytesIO(place.read_bytes()), locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    return gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))


@cache
def locale_of(language: str) -> Locale:
    """Babel's rules for numbers and dates in a language."""
    return Locale.parse(language)


def negotiate(accepted: str) -> str:
    """The language that serves an Accept-Language header best; English when none does."""
    weighted = [_weighted(part) for part in accepted[:500].split(",")]
    weighted.sort(key=lambda entry: -entry[0])
    return negotiate_locale([name for weight, name in weighted if weight > 0], list(LANGUAGES)) or "en"


def _weighted(part: str) -> tuple[float, str]:
    name, _, parameters = part.strip().partition(";")
    try:
        return float(parameters.strip().removeprefix("q=") or 1), name.replace("-", "_")
    except ValueError:
        return 0.0, name
