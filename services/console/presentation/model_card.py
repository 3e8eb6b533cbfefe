"""A model card as a file: a page that needs nothing beside itself, Markdown, or JSON."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from textwrap import indent

from markupsafe import Markup

from services.console.presentation.card_sections import lead, sections
from services.console.presentation.rendering import Templates
from services.records.model_card import ModelCard

_STYLE = Path(__file__).parents[1] / "static" / "card.css"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&#])")


def as_html(card: ModelCard, language: str = "en") -> str:
    """One page: style and figures inside, no script, nothing fetched, whatever names the card has."""
    return _rendered("card/card.html", card, language)


def as_markdown(card: ModelCard, language: str = "en") -> str:
    """The same without figures, whose numbers stand in the tables."""
    return _rendered("card/card.md", card, language)


def as_json(card: ModelCard, _language: str = "en") -> str:
    """The card for programs."""
    return card.model_dump_json(indent=2) + "\n"


FORMATS: dict[str, tuple[str, Callable[..., str]]] = {
    ".html": ("text/html", as_html),
    ".md": ("text/markdown", as_markdown),
    ".json": ("application/json", as_json),
}
"""By the suffix of the file: its type, and what writes it."""


@cache
def _templates() -> Templates:
    return Templates(lambda path: path)


@cache
def _style() -> tuple[Markup, str]:
    """The style, and its hash for the page's own policy."""
    text = _STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704  our own file


def _rendered(template: str, card: ModelCard, language: str) -> str:
    style, digest = _style()
    values = {
        "card": card,
        "language": language,
        "lead": lead(card, language),
        "sections": sections(card, language),
        "style": style,
        "style_hash": digest,
        "markdown": markdown_text,
        "code": _markdown_code,
    }
    return _templates().render(language, template, values)


def markdown_text(text: str) -> Markup:
    """Text that Markdown, also within a table, shows as it is: names are other people's."""
    return Markup(_SPECIAL.sub(r"\\\1", text))  # noqa: S704  with nothing left that means something


def _markdown_code(text: str) -> Markup:
    """A block of code, by its indentation: there is no mark in it that a line could end it with."""
    return Markup(indent(text, "    "))  # noqa: S704  shown as it is
