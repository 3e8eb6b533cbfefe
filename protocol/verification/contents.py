"""A transcript's messages and events, each checked by itself and found by what it is about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from protocol.bodies import body_of
from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.messages import ChainEvent
from protocol.messages.catalogue import MessageBody
from protocol.roles.engine.refusals import require
from protocol.types import Address, FrozenModel, RoundAttempt
from protocol.verification.report import naming
from protocol.verification.transcript import KEPT, Entry, Header

Body = TypeVar("Body", bound=MessageBody)
Event = TypeVar("Event", bound=FrozenModel)
_Place = tuple[str, RoundAttempt]


@dataclass
class Contents:
    """Messages by type, round and attempt, in their order, and events in the chain's."""

    header: Header
    messages: dict[_Place, list[SignedMessage]] = field(default_factory=dict)
    events: list[FrozenModel] = field(default_factory=list)

    def signed(self, kind: type[MessageBody], at: RoundAttempt, sender: Address) -> list[SignedMessage]:
        """Every message of this kind and place that this party sent."""
        named = self.messages.get((_name(kind), at), [])
        return [one for one in named if one.envelope.sender == sender]

    def only(
        self, kind: type[Body], at: RoundAttempt, sender: Address, recipient: Address | None = None
    ) -> Body:
        """The one body of this kind that this party sent, to one recipient or to however many.

        Raises ProtocolViolation: "missing_message" without one, "two_versions" where there are two: a party
        that tells different ones different things has no word.
        """
        found = [
            one
            for one in self.signed(kind, at, sender)
            if recipient is None or one.envelope.recipient == recipient
        ]
        require(bool(found), "missing_message", f"no {_name(kind)} of {sender}")
        same = len({one.body for one in found}) == 1
        require(same, "two_versions", f"{sender} sent two versions of {_name(kind)}")
        return body_of(found[0], kind)

    def attempts(self, kind: type[MessageBody], round_number: int) -> list[int]:
        """The attempts at a round with a message of this kind, in order."""
        name = _name(kind)
        found = (at.attempt for one, at in self.messages if one == name and at.round == round_number)
        return sorted(found)

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of this kind."""
        return [one for one in self.events if isinstance(one, kind)]


def contents_of(header: Header, entries: Iterable[Entry]) -> Contents:
    """Everything in a transcript's entries, each message signed by whom it says.

    Raises VerificationFailed, naming the entry.
    """
    contents, seen = Contents(header), set[bytes]()
    place = (0, -1)
    for number, entry in enumerate(entries, 1):
        with naming(f"entry {number}"):
            if entry.kind == "event":
                place = _add_event(contents, entry, place)
            else:
                _add_message(contents, entry, seen)
    return contents


def _add_event(contents: Contents, entry: Entry, before: tuple[int, int]) -> tuple[int, int]:
    """Note an event; its place on the chain, which is after that of the one before."""
    found, header = unpack(ChainEvent, entry.content), contents.header
    require(found.chain_id == header.chain_id, "wrong_market", f"of chain {found.chain_id}")
    training = getattr(found.event, "training", header.training)
    require(training == header.training, "other_training", f"of training {training}")
    place = (found.block_number, found.log_index)
    require(place > before, "event_out_of_order", f"block {place[0]} after {before[0]}")
    contents.events.append(found.event)
    return place


def _add_message(contents: Contents, entry: Entry, seen: set[bytes]) -> None:
    signed, header = unpack(SignedMessage, entry.content), contents.header
    envelope = signed.envelope
    with naming(f"{envelope.type} from {envelope.sender}", envelope.round):
        signed.verify(header.market)
        require(envelope.type in KEPT, "not_kept", envelope.type)
        require(envelope.training == header.training, "other_training", f"of training {envelope.training}")
        own = envelope.sender if entry.kind == "sent" else envelope.recipient
        require(own == header.party, "not_a_party", f"{entry.kind} by another than {header.party}")
        body_of(signed)
        digest = signed.digest()
        if digest not in seen:  # a redelivery is the same message
            seen.add(digest)
            at = RoundAttempt(envelope.round, envelope.attempt)
            contents.messages.setdefault((envelope.type, at), []).append(signed)


def _name(kind: type[MessageBody]) -> str:
    return str(kind.model_fields["type"].default)
