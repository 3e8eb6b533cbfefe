"""The members of an attempt as real machines, with the buyer's, around an aggregator that is a test's.

Evidence is made by `checked_attempt`, by the honest functions; a test may change any message under way.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.codec import pack
from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.envelope import SignedMessage
from protocol.marketplace import Opened
from protocol.messages.rounds import (
    MetricConsent,
    MetricOpeningRequest,
    MomentAnswer,
    ProvenMetric,
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpeningRequest,
    RingShared,
    ShownMetrics,
    ShownNoise,
)
from protocol.messages.rounds.values import CommittedOwner, ShownOwner
from protocol.roles.buyer.role import MACHINE as BUYER
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SendMessage, StoreBlob
from protocol.roles.engine.inputs import MessageReceived, Received
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import references, store
from protocol.roles.owner.role import MACHINE as OWNER
from protocol.roles.owner.state import RunningState
from protocol.roles.rounds import ring
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.products import weighted_product
from protocol.roles.rounds.started import CommittedOwners
from protocol.signatures import sign_digest
from tests.support.roles.checked_attempt import AT, CheckedAttempt, MeasuredAttempt, checked_attempt
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.ring_players import Player, context_of, received
from tests.support.roles.transitions import observe


@dataclass
class Machined:
    """One party: its machine, where that stands, what it has stored and sent."""

    machine: Machine[Any]
    address: str
    signing_key: bytes
    state: Any
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    private: dict[str, bytes] = field(default_factory=dict)
    facts: list[Any] = field(default_factory=list)

    def copy(self) -> "Machined":
        return replace(self, blobs=dict(self.blobs), facts=list(self.facts))

    def context(self) -> Context:
        return context_of(self.address, self.signing_key, self.blobs, self.private)

    def step(self, signed: SignedMessage) -> Step[Any]:
        """One transition, held against the table; the state is read back as the daemon reads it."""
        return self.take(MessageReceived(signed=signed))

    def take(self, item: Any) -> Step[Any]:
        step = self.machine.step(self.state, item, self.context(), observe)
        self.blobs |= {one.digest: one.content for one in step.effects if isinstance(one, StoreBlob)}
        self.state = self.machine.read(pack(step.state))
        assert self.state == step.state
        needed = set(references(self.state))
        assert needed <= set(self.blobs)
        self.blobs = {digest: content for digest, content in self.blobs.items() if digest in needed}
        self.facts += [one for one in step.effects if type(one).__name__ == "RecordFact"]
        return step


def opened(world: CheckedAttempt) -> Opened:
    terms = world.request.terms(world.key.key_id)
    return Opened(
        training=TRAINING,
        buyer=world.buyer,
        aggregator=world.aggregator,
        deposit=world.request.payment.deposit_wei,
        terms=terms,
    )


def owner_state(world: CheckedAttempt, owner: str, **changes: Any) -> tuple[RunningState, dict[bytes, bytes]]:
    """An owner's in a training that has started, and its blobs."""
    shown, secrets = world.committed[owner]
    kept, secret_blob = store(secrets)
    everybody = tuple(
        ShownOwner(owner=one, card=b"c" * 32, committed=CommittedOwner.of(commitments))
        for one, (commitments, _) in world.committed.items()
    )
    owners, owners_blob = store(CommittedOwners(owners=everybody))
    fields = {
        "training": TRAINING,
        "opened": opened(world),
        "request": world.request,
        "n": int(world.key.n),
        "data_set": "rows",
        "rows": shown.rows,
        "parties": world.parties,
        "committed": CommittedOwner.of(shown),
        "secrets": kept,
        "owners": owners,
    }
    state = RunningState.model_validate({**fields, **changes})
    return state, {one.digest: one.content for one in (secret_blob, owners_blob)}


def owner_party(world: CheckedAttempt, owner: str, **changes: Any) -> Machined:
    state, blobs = owner_state(world, owner, **changes)
    return Machined(OWNER, owner, world.keys[owner], state, blobs)


Change = Callable[[SignedMessage], Sequence[SignedMessage]]


def honest(signed: SignedMessage) -> Sequence[SignedMessage]:
    return (signed,)


