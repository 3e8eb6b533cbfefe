"""Messages as this version and earlier ones wrote them: read today, and of this version written the same."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from protocol.codec import unpack
from protocol.messages import MESSAGE_TYPES
from protocol.messages.rounds import CHECKED_TYPES
from tests.support.roles.golden_messages import MESSAGES, kept, message_bytes
from tests.support.roles.golden_states import version

HINT = (
    "messages are written otherwise than they are kept: peers of this version cannot read each other. Of a "
    "version that is not released run python -m tests.support.roles.golden_messages"
)
KEPT = [
    pytest.param(name, bytes.fromhex(content), id=f"{release}-{name}-{place}")
    for release, messages in kept(MESSAGES).items()
    for name, contents in messages.items()
    for place, content in enumerate(contents)
]


def test_this_version_writes_what_is_kept_of_it():
    assert kept(MESSAGES)[version()] == message_bytes(), HINT


@pytest.mark.parametrize(("name", "content"), KEPT)
def test_a_message_of_then_is_read_today(name, content):
    assert unpack(MESSAGE_TYPES[name], content).type == name


def test_in_what_is_kept_of_checked_rounds_every_field_is_used():
    """A field that is left at its default in all of it could change and nobody would see."""
    messages = kept(MESSAGES)[version()]
    written = [(kind, content) for name, kind in CHECKED_TYPES.items() for content in messages[name]]
    bodies = [unpack(kind, bytes.fromhex(content)) for kind, content in written]
    fields = {(place, used) for body in bodies for place, used in _fields(body)}
    assert {place for place, _used in fields} - {place for place, used in fields if used} == set()


def _fields(value: BaseModel) -> Iterator[tuple[str, bool]]:
    """Each field of a message and of the values in it, and whether it holds anything but its default."""
    for name, field in type(value).model_fields.items():
        held = getattr(value, name)
        is_constant = name in {"type", "version"}
        used = field.is_required() or is_constant or held != field.get_default(call_default_factory=True)
        yield f"{type(value).__name__}.{name}", used
        for one in held if isinstance(held, tuple) else (held,):
            if isinstance(one, BaseModel):
                yield from _fields(one)
