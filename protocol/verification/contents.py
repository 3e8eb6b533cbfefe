"""A transcript's messages and events, each checked by itself and found by what it is about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from protocol.bodies import body_of
from protocol.codec import unpack
from protocol.envelope import Envelope, SignedMessage
from protocol.messages import ChainEvent
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import RoundEvidence
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import masks_digest
from protocol.types import Address, FrozenModel, RoundAttempt
from protocol.verification.hidden import HiddenMessage, Way
from protocol.verification.report import naming
from protocol.verification.transcript import KEPT, Entry, Header

Body = TypeVar("Body", bound=MessageBody)
Event = TypeVar("Event", bound=FrozenModel)
_Place = tuple[str, RoundAttempt]


@dataclass
class Contents:
    """Messages by type, round and attempt, in their order, and events by block and place in it.

    `closed` are those of which a part is in a box that nobody here can open.
    """

    header: Header
    messages: dict[_Place, list[SignedMessage]] = field(default_factory=dict)
    closed: dict[_Place, list[HiddenMessage]] = field(default_factory=dict)
    placed: dict[tuple[int, int], FrozenModel] = field(default_factory=dict)

    @property
    def events(self) -> list[FrozenModel]:
        """In the order of the chain, which they came in from several sources."""
        return [self.placed[place] for place in sorted(self.placed)]

    def signed(self, kind: type[MessageBody], at: RoundAttempt, sender: Address) -> list[SignedMessage]:
        """Every message of this kind and place that this party sent."""
        named = self.messages.get((_name(kind), at), [])
        return [one for one in named if one.envelope.sender == sender]

    def said(self, kind: type[Body], at: RoundAttempt, sender: Address) -> list[Body]:
        """Each different body of this kind and place that this party sent."""
        different = {one.body: one for one in self.signed(kind, at, sender)}
        return [body_of(one, kind) for one in different.values()]

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

    def shown_evidence(self, at: RoundAttempt, aggregator: Address) -> tuple[RoundEvidence, bytes | None]:
        """An attempt's evidence, and the digest of its masks where those are in a box.

        Raises ProtocolViolation as `only` does.
        """
        named = self.closed.get((_name(RoundEvidence), at), [])
        found = [one for one in named if one.envelope.sender == aggregator and one.shown is not None]
        if not found:
            return self.only(RoundEvidence, at, aggregator), None
        require(len({one.body_digest for one in found}) == 1, "two_versions", f"{aggregator} sent two")
        shown, masks = found[0].shown, found[0].masks
        assert shown is not None
        return shown, masks

    def attempts(self, kind: type[MessageBody], round_number: int) -> list[int]:
        """The attempts at a round with a message of this kind, in order."""
        name = _name(kind)
        found = (at.attempt for one, at in self.messages if one == name and at.round == round_number)
        return sorted(found)

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of this kind."""
        return [one for one in self.events if isinstance(one, kind)]


def contents_of(header: Header, entries: Iterable[Entry], signing_key: bytes | None = None) -> Contents:
    """Everything in a transcript's entries, each message signed by whom it says.

    With the party's signing key what is in boxes is taken out. Raises VerificationFailed, naming the entry.
    """
    contents, seen = Contents(header), set[bytes]()
    for number, entry in enumerate(entries, 1):
        with naming(f"entry {number}"):
            match entry.kind:
                case "event":
                    _add_event(contents, unpack(ChainEvent, entry.content))
                case "hidden":
                    _add_hidden(contents, unpack(HiddenMessage, entry.content), signing_key, seen)
                case "sent" | "received":
                    _add_message(contents, unpack(SignedMessage, entry.content), entry.kind, seen)
    return contents


def _add_event(contents: Contents, found: ChainEvent) -> None:
    """Note an event by its place on the chain, where there is one."""
    header = contents.header
    require(found.chain_id == header.chain_id, "wrong_market", f"of chain {found.chain_id}")
    training = getattr(found.event, "training", header.training)
    require(training == header.training, "other_training", f"of training {training}")
    place = (found.block_number, found.log_index)
    known = contents.placed.setdefault(place, found.event)
    require(known == found.event, "two_versions", f"two events at block {place[0]}, log {place[1]}")


def _add_hidden(
    contents: Contents, found: HiddenMessage, signing_key: bytes | None, seen: set[bytes]
) -> None:
    envelope = found.envelope
    with naming(f"{envelope.type} from {envelope.sender}", envelope.round):
        if signing_key is not None:
            whole = found.opened(signing_key)
            _require_same(found, whole)
            _add_message(contents, whole, found.way, seen)
            return
        found.verify(contents.header.market)
        _require_placed(contents, envelope, found.way)
        at = RoundAttempt(envelope.round, envelope.attempt)
        contents.closed.setdefault((envelope.type, at), []).append(found)


def _require_same(found: HiddenMessage, whole: SignedMessage) -> None:
    """What stands in the open beside a box is what the box is of."""
    if found.shown is not None:
        digest = masks_digest(body_of(whole, RoundEvidence))
        require(digest == found.masks, "other_masks", "the digest beside the box is of others")


def _add_message(contents: Contents, signed: SignedMessage, way: Way, seen: set[bytes]) -> None:
    envelope = signed.envelope
    with naming(f"{envelope.type} from {envelope.sender}", envelope.round):
        signed.verify(contents.header.market)
        _require_placed(contents, envelope, way)
        body_of(signed)
        digest = signed.digest()
        if digest not in seen:  # a redelivery is the same message
            seen.add(digest)
            at = RoundAttempt(envelope.round, envelope.attempt)
            contents.messages.setdefault((envelope.type, at), []).append(signed)


def _require_placed(contents: Contents, envelope: Envelope, way: Way) -> None:
    """A message of this training's, of a kind that is kept, that this party sent or received."""
    header = contents.header
    require(envelope.type in KEPT, "not_kept", envelope.type)
    require(envelope.training == header.training, "other_training", f"of training {envelope.training}")
    own = envelope.sender if way == "sent" else envelope.recipient
    require(own == header.party, "not_a_party", f"{way} by another than {header.party}")


def _name(kind: type[MessageBody]) -> str:
    return str(kind.model_fields["type"].default)
