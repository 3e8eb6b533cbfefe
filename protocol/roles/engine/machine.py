"""The engine under every role: a table of phases and the inputs allowed in each, as data.

A role is a tuple of phases in the order they are lived through and a table phase → input → handler. An input
that a later phase allows is early (messages of different senders overtake each other, a node may be behind):
it is held and offered again after every change. Any other input leaves the state unchanged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eth_hash.auto import keccak
from pydantic import BaseModel

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect, RecordFact, SendMessage, StoreBlob
from protocol.roles.engine.inputs import (
    UNKNOWN_TRAINING,
    CallRefused,
    CatalogueChanged,
    EventConfirmed,
    Input,
    MessageReceived,
    PolicyChanged,
    TimerFired,
)
from protocol.types import Digest, FrozenModel

S = TypeVar("S", bound=FrozenModel)
T = TypeVar("T", bound=BaseModel)


class StaleInput(Exception):  # noqa: N818  a signal, not an error
    """The input's time is over, which is nobody's fault: note it."""


class EarlyInput(Exception):  # noqa: N818  a signal, not an error
    """The input is allowed later: hold it."""


class BlobRef(FrozenModel):
    """A reference to content that the store keeps under its digest while a state refers to it."""

    digest: Digest

    def load(self, kind: type[T], context: Context) -> T:
        """The content, which an earlier step of this role has written."""
        return unpack(kind, context.blobs[self.digest])

    def raw(self, context: Context) -> bytes:
        """The content as bytes."""
        return context.blobs[self.digest]


def store(value: BaseModel | bytes) -> tuple[BlobRef, StoreBlob]:
    """A reference to `value` and the effect that keeps it."""
    content = value if isinstance(value, bytes) else pack(value)
    digest = keccak(content)
    return BlobRef(digest=digest), StoreBlob(digest=digest, content=content)


def references(value: Any) -> Iterator[bytes]:
    """Every digest that a state refers to, however deep."""
    if isinstance(value, BlobRef):
        yield value.digest
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from references(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)


@dataclass(frozen=True, slots=True)
class Received:
    """A message as handlers see it: the signed original and its parsed body."""

    signed: SignedMessage
    body: Any

    @property
    def envelope(self) -> Envelope:
        """Who sent it, and where it belongs."""
        return self.signed.envelope

    @property
    def sender(self) -> str:
        """The address that signed it."""
        return self.signed.envelope.sender


Handler = Callable[[Any, Any, Context], Step[Any]]
"""(state, Received | contract event | timer's argument | refusal, context) → step."""

Table = Mapping[str, Mapping[str, Handler]]


def require(holds: bool, code: str, detail: str = "") -> None:
    """Raise ProtocolViolation(code) unless the peer kept the rule."""
    if not holds:
        raise ProtocolViolation(code, detail)


def input_name(item: Input) -> str:
    """The name of an input in a role's table."""
    match item:
        case MessageReceived(signed=signed):
            return signed.envelope.type
        case EventConfirmed(chain_event=chain_event):
            return chain_event.event.event
        case TimerFired(name=name):
            return f"timer:{name.split(':')[0]}"
        case CallRefused(call=call, code=code):
            return "training_gone" if code == UNKNOWN_TRAINING else f"refused:{call.call}"
        case CatalogueChanged():
            return "catalogue_changed"
        case PolicyChanged():
            return "policy_changed"


def _content(item: Input) -> Any:
    match item:
        case MessageReceived(signed=signed):
            return Received(signed, body_of(signed))
        case EventConfirmed(chain_event=chain_event):
            return chain_event.event
        case TimerFired(name=name):
            return name.partition(":")[2]
        case _:
            return item


@dataclass(frozen=True)
class Machine(Generic[S]):
    """A role: its phases in order, and what each phase allows."""

    role: str
    phases: tuple[str, ...]
    table: Table

    def step(self, state: S, item: Input, context: Context) -> Step[S]:
        """One transition.

        Raises EarlyInput for an input that belongs to a later phase, ProtocolViolation for a peer's fault; an
        input of an earlier phase, or of none, changes nothing and is noted.
        """
        phase: str = state.phase  # type: ignore[attr-defined]
        name = input_name(item)
        handler = self.table[phase].get(name)
        if handler is not None:
            try:
                return handler(state, _content(item), context)
            except StaleInput:
                return Step(state, (RecordFact(name="input_late", data={"phase": phase, "input": name}),))
        later = self.phases[self.phases.index(phase) + 1 :]
        if any(name in self.table[other] for other in later):
            raise EarlyInput
        return Step(state, (RecordFact(name="input_ignored", data={"phase": phase, "input": name}),))


def message(
    context: Context, recipient: str, body: Any, place: tuple[int, int] = (0, 0), *, label: str = ""
) -> SendMessage:
    """A message with an id drawn from the step's own stream; `label` tells messages of one step apart.

    `place` is (round, attempt).
    """
    round_number, attempt = place
    stream = context.randomness(f"message:{body.type}:{recipient}:{round_number}:{attempt}:{label}")
    return SendMessage(
        message_id=stream.bytes(16), recipient=recipient, body=body, round=round_number, attempt=attempt
    )


def replace(state: S, **fields: Any) -> S:
    """The state with some fields replaced, checked like a new one."""
    return type(state).model_validate({**dict(state), **fields})


def effects_of(*groups: Effect | Sequence[Effect] | None) -> tuple[Effect, ...]:
    """One tuple of effects out of single ones and groups."""
    flat: list[Effect] = []
    for group in groups:
        if group is None:
            continue
        if isinstance(group, Sequence):
            flat.extend(group)
        else:
            flat.append(group)
    return tuple(flat)