class PlayedAttempt:
    """The first attempt, from the buyer's moments on: members and buyer are machines, the aggregator is here.

    `change` may drop, replace or add messages; what reaches the aggregator is in `heard`.
    """

    def __init__(self, change: Change = honest) -> None:
        self.world = world = checked_attempt()
        self.change = change
        private = {"paillier": world.private.to_bytes()}
        buyer = world.running()
        self.buyer = Machined(BUYER, world.buyer, world.keys[world.buyer], buyer, private=private)
        self.members = {one: owner_party(world, one) for one in world.members}
        self.heard: list[SignedMessage] = []
        self.wire: list[SignedMessage] = []
        self.queue: list[SignedMessage] = []
        self.early: list[SignedMessage] = []
        self.rings: dict[str, Player] = {}
        answered = self.buyer.step(world.sent(world.aggregator, world.moment_request).signed)
        (body,) = [one.body for one in answered.effects if isinstance(one, SendMessage)]
        assert isinstance(body, MomentAnswer)
        self.buyer.step(world.sent(world.aggregator, world.announced).signed)
        self.measured = MeasuredAttempt(world, body)

    def copy(self) -> "PlayedAttempt":
        """Another one that stands where this one does."""
        other = copy(self)
        other.buyer = self.buyer.copy()
        other.members = {address: member.copy() for address, member in self.members.items()}
        other.rings = {
            name: replace(one, blobs=dict(one.blobs), sent=list(one.sent)) for name, one in self.rings.items()
        }
        for name in ("heard", "wire", "queue", "early"):
            setattr(other, name, list(getattr(self, name)))
        return other

    @property
    def checkers(self) -> tuple[Machined, Machined]:
        first, second = (self.members[one] for one in self.world.checkers)
        return first, second

    @property
    def others(self) -> list[Machined]:
        return [one for address, one in self.members.items() if address not in self.world.checkers]

    def signed(self, sender: str, recipient: str, body: Any, at: tuple[int, int] = AT) -> SignedMessage:
        return received(sender, self.world.keys[sender], recipient, body, at).signed

    def post(self, sender: str, recipient: str, body: Any, at: tuple[int, int] = AT) -> None:
        one = self.signed(sender, recipient, body, at)
        self.wire.append(one)
        self.queue += self.change(one)

    def show(self, body: Any | None = None) -> None:
        """The aggregator shows evidence to all members, and begins its ring."""
        for member in self.members:
            self.post(self.world.aggregator, member, body or self.measured.evidence)
        self.begin(Purpose.NEXT_MODEL, self.measured.check.statement())

    def begin(self, purpose: Purpose, statement: bytes) -> None:
        player = self.measured.players(purpose, statement)[Maker.AGGREGATOR]
        self.rings[purpose.value] = player
        self._sent(self.world.aggregator, player.begin())

    def run(self) -> None:
        """Deliver until nothing is under way; what is early is offered again after every delivery."""
        while self.queue:
            one = self.queue.pop(0)
            try:
                self.deliver(one)
            except EarlyInput:
                self.early.append(one)
                continue
            self.queue, self.early = self.early + self.queue, []

    def deliver(self, one: SignedMessage) -> None:
        recipient = one.envelope.recipient
        if recipient == self.world.aggregator:
            self._heard(one)
            return
        party = self.buyer if recipient == self.world.buyer else self.members[recipient]
        step = party.step(one)
        self._sent(recipient, [effect for effect in step.effects if isinstance(effect, SendMessage)])

    def _sent(self, sender: str, sent: Sequence[SendMessage]) -> None:
        for one in sent:
            self.post(sender, one.recipient, one.body, (one.round, one.attempt))

    def _heard(self, one: SignedMessage) -> None:
        kinds = {kind.model_fields["type"].default: kind for kind in (RingCommitted, RingNonce, RingShared)}
        kind = kinds.get(one.envelope.type)
        if kind is None:
            self.heard.append(one)
            return
        body = body_of(one, kind)
        player = self.rings.get(body.purpose)
        if player is None:
            raise EarlyInput
        self._sent(self.world.aggregator, player.take(Received(one, body)))

    def of_type(self, name: str) -> list[SignedMessage]:
        return [one for one in self.heard if one.envelope.type == name]

    # ---- the aggregator goes on ----

    def open_model(self) -> None:
        """With both consents have the buyer open the next model's sums to the checkers."""
        player, world = self.rings[Purpose.NEXT_MODEL.value], self.world
        context = player.context()
        check = self.measured.check
        made = ring.product(
            player.ring, player.view, check.sums(ring.chance(player.ring, player.view)), context
        )
        digest = ring.digest_to_sign(player.ring, player.view, made, context)
        own = sign_digest(player.signing_key, digest)
        consents = {
            one.envelope.sender: body_of(one, RingConsent).signature for one in self.of_type("ring_consent")
        }
        body = RingOpeningRequest(
            purpose=Purpose.NEXT_MODEL.value,
            product=tuple(write_ciphertexts(world.key, made.ciphertexts)),
            signatures=(own, *(consents[one] or b"" for one in world.checkers)),
        )
        self.post(world.aggregator, world.buyer, body)

    def show_metrics(self, body: Any | None = None) -> None:
        """Show both verdicts and all metrics, and begin the ring of noise."""
        world = self.world
        verdicts = {one.envelope.sender: one for one in self.of_type("check_verdict")}
        metrics = {one.envelope.sender: one for one in self.of_type("proven_metric")}
        shown = body or ShownMetrics(
            verdicts=tuple(verdicts[one] for one in world.checkers),
            metrics=tuple(metrics[one] for one in world.members),
        )
        for member in self.members:
            self.post(world.aggregator, member, shown)
        self.begin(Purpose.METRIC, metric_statement(world.key, self.product()))

    def product(self) -> list[mpz]:
        """Π X_v^(w_v) of what the members have sent."""
        world, sent = self.world, {one.envelope.sender: one for one in self.of_type("proven_metric")}
        metrics = [
            read_ciphertexts(world.key, body_of(sent[one], ProvenMetric).values, len(world.exchange.sets))
            for one in world.members
        ]
        weights = list(self.measured.weights.values())
        return weighted_product(world.key, metrics, weights, world.exchange.sets, world.widths.moments)

    def show_noise(self) -> None:
        """Show the three shares of noise to all members."""
        player = self.rings[Purpose.METRIC.value]
        shares = ring.shares_of(player.ring, player.view, player.context())
        first, second, third = (tuple(write_ciphertexts(self.world.key, one)) for one in shares)
        for member in self.members:
            self.post(self.world.aggregator, member, ShownNoise(shares=(first, second, third)))

    def open_metric(self) -> None:
        """With every member's consent have the buyer open the errors."""
        world, player = self.world, self.rings[Purpose.METRIC.value]
        noisy = ring.product(player.ring, player.view, self.product(), player.context()).ciphertexts
        consents = {
            one.envelope.sender: body_of(one, MetricConsent) for one in self.of_type("metric_consent")
        }
        facts = {member.state.attempt.measuring.facts for member in self.members.values()}
        assert len(facts) == 1
        body = MetricOpeningRequest(
            product=tuple(write_ciphertexts(world.key, noisy)),
            facts=facts.pop(),
            signatures=tuple(consents[one].signature for one in world.members),
        )
        self.post(world.aggregator, world.buyer, body)


@lru_cache
def _honest(steps: tuple[str, ...]) -> PlayedAttempt:
    return _taken(_honest(steps[:-1]).copy(), steps[-1]) if steps else PlayedAttempt()


def _taken(play: PlayedAttempt, name: str) -> PlayedAttempt:
    getattr(play, name)()
    play.run()
    return play


def played(*steps: str, change: Change = honest) -> PlayedAttempt:
    """An attempt in which the aggregator has taken these steps, each when all before it was delivered.

    What comes out of an honest one is kept for other tests of the process.
    """
    if change is honest:
        return _honest(steps).copy()
    play = played()
    play.change = change
    for name in steps:
        _taken(play, name)
    return play


CHECKED = ("show", "open_model")
MEASURED = (*CHECKED, "show_metrics", "show_noise")
ALL = (*MEASURED, "open_metric")
