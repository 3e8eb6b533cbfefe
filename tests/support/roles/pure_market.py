"""A whole market without bus, store or chain: roles as pure transitions, one clock, one contract.

Messages are signed and verified as on the bus. Deliveries can be reordered and duplicated by a chooser, and
an `intercept` may drop, replace or add messages; a party's chain events keep the order a node gives them.
Everything random comes from one seed, except for the Paillier key, which is made once for all tests.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from nacl.bindings import crypto_scalarmult_base

from protocol.bought_model import BoughtModel
from protocol.codec import pack, unpack
from protocol.crypto.commitment_group import CommitmentGroup
from protocol.envelope import Envelope, SignedMessage
from protocol.messages import ChainEvent, TrainingOrder
from protocol.owner_policy import LARGEST_LIMIT, Budget, OwnerPolicy
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.roles import dispatch
from protocol.roles.dispatch import EncodedStep, RoleModule
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import (
    CancelTimer,
    KeepResult,
    PutValue,
    RecordFact,
    ReportViolation,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.inputs import CallRefused, EventConfirmed, Input, MessageReceived, TimerFired
from protocol.verification.links import FIRST
from tests.support.groups import small_group
from tests.support.roles.pure_contract import MARKET, TRAINING, PureContract, Refused
from tests.support.roles.pure_party import ENDED, Matrix, Party, SharedRoles, owning_rows, training_key
from tests.support.roles.remembered_steps import remembered_message, verify_once
from tests.support.roles.transitions import observe

AMPLE = Budget(per_buyer=LARGEST_LIMIT, in_total=LARGEST_LIMIT)


def in_order(eligible: Sequence[int]) -> int:
    return eligible[0]


def relay(message: SignedMessage) -> Sequence[SignedMessage]:
    return (message,)


class PureMarket:
    """Drives every role; `choose` picks the next among the eligible queued deliveries, by position."""

    def __init__(
        self,
        request_values: dict[str, Any],
        data_sets: Sequence[Matrix],
        columns: Sequence[str],
        *,
        choose: Callable[[Sequence[int]], int] = in_order,
        duplicate: Callable[[], bool] = lambda: False,
        validators: list[int] | None = None,
        policy: OwnerPolicy | None = None,
        seed: int = 0,
        roles: Mapping[str, RoleModule] = dispatch.ROLES,
        group: CommitmentGroup | None = None,
        run_step: Callable[..., EncodedStep] = dispatch.run_step,
    ) -> None:
        self.seed, self.random = seed, Random(seed)
        draw = self.random.randbytes
        self.buyer = Party("model_buyer", draw(32), draw(32))
        self.aggregator = Party("federated_aggregator", draw(32), draw(32))
        standing = pack(policy or OwnerPolicy(automatic=True, standard_errors=True, budget=AMPLE))
        self.owners = [
            Party(
                "data_owner",
                draw(32),
                draw(32),
                private=owning_rows(columns, rows),
                policy=standing,
            )
            for rows in data_sets
        ]
        self.request: Request = parse_request({**request_values, "aggregator": self.aggregator.address})
        self.key = training_key(self.request.key_bits)
        self.buyer.private["paillier"] = self.key.to_bytes()
        self.parties = {p.address: p for p in (self.buyer, self.aggregator, *self.owners)}
        self.exchange_keys = {a: crypto_scalarmult_base(p.exchange_secret) for a, p in self.parties.items()}
        self.roles, self.group = SharedRoles(roles), group or small_group()
        for party in self.parties.values():
            party.roles = self.roles
        self.admitted = tuple(owner.address for owner in self.owners)
        self.contract = PureContract(validators)
        self.pending: list[tuple[str, Input]] = []
        self.wire: list[SignedMessage] = []
        self.choose, self.duplicate, self.run_step = choose, duplicate, run_step
        self.intercept: Callable[[SignedMessage], Sequence[SignedMessage]] = relay
        self.silent: set[str] = set()
        self.delayed: list[tuple[float, str, Any]] = []
        self.now = 1_000.0
        self.logs = 0

    # ---- what happens ----

    def start(self) -> None:
        """Give the buyer its order."""
        body = TrainingOrder(request=self.request)
        order = self.message(self.buyer, self.buyer, body, training=0)
        self.deliver(self.buyer, MessageReceived(signed=order))

    def run(self, steps: int = 20_000) -> None:
        """Deliver until nothing is under way."""
        while self.pending and steps:
            steps -= 1
            self.deliver_next()

    def finish(self, ticks: int = 300) -> None:
        """Deliver everything; whenever nothing is under way, let time pass to the next timer."""
        self.run()
        while ticks and self.tick():
            ticks -= 1
            self.run()

    def tick(self) -> bool:
        """Let time pass to the next timer, or call that waits, of a party that is not silent, if any."""
        due: list[tuple[float, str, Any]] = [
            (at, party.address, name)
            for party in self.parties.values()
            if party.phase not in ENDED
            for name, at in party.timers.items()
        ]
        due = [one for one in (*due, *self.delayed) if one[1] not in self.silent]
        if not due:
            return False
        at, address, what = first = min(due, key=lambda one: (*one[:2], str(one[2])))
        self.now = max(self.now, at)
        if isinstance(what, str):
            self.fire(self.parties[address], what)
        else:
            self.delayed.remove(first)
            self.call(self.parties[address], what)
        return True

    def fire(self, party: Party, name: str) -> None:
        party.timers.pop(name)
        self.deliver(party, TimerFired(name=name))

    def eligible(self) -> list[int]:
        """Positions of deliveries that may come next: any message, but only the first event of each party."""
        found: list[int] = []
        waiting: set[str] = set()
        for position, (address, item) in enumerate(self.pending):
            if isinstance(item, MessageReceived):
                found.append(position)
            elif address not in waiting:
                waiting.add(address)
                found.append(position)
        return found

    def deliver_next(self) -> None:
        position = self.choose(self.eligible())
        address, item = self.pending[position]
        if not self.duplicate():
            del self.pending[position]
        if address not in self.silent:
            self.deliver(self.parties[address], item)

    def run_until(self, type_name: str, recipient: Party | None = None) -> SignedMessage:
        """Deliver until a message of this type is its recipient's next; it is taken off the queue."""
        for _ in range(20_000):
            seen: set[str] = set()
            for position, (address, item) in enumerate(self.pending):
                wanted = address not in seen and (recipient is None or address == recipient.address)
                seen.add(address)
                if isinstance(item, MessageReceived) and item.signed.envelope.type == type_name and wanted:
                    del self.pending[position]
                    return item.signed
            if not self.pending:
                break
            self.deliver_next()
        raise AssertionError(f"no {type_name} was sent")

    def context(self, party: Party) -> Context:
        return Context(
            address=party.address,
            market=MARKET,
            now=self.now,
            seed=self._seed_of_step(party),
            signing_key=party.signing_key,
            announced=self.admitted if party.role == "federated_aggregator" else (),
            blobs=party.blobs,
            private=party.private,
            policy=party.policy,
            least_key_bits=256,
            commitment_group=self.group,
            kept_head=FIRST,
        )

    def _seed_of_step(self, party: Party) -> bytes:
        """By whose step it is, and its number: what one party does otherwise changes no other's."""
        return Random(f"{self.seed}:{party.address}:{len(party.inbox)}").randbytes(32)

    def deliver(self, party: Party, item: Input) -> EncodedStep | None:
        """One step of one party; a first input that is no beginning is dropped, as the runtime does."""
        opening = isinstance(item, EventConfirmed) and item.chain_event.event.event == "Opened"
        if party.state is None and not opening and not isinstance(item, MessageReceived):
            return None
        party.inbox.append(item)
        step = self.run_step(party.role, party.state, item, self.context(party), observe, self.roles)
        party.state, party.shown = step.state, step.display_status
        party.taken += [item] if isinstance(item, EventConfirmed) else []
        party.taken += [one for one in step.taken if isinstance(one, MessageReceived)]
        for effect in step.effects:
            self.apply(party, effect)
        party.blobs = {digest: party.blobs[digest] for digest in step.references}
        return step

    def apply(self, party: Party, effect: Any) -> None:
        match effect:
            case SendMessage():
                place = {"round_number": effect.round, "attempt": effect.attempt}
                recipient = self.parties[effect.recipient]
                signed = self.message(party, recipient, effect.body, message_id=effect.message_id, **place)
                verify_once(signed, MARKET)
                self.wire.append(signed)
                for passed in self.intercept(signed):
                    self.post(passed)
            case SubmitCall() if effect.after:
                self.delayed.append((self.now + effect.after, party.address, effect.call))
            case SubmitCall():
                self.call(party, effect.call)
            case SetTimer():
                party.timers[effect.name] = self.now + effect.seconds
            case CancelTimer():
                party.timers.pop(effect.name, None)
            case StoreBlob():
                party.blobs[effect.digest] = effect.content
            case KeepResult():
                party.kept.append(effect.name)
                party.results[effect.name] = effect.content
            case PutValue():
                party.remember(effect)
            case RecordFact():
                party.facts.append(effect)
            case ReportViolation():
                party.violations.append(effect)

    def post(self, message: SignedMessage) -> None:
        self.pending.append((message.envelope.recipient, MessageReceived(signed=message)))

    def call(self, party: Party, call: Any) -> None:
        """A contract call: its events go to everybody, a refusal back to the caller."""
        self.contract.now = self.now
        try:
            events = self.contract.apply(party.address, call)
        except Refused as refusal:
            self.pending.append((party.address, CallRefused(call=call, code=refusal.code)))
            return
        for event in events:
            confirmed = self.event_input(event)
            self.pending.extend((address, confirmed) for address in self.parties)

    def event_input(self, event: Any) -> EventConfirmed:
        """A contract event in a block of its own, confirmed."""
        self.logs += 1
        chain_event = ChainEvent(
            event=event,
            chain_id=MARKET.chain_id,
            block_number=self.logs,
            block_hash=b"\0" * 32,
            transaction_hash=b"\0" * 32,
            log_index=0,
            timestamp=int(self.now),
        )
        return EventConfirmed(chain_event=chain_event)

    # ---- what a test looks at ----

    def message(
        self,
        sender: Party,
        recipient: Party,
        body: Any,
        *,
        training: int = TRAINING,
        round_number: int = 0,
        attempt: int = 0,
        message_id: bytes | None = None,
    ) -> SignedMessage:
        """`body` signed by `sender`."""
        envelope = Envelope(
            message_id=message_id or self.random.randbytes(16),
            type=body.type,
            training=training,
            round=round_number,
            attempt=attempt,
            sender=sender.address,
            recipient=recipient.address,
            sent_at=0,
            chain_id=MARKET.chain_id,
            contract=MARKET.contract,
        )
        return remembered_message(envelope, pack(body), sender.signing_key)

    def validators(self) -> list[Party]:
        """The owners drawn as validators, in seat order."""
        seats = self.contract.seats
        return [self.parties[seats[i]] for i in range(len(seats)) if self.contract.validators >> i & 1]

    def trainers(self) -> list[Party]:
        """The owners drawn as trainers, in seat order."""
        seats = self.contract.seats
        return [self.parties[seats[i]] for i in range(len(seats)) if self.contract.trainers >> i & 1]

    def bought(self) -> BoughtModel:
        """The one model that the buyer got."""
        assert self.buyer.kept == ["model"]
        return unpack(BoughtModel, self.buyer.results["model"])

    def sent(self, type_name: str) -> list[SignedMessage]:
        """Everything of this type that was sent, delivered or not."""
        return [message for message in self.wire if message.envelope.type == type_name]
