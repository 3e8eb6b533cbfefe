"""Accents in one form, in which names and levels are compared: é may be written as one letter or as two."""

import unicodedata
from typing import Any

_DEEPEST = 20
"""Levels of a document: what lies deeper than any request does is left to whoever refuses it."""


def composed(value: Any, levels: int = _DEEPEST) -> Any:
    """A text in the form NFC, and a document of such texts; keys, and what is neither, stay as they are."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if not levels:
        return value
    if isinstance(value, dict):
        return {key: composed(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(composed(item, levels - 1) for item in value)
    return value
