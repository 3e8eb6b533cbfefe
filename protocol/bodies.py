"""A message's typed body, also when a later minor version wrote it.

A minor version may add fields, with defaults, to messages, and types of messages; nothing else. A body of a
later minor version is read without the fields that this one does not know; of this or an earlier version, an
unknown field is refused. Only the body's own fields: what is inside (vectors, records, the request document)
has a digest that both sides must get, so it does not change before the next major version.
"""

from typing import Any, TypeVar, overload

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import MESSAGE_TYPES, Message
from protocol.messages.limits import limits_of
from protocol.types import FrozenModel

T = TypeVar("T", bound=FrozenModel)


@overload
def body_of(signed: SignedMessage, kind: type[T]) -> T: ...
@overload
def body_of(signed: SignedMessage) -> Any: ...
def body_of(signed: SignedMessage, kind: type[FrozenModel] | None = None) -> Any:
    """The body as the model `kind`, or as the message that it says it is.

    Raises ProtocolViolation: "malformed", "unknown_type", or "type_mismatch" with the envelope.
    """
    newer, named = signed.envelope.is_newer, kind or MESSAGE_TYPES.get(signed.envelope.type)
    if named is None:
        raise ProtocolViolation("unknown_type", signed.envelope.type)
    model = named if newer else kind or Message
    body: Any = unpack(model, signed.body, newer=newer, limits=limits_of(named))
    if body.type != signed.envelope.type:
        raise ProtocolViolation("type_mismatch", signed.envelope.type)
    return body
