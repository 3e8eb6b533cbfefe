"""A whole market in one process without bus, store or chain: roles as pure transitions, a contract in plain Python.

Messages are signed and verified as on the bus; deliveries can be reordered, duplicated and dropped by a chooser.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from nacl.bindings import crypto_scalarmult_base

from protocol.codec import pack, unpack
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.envelope import Envelope, SignedMessage
from protocol.learning.shapley import contributions_fixed, mse_after_fixed, pay_weights_fixed
from protocol.learning.statistic import StatisticBuilder
from protocol.marketplace import (
    Cancelled,
    Closed,
    Joined,
    Opened,
    RolesDrawn,
    RoundRecorded,
    Settled,
)
from protocol.messages import ChainEvent, TrainingOrder
from protocol.records import Market
from protocol.request import Request, parse_request
from protocol.roles import dispatch
from protocol.roles.inputs import (
    Context,
    EventConfirmed,
    KeepResult,
    MessageReceived,
    NoteFact,
    ReportViolation,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
    TimerFired,
)
from protocol.roles.owner_state import OwnerPolicy
from protocol.roles.training import validator_count
from protocol.signatures import address_of
from protocol.types import mask_of

MARKET = Market(chain_id=1337, contract="0x" + "11" * 20)


def make_statistic(columns, rows):
    builder = StatisticBuilder(columns)
    builder.add(rows)
    return builder.finish()


@dataclass
class Party:
    role: str
    signing_key: bytes
    exchange_secret: bytes
    private: dict = field(default_factory=dict)
    policy: bytes = b""
    state: bytes | None = None
    shown: str = ""
    blobs: dict = field(default_factory=dict)
    timers: dict = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    facts: list = field(default_factory=list)
    violations: list = field(default_factory=list)

    @property
    def address(self):
        return address_of(self.signing_key)


class PureContract:
    """The contract's states and events, without money: the Solidity tests own that."""

    def __init__(self, validators=None):
        self.seats = []
        self.opened = None
        self.status = "none"
        self.recorded = []
        self.best = 0
        self.forced_validators = validators

    def apply(self, sender, call):
        events = []
        match call.call:
            case "open":
                self.status = "open"
                self.opened = Opened(
                    training=1,
                    buyer=sender,
                    aggregator=call.terms.aggregator,
                    deposit=call.deposit,
                    terms=call.terms,
                )
                events.append(self.opened)
            case "join" if self.status == "open" and sender not in self.seats:
                self.seats.append(sender)
                events.append(Joined(training=1, owner=sender, seat=len(self.seats) - 1))
            case "close" if self.status == "open":
                self.status = "drawing"
                events.append(Closed(training=1, draw_block=1))
            case "draw" if self.status == "drawing":
                self.status = "running"
                count = validator_count(len(self.seats))
                chosen = self.forced_validators or list(range(len(self.seats)))[-count:]
                validators = mask_of(chosen)
                trainers = mask_of(list(range(len(self.seats)))) & ~validators
                events.append(RolesDrawn(training=1, trainers=trainers, validators=validators))
            case "record_round" if self.status == "running" and call.record.round == len(self.recorded) + 1:
                record = call.record
                after = mse_after_fixed(record.cross, len(record.own))
                shapley = contributions_fixed(record.mse_before, record.own, record.cross)
                if not self.recorded:
                    self.best = record.mse_before
                weights = pay_weights_fixed(self.best, after, shapley)
                self.best = min(self.best, after)
                event = RoundRecorded(
                    training=1,
                    round=record.round,
                    record=record,
                    mse_after=after,
                    shapley=tuple(shapley),
                    pay_weights=tuple(weights),
                )
                self.recorded.append(event)
                events.append(event)
            case "settle" if self.status == "running" and self.recorded:
                self.status = "settled"
                events.append(Settled(training=1, improvement=0, paid=0, refund=0))
            case "cancel" if self.status in ("open", "drawing", "running") and not self.recorded:
                self.status = "cancelled"
                events.append(Cancelled(training=1, refund=0))
        return events


def first(pending):
    return 0


