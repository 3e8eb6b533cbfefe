"""The three makers of a ring as machines of their own, whose messages a test may drop, change or repeat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gmpy2 import mpz

from protocol.codec import pack
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.envelope import Envelope, SignedMessage
from protocol.messages.rounds import RingCommitted, RingConsent, RingNonce
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import SendMessage, StoreBlob
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.rounds import ring
from protocol.roles.rounds.ring_state import RingState, RingStep, RingView
from tests.support.groups import small_group
from tests.support.roles.pure_contract import MARKET, TRAINING

STREAM = Randomness(b"p" * 32)


def context_of(
    address: str,
    signing_key: bytes,
    blobs: dict[bytes, bytes] | None = None,
    private: dict[str, bytes] | None = None,
) -> Context:
    """What one step of a party may know."""
    return Context(
        address=address,
        market=MARKET,
        now=1_000.0,
        seed=STREAM.bytes(32),
        signing_key=signing_key,
        blobs=blobs or {},
        private=private or {},
        commitment_group=small_group(),
    )


def received(
    sender: str, signing_key: bytes, recipient: str, body: Any, at: tuple[int, int]
) -> Received[Any]:
    """A body as it reaches its recipient, signed."""
    envelope = Envelope(
        message_id=STREAM.bytes(16),
        type=body.type,
        training=TRAINING,
        round=at[0],
        attempt=at[1],
        sender=sender,
        recipient=recipient,
        sent_at=0,
        chain_id=MARKET.chain_id,
        contract=MARKET.contract,
    )
    return Received(SignedMessage.create(envelope, pack(body), signing_key), body)


@dataclass
class Player:
    """One maker: its view, its key, where its ring stands, what it has stored and sent."""

    view: RingView
    signing_key: bytes
    statement: bytes
    state: RingState | None = None
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    sent: list[SendMessage] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.view.context.parties[self.view.own]

    @property
    def ring(self) -> RingState:
        assert self.state is not None
        return self.state

    def context(self) -> Context:
        return context_of(self.address, self.signing_key, self.blobs)

    def begin(self) -> list[SendMessage]:
        return self._after(ring.ring_begin(self.view, self.statement, self.context()))

    def take(self, item: Received[Any]) -> list[SendMessage]:
        handlers: dict[type, Callable[..., RingStep]] = {
            RingCommitted: ring.on_committed,
            RingNonce: ring.on_nonce,
        }
        if isinstance(item.body, RingConsent):
            return []
        handler = handlers.get(type(item.body), ring.on_shared)
        return self._after(handler(self.ring, self.view, item, self.context()))

    def product(self, opened: Sequence[mpz]) -> Any:
        return ring.product(self.ring, self.view, opened, self.context())

    def _after(self, step: RingStep) -> list[SendMessage]:
        self.state = step.ring
        self.blobs |= {one.digest: one.content for one in step.effects if isinstance(one, StoreBlob)}
        sent = [one for one in step.effects if isinstance(one, SendMessage)]
        self.sent += sent
        return sent


def relayed(sender: Player, one: SendMessage) -> Received[Any]:
    """A sent message as it arrives."""
    return received(sender.address, sender.signing_key, one.recipient, one.body, (one.round, one.attempt))


Delivery = tuple[Maker, Received[Any]]


def play(
    players: dict[Maker, Player],
    *,
    change: Callable[[Maker, SendMessage], SendMessage | None] = lambda _maker, one: one,
    choose: Callable[[int], int] = lambda _count: 0,
) -> None:
    """Have all begin and deliver until nothing is under way; what is early is offered again later.

    `choose` picks the place of the next delivery among so many; `change` may alter or drop what is sent.
    """
    by_address = {player.address: maker for maker, player in players.items()}
    queue: list[Delivery] = []

    def post(maker: Maker, sent: Sequence[SendMessage]) -> None:
        for one in sent:
            passed = change(maker, one)
            if passed is not None and passed.recipient in by_address:
                queue.append((by_address[passed.recipient], relayed(players[maker], passed)))

    for maker, player in players.items():
        post(maker, player.begin())
    early: list[Delivery] = []
    while queue:
        maker, item = queue.pop(choose(len(queue)))
        try:
            post(maker, players[maker].take(item))
        except EarlyInput:
            early.append((maker, item))
            continue
        queue, early = early + queue, []
