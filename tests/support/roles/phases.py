"""Every phase of every role, caught while trainings run, and a sample of every input."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, get_args

from protocol.codec import pack
from protocol.envelope import Envelope, SignedMessage
from protocol.marketplace import Cancel, ContractCall, MarketplaceEvent
from protocol.messages import (
    MESSAGE_TYPES,
    AdmissionOrder,
    ChainEvent,
    Complaint,
    ModelRefused,
    ModelRequest,
    OpeningRefused,
    OwnerDecision,
    ParticipantDropped,
    StopOrder,
    TrainingOrder,
)
from protocol.owner_policy import OwnerPolicy
from protocol.roles.dispatch import ROLES
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
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.remembered_steps import remembered_step
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, small_request, without

MACHINES: dict[str, Any] = {role: module.MACHINE for role, module in ROLES.items()}
PHASES = [(role, phase) for role, machine in MACHINES.items() for phase in machine.phases]
_EVENTS = [kind.model_fields["event"].default for kind in get_args(get_args(MarketplaceEvent)[0])]
_CALLS = [kind.model_fields["call"].default for kind in get_args(get_args(ContractCall)[0])]
INPUT_NAMES = [
    *MESSAGE_TYPES,
    *_EVENTS,
    *(f"refused:{call}" for call in _CALLS),
    "training_gone",
    *sorted(
        {n for m in MACHINES.values() for row in m.table.values() for n in row if n.startswith("timer:")}
    ),
    "timer:unknown",
    "catalogue_changed",
    "policy_changed",
]


@dataclass(frozen=True)
class Snapshot:
    """A party in one phase, and the market that it belongs to."""

    market: PureMarket
    party: Party

    def copy(self) -> Party:
        """The party, to take one step from here."""
        return replace(self.party, blobs=dict(self.party.blobs), violations=[], facts=[], inbox=[])


def _recorded(market: PureMarket, snapshots: dict[tuple[str, str], list[Snapshot]]) -> PureMarket:
    """Have the market keep the first and the last state of each party in each phase; of two owners, two."""
    deliver = market.deliver
    latest: dict[tuple[str, str], Snapshot] = {}

    def recording(party: Party, item: Input) -> Any:
        step = deliver(party, item)
        if party.state is not None and party not in market.owners[1:3]:
            place = (party.address, party.phase)
            taken = Snapshot(market, replace(party, blobs=dict(party.blobs)))
            if place not in latest:
                snapshots.setdefault((party.role, party.phase), []).append(taken)
            latest[place] = taken
        return step

    market.deliver = recording  # type: ignore[method-assign]
    market.start()
    market.finish()
    for (_, phase), taken in latest.items():
        snapshots[(taken.party.role, phase)].append(taken)
    return market


@cache
def finished_market() -> PureMarket:
    """A training that went well."""
    market = small_market()
    market.finish()
    return market


@cache
def snapshots() -> dict[tuple[str, str], list[Snapshot]]:
    """States of every role by phase."""
    found: dict[tuple[str, str], list[Snapshot]] = {}
    _recorded(PureMarket(small_request(), small_data(), COLUMNS, run_step=remembered_step), found)
    undecided = PureMarket(small_request(), small_data(), COLUMNS, policy=OwnerPolicy(budget=AMPLE))
    _recorded(undecided, found)
    declining = PureMarket(small_request(), small_data(), COLUMNS, policy=OwnerPolicy(budget=AMPLE))
    declining.intercept = lambda message: deciding(declining, message)
    _recorded(declining, found)
    given_up = PureMarket(small_request(), small_data(), COLUMNS)
    given_up.intercept = without("moment_answer")
    _recorded(given_up, found)
    return found


def deciding(market: PureMarket, message: SignedMessage) -> Iterator[SignedMessage]:
    """Have owners that are invited decline, as their operators' orders."""
    yield message
    if message.envelope.type == "invitation":
        owner = market.parties[message.envelope.recipient]
        yield market.message(owner, owner, OwnerDecision(training=1, accept=False))


def sample_bodies() -> dict[str, tuple[bytes, int, int]]:
    """A real body of every type that trainings send, with the round and attempt it was sent for."""
    bodies: dict[str, tuple[bytes, int, int]] = {}
    for market in (finished_market(), *{id(s.market): s.market for s in _all_snapshots()}.values()):
        for message in market.wire:
            place = (message.envelope.round, message.envelope.attempt)
            bodies.setdefault(message.envelope.type, (message.body, *place))
    buyer = finished_market().buyer.address
    made = (
        TrainingOrder(request=finished_market().request),
        StopOrder(training=1, reason="test"),
        OwnerDecision(training=1, accept=True),
        AdmissionOrder(training=1, owner=buyer, admit=True),
        ParticipantDropped(participant=buyer, from_round=1, code="test"),
        Complaint(code="test", accused=buyer, evidence=()),
        OpeningRefused(),
        ModelRequest(),
        ModelRefused(code="test"),
    )
    bodies.update({body.type: (pack(body), 0, 0) for body in made})
    # What is sent only when a checker has found something: any body will do.
    for name, kind in MESSAGE_TYPES.items():
        bodies.setdefault(name, (pack(kind.catalogue.example()), 1, 1))
    return bodies


def _all_snapshots() -> Iterator[Snapshot]:
    for found in snapshots().values():
        yield from found


def message_of(sender: Party, recipient: Party, name: str, body: bytes, *place: int) -> MessageReceived:
    """A message of any type with any body."""
    round_number, attempt = place or (1, 1)
    envelope = Envelope(
        message_id=b"\7" * 16,
        type=name,
        training=1,
        round=round_number,
        attempt=attempt,
        sender=sender.address,
        recipient=recipient.address,
        sent_at=0,
    )
    return MessageReceived(signed=SignedMessage.create(envelope, body, sender.signing_key))


def sample_input(name: str, party: Party, sender: Party) -> Input:
    """An input by its name in the tables; a message has a body that nobody can read."""
    if name in MESSAGE_TYPES:
        return message_of(sender, party, name, b"")
    if name.startswith("timer:"):
        return TimerFired(name=name.removeprefix("timer:"))
    if name.startswith("refused:"):
        call = next(
            k for k in get_args(get_args(ContractCall)[0]) if k.model_fields["call"].default == name[8:]
        )
        return CallRefused(call=call.model_construct(call=name[8:]), code="test")
    if name == "training_gone":
        return CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING)
    if name == "catalogue_changed":
        return CatalogueChanged()
    if name == "policy_changed":
        return PolicyChanged()
    kind = next(k for k in get_args(get_args(MarketplaceEvent)[0]) if k.model_fields["event"].default == name)
    event = ChainEvent.model_construct(
        type="chain_event",
        event=kind.model_construct(event=name),
        chain_id=1337,
        block_number=1,
        block_hash=b"\0" * 32,
        transaction_hash=b"\0" * 32,
        log_index=0,
        timestamp=0,
        removed=False,
    )
    return EventConfirmed.model_construct(input="event", chain_event=event)
