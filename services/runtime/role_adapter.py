"""What a daemon adds to its pure role: where an input belongs, and the private data a step may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import ContractCall, MarketplaceEvent, Opened, PartyRole, training_of
from protocol.messages import Message
from protocol.roles.dispatch import inputs_of
from protocol.roles.engine.inputs import Input
from services.store import Store

NO_TRAINING = "outside"
"""The key of messages that belong to no training; the shell answers them, not a state machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an input outside all trainings leads to.

    Messages by recipient, values to remember (None forgets one), a fact, inputs for instances by their keys,
    contract calls.
    """

    messages: tuple[tuple[str, Message], ...] = ()
    values: Mapping[str, bytes | None] = field(repr=False, default_factory=dict)
    fact: tuple[str, Mapping[str, object]] | None = None
    inputs: tuple[tuple[str, Input], ...] = ()
    calls: tuple[ContractCall, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleContext:
    """What only the role knows of a step's context; the fields are those of `Context`."""

    announced: tuple[str, ...] = ()
    private: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    policy: bytes = field(default=b"", repr=False)


class PaillierKeys(Protocol):
    """Where a buyer's Paillier keys are kept, one for each training."""

    def paillier(self, label: str, bits: int) -> bytes:
        """The key of this label (`PrivateKey.to_bytes`), made on first use."""
        ...


class Role:
    """The parts that all three roles share; each method may be replaced."""

    name: PartyRole

    def __init__(self, store: Store) -> None:
        """`store` is the daemon's."""
        self.store = store

    def key_of_message(self, signed: SignedMessage) -> str:
        """The instance that a message is for; raises ProtocolViolation for one that fits nowhere."""
        training = signed.envelope.training
        if training == 0:
            raise ProtocolViolation("unknown_training", signed.envelope.type)
        return self.store.key_of(training) or str(training)

    def key_of_event(self, event: MarketplaceEvent) -> str | None:
        """The instance that an event concerns, or None; what no phase of the role allows concerns none."""
        training = training_of(event)
        known = self.store.key_of(training) if training and self._takes(event) else None
        return self.key_of_opening(event) if known is None and isinstance(event, Opened) else known

    def _takes(self, event: MarketplaceEvent) -> bool:
        return event.event in inputs_of(self.name)

    def objection(self, training: int, buyer: str, aggregator: str) -> str:
        """Why a training that the store does not know cannot start here, as a code; empty where it can."""
        del training, buyer, aggregator
        return ""

    def key_of_opening(self, opened: Opened) -> str | None:
        """The instance that an opening starts, or belongs to; None where it is not ours."""
        del opened
        return None

    async def context(self, key: str, item: Input) -> RoleContext:
        """What this role adds for a step of an instance."""
        del key, item
        return RoleContext()

    def is_serialized(self, item: Input) -> bool:
        """Whether no two inputs of this kind may be in hand at once: what one decides bounds the other."""
        del item
        return False

    def withdraws(self) -> bool:
        """Whether what the contract credits is to be paid out at once."""
        return True

    def answer(self, signed: SignedMessage) -> Answer:
        """React to a message outside all trainings."""
        raise ProtocolViolation("unknown_training", signed.envelope.type)
