"""People with keys, a chain that only remembers, and messages between them: for tests of one daemon."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.codec import pack
from protocol.crypto.paillier import generate_private_key
from protocol.envelope import Envelope, SignedMessage
from protocol.marketplace import ContractCall
from protocol.messages import ChainEvent, Message
from protocol.records import Market
from protocol.terms import Terms
from services.bus.memory import MemoryBroker
from services.bus.port import Outgoing
from services.chain.contract.views import Owners
from services.chain.errors import CallReverted, ChainUnavailable
from services.identity.keys import Identity
from services.identity.sealing import seal

TERMS = Terms(
    aggregator="0x" + "00" * 20,
    request_hash=bytes(32),
    rounds=1,
    min_owners=4,
    max_owners=4,
    contribution_bps=10_000,
    participation_bps=0,
    validation_bps=0,
    aggregation_bps=0,
    join_seconds=60,
    round_seconds=60,
    reveal_seconds=60,
    abandon_bps=200,
)
MARKET = Market(chain_id=1337, contract="0x" + "c0" * 20)


@dataclass
class Person:
    """A party as the others see it."""

    role: str
    identity: Identity = field(default_factory=lambda: Identity(os.urandom(32), os.urandom(32)))

    @property
    def address(self) -> str:
        return self.identity.address

    def envelope(self, recipient: "Person", kind: str, **changes: Any) -> Envelope:
        values = {
            "message_id": os.urandom(16),
            "training": 1,
            "sent_at": int(time.time() * 1000),
            "sender": self.address,
        }
        values |= MARKET.model_dump()
        return Envelope(**{**values, "type": kind, "recipient": recipient.address, **changes})

    def signed(self, recipient: "Person", body: Message, **changes: Any) -> SignedMessage:
        envelope = self.envelope(recipient, body.type, **changes)
        return SignedMessage.create(envelope, pack(body), self.identity.signing_key)

    def outgoing(self, recipient: "Person", body: Message, **changes: Any) -> Outgoing:
        """A message as it should be, but for the changes to its envelope."""
        return sealed(self.signed(recipient, body, **changes), recipient)


def sealed(message: SignedMessage, recipient: Person) -> Outgoing:
    content = seal(message.sealed_part(), recipient.identity.exchange_key)
    return Outgoing(recipient.role, message.envelope, content)


@dataclass
class StrangersDelivery:
    """What a queue hands over; remembers what became of it."""

    envelope_fields: Mapping[str, Any]
    body: bytes
    trace: str | None = None
    acked: bool = False
    refused: tuple[str, str] | None = None

    async def ack(self) -> None:
        self.acked = True

    async def dead_letter(self, code: str, detail: str) -> None:
        self.refused = (code, detail)


def delivery_of(message: Outgoing, **changes: Any) -> StrangersDelivery:
    return StrangersDelivery({**message.envelope.model_dump(), **changes}, message.sealed)


class FakeChain:
    """The methods of a MarketplaceClient that a daemon uses."""

    def __init__(self, *registered: Person) -> None:
        self.roles = {person.address: person.role for person in registered}
        self.keys = {(0, person.address): person.identity.exchange_key for person in registered}
        self.openings: dict[int, tuple[str, str]] = {}
        self.missing: set[int] = set()
        self.calls: list[ContractCall] = []
        self.refusals: dict[str, str] = {}
        self.down = False
        self.asked = 0
        self.on_submit: Callable[[ContractCall], Awaitable[None]] | None = None

    async def role_of(self, account: str) -> str | None:
        self._ask()
        return self.roles.get(account)

    async def exchange_key_of(self, training: int, account: str) -> bytes | None:
        self._ask()
        return self.keys.get((training, account))

    async def owners(self, training: int) -> Owners:
        self._ask()
        del training
        return Owners((), 0, 0)

    async def status(self, training: int) -> str:
        self._ask()
        return "none" if training in self.missing else "open"

    async def opening_of(self, training: int) -> tuple[str, int, Terms | None]:
        self._ask()
        nobody = "0x" + "00" * 20
        aggregators = [who for who, role in self.roles.items() if role == "federated_aggregator"]
        buyer, aggregator = self.openings.get(training, (nobody, (*aggregators, nobody)[0]))
        return buyer, 1, TERMS.model_copy(update={"aggregator": aggregator})

    async def submit(self, call: ContractCall) -> None:
        self._ask()
        if call.call in self.refusals:
            raise CallReverted(self.refusals[call.call])
        self.calls.append(call)
        if self.on_submit is not None:
            await self.on_submit(call)

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise ChainUnavailable("no answer from the node")


class BelievingNode:
    """A node that has whatever is announced, as the receiver of events asks it."""

    async def has_confirmed(self, block_number: int) -> bool:
        return True

    def has_reached(self, block_number: int) -> bool:
        return True

    def may_be_reached(self, block_number: int) -> bool:
        return True

    def lag(self) -> str | None:
        return None

    async def fresh_lag(self) -> str | None:
        return None

    async def check(self, event: ChainEvent) -> None:
        return


class OneKey:
    """A key store that makes one Paillier key and counts who asked."""

    def __init__(self, bits: int = 512) -> None:
        self.content = generate_private_key(bits).to_bytes()
        self.labels: list[tuple[str, int]] = []

    def paillier(self, label: str, bits: int) -> bytes:
        self.labels.append((label, bits))
        return self.content


def broker_of(*people: Person) -> MemoryBroker:
    broker = MemoryBroker()
    for person in people:
        broker.declare(person.role, person.address)
    return broker


def event_of(event: Any, number: int = 1) -> ChainEvent:
    return ChainEvent(
        event=event,
        chain_id=MARKET.chain_id,
        block_number=number,
        block_hash=number.to_bytes(32, "big"),
        transaction_hash=b"t" * 32,
        log_index=0,
        timestamp=number,
    )
