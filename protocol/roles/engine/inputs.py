"""What goes into a role's transition: a small closed union, its names, and what tells two inputs apart."""

from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar, assert_never

from eth_hash.auto import keccak
from pydantic import Field

from protocol.codec import pack
from protocol.envelope import Envelope, SignedMessage
from protocol.marketplace import ContractCall
from protocol.messages import ChainEvent
from protocol.types import Code, FrozenModel, RoundAttempt

Body_co = TypeVar("Body_co", bound=FrozenModel, covariant=True)
Call_co = TypeVar("Call_co", bound=FrozenModel, covariant=True)


class MessageReceived(FrozenModel):
    """A message off the bus; the runtime has checked its signature, the sender's role and its route."""

    input: Literal["message"] = "message"
    signed: SignedMessage


class EventConfirmed(FrozenModel):
    """A contract event at confirmed depth."""

    input: Literal["event"] = "event"
    chain_event: ChainEvent


class TimerFired(FrozenModel):
    """A timer that an earlier step set has run out."""

    input: Literal["timer"] = "timer"
    name: str


UNKNOWN_TRAINING = "unknown_training"
"""The code of a call about a training that is not on the chain: a reorganisation took its opening back."""
TRAINING_GONE = "training_gone"
"""The name of any call that was refused as UNKNOWN_TRAINING."""


class CallRefused(FrozenModel):
    """The contract refused a call for good.

    `code` is the custom error's name in snake_case, or UNKNOWN_TRAINING.
    """

    input: Literal["call_refused"] = "call_refused"
    call: ContractCall
    code: Code


class CatalogueChanged(FrozenModel):
    """An owner's data sets changed: a waiting training may match now."""

    input: Literal["catalogue_changed"] = "catalogue_changed"


class PolicyChanged(FrozenModel):
    """An owner's standing policy changed: a training that waits for a decision may be joined now."""

    input: Literal["policy_changed"] = "policy_changed"


Input = Annotated[
    MessageReceived | EventConfirmed | TimerFired | CallRefused | CatalogueChanged | PolicyChanged,
    Field(discriminator="input"),
]


@dataclass(frozen=True, slots=True)
class Received(Generic[Body_co]):
    """A message as handlers see it: the signed original and its parsed body."""

    signed: SignedMessage
    body: Body_co

    @property
    def envelope(self) -> Envelope:
        """Who sent it, and where it belongs."""
        return self.signed.envelope

    @property
    def sender(self) -> str:
        """The address that signed it."""
        return self.signed.envelope.sender

    @property
    def at(self) -> RoundAttempt:
        """The round and attempt that it is for."""
        return RoundAttempt(self.envelope.round, self.envelope.attempt)


@dataclass(frozen=True, slots=True)
class Refused(Generic[Call_co]):
    """A refused call as handlers see it: of its own type, and why."""

    call: Call_co
    code: str


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
            return TRAINING_GONE if code == UNKNOWN_TRAINING else f"refused:{call.call}"
        case CatalogueChanged() | PolicyChanged():
            return item.input
        case _:
            assert_never(item)


def input_identity(item: Input) -> str:
    """What no other input of the same step shares: it labels the stream of chance that the input draws from.

    A message is its sender and signature: an ECDSA signature with its recovery bit belongs to one digest, and
    the digest covers envelope and body. So a peer that reuses a message id gains nothing. An event is its log
    on the chain, a refusal its call. Equal inputs share an identity; an equal one is held once at most.
    """
    match item:
        case MessageReceived(signed=signed):
            return f"message:{signed.envelope.sender}:{signed.signature.hex()}"
        case EventConfirmed(chain_event=event):
            block = f"{event.chain_id}:{event.block_number}:{event.block_hash.hex()}"
            return f"event:{block}:{event.log_index}:{event.removed}"
        case TimerFired(name=name):
            return f"timer:{name}"
        case CallRefused(call=call, code=code):
            return f"call_refused:{keccak(pack(call)).hex()}:{code}"
        case CatalogueChanged() | PolicyChanged():
            return item.input
        case _:
            assert_never(item)