class PureMarket:
    """Drives every role to the end; `choose(pending)` picks which queued delivery comes next."""

    def __init__(
        self,
        request_values,
        data_sets,
        columns,
        *,
        choose: Callable = first,
        duplicate=lambda: False,
        validators=None,
    ):
        keys = [os.urandom(32) for _ in range(2 + len(data_sets))]
        self.buyer = Party("model_buyer", keys[0], os.urandom(32))
        self.aggregator = Party("federated_aggregator", keys[1], os.urandom(32))
        self.owners = [
            Party(
                "data_owner",
                key,
                os.urandom(32),
                private={"data_set:rows": make_statistic(columns, rows).to_bytes()},
                policy=pack(OwnerPolicy(automatic=True)),
            )
            for key, rows in zip(keys[2:], data_sets, strict=True)
        ]
        self.request: Request = parse_request({**request_values, "aggregator": self.aggregator.address})
        self.key: PrivateKey = generate_private_key(self.request.key_bits)
        self.buyer.private["paillier"] = self.key.to_bytes()
        self.parties = {p.address: p for p in (self.buyer, self.aggregator, *self.owners)}
        self.contract = PureContract(validators)
        self.pending: deque = deque()
        self.wire: list[SignedMessage] = []
        self.choose, self.duplicate = choose, duplicate
        self.logs = 0
        self.silent: set[str] = set()
        self.filter = lambda message: True

    def context(self, party):
        return Context(
            address=party.address,
            market=MARKET,
            now=1_000.0,
            seed=os.urandom(32),
            signing_key=party.signing_key,
            exchange_secret=party.exchange_secret,
            announced=tuple(owner.address for owner in self.owners),
            exchange_keys={a: crypto_scalarmult_base(p.exchange_secret) for a, p in self.parties.items()},
            blobs=party.blobs,
            private=party.private,
            policy=party.policy,
            least_key_bits=256,
        )

    def start(self):
        order = TrainingOrder(request=self.request)
        envelope = Envelope(
            message_id=os.urandom(16),
            type="training_order",
            training=0,
            sender=self.buyer.address,
            recipient=self.buyer.address,
            sent_at=0,
        )
        signed = SignedMessage.create(envelope, pack(order), self.buyer.signing_key)
        self.deliver(self.buyer, MessageReceived(signed=signed))

    def run(self, steps=100_000):
        while self.pending and steps:
            steps -= 1
            index = self.choose(self.pending)
            address, item = self.pending[index]
            if not self.duplicate():
                del self.pending[index]
            if address not in self.silent:
                self.deliver(self.parties[address], item)

    def fire(self, party, name):
        party.timers.pop(name)
        self.deliver(party, TimerFired(name=name))

    def deliver(self, party, item):
        if (
            party.state is None
            and isinstance(item, EventConfirmed)
            and not isinstance(item.chain_event.event, Opened)
        ):
            return None
        step = dispatch.run_step(party.role, party.state, item, self.context(party))
        party.state, party.shown = step.state, step.shown
        for effect in step.effects:
            self.apply(party, effect)
        party.blobs = {digest: party.blobs[digest] for digest in step.references}
        return step

    def apply(self, party, effect):
        match effect:
            case SendMessage():
                envelope = Envelope(
                    message_id=effect.message_id,
                    type=effect.body.type,
                    training=1,
                    round=effect.round,
                    attempt=effect.attempt,
                    sender=party.address,
                    recipient=effect.recipient,
                    sent_at=0,
                )
                signed = SignedMessage.create(envelope, pack(effect.body), party.signing_key)
                signed.verify()
                self.wire.append(signed)
                if self.filter(signed):
                    self.pending.append((effect.recipient, MessageReceived(signed=signed)))
            case SubmitCall():
                for event in self.contract.apply(party.address, effect.call):
                    self.logs += 1
                    chain_event = ChainEvent(
                        event=event,
                        chain_id=1337,
                        block_number=self.logs,
                        block_hash=b"\0" * 32,
                        transaction_hash=b"\0" * 32,
                        log_index=0,
                        timestamp=0,
                    )
                    for address in self.parties:
                        self.pending.append((address, EventConfirmed(chain_event=chain_event)))
            case SetTimer():
                party.timers[effect.name] = effect.seconds
            case StoreBlob():
                party.blobs[effect.digest] = effect.content
            case KeepResult():
                party.results[effect.name] = effect.content
            case NoteFact():
                party.facts.append(effect)
            case ReportViolation():
                party.violations.append(effect)


def small_request(**changes):
    values = {
        "name": "test",
        "features": [{"name": f"x{i}", "minimum": -10, "maximum": 10} for i in range(2)],
        "target": {"name": "y", "minimum": -100, "maximum": 100},
        "schedule": {"rounds": 2, "local_steps": 2, "step_size": "0.1"},
        "payment": {"deposit_wei": str(10**18)},
        "bounds": {"min_rows": 5},
        "key_bits": 512,
        "owners": {"minimum": 4, "maximum": 8},
    }
    values.update(changes)
    return values


__all__ = ["Decimal", "MARKET", "Party", "PureMarket", "small_request", "unpack"]
