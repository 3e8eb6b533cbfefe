"""Which trace something belongs to, as W3C's `traceparent`: on messages, and on what waits in a store.

On a message it stands outside signature and seal, so it is anybody's word: it decides nothing, it only says
under which trace our own spans are shown.
"""

import re
from collections.abc import Mapping
from typing import Any

TRACE_HEADER = "traceparent"

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_LENGTH = 55
_MARK = b"\xc1"
"""The one byte that msgpack never begins with: it tells content with a context from content alone."""


def context_in(headers: Mapping[str, Any]) -> str | None:
    """The context of a message, or None where there is none or not one of this form."""
    context = headers.get(TRACE_HEADER)
    return context if isinstance(context, str) and _FORM.fullmatch(context) else None


def with_context(content: bytes, context: str | None) -> bytes:
    """Packed content with the context in front, as the store keeps it: a restart keeps the link."""
    return content if context is None else _MARK + context.encode() + content


def split_context(content: bytes) -> tuple[str | None, bytes]:
    """The context, and the content alone."""
    if not content.startswith(_MARK):
        return None, content
    return content[1 : 1 + _LENGTH].decode(), content[1 + _LENGTH :]
