"""Two parties' transcripts of one training, held against each other.

A party that has its key can link and seal another past than it had. It cannot take back what it has sent: the
other one holds that under its signature. So what one has of the other must be in the other's, too, and an
aggregator that showed two members different things has signed both. What the two never exchanged, and what
both agree to leave out, does not show. What a party sent tells where the chain of all it had
kept stood (`protocol.verification.heads`): so all that it had before is held as well, whoever it came from.
"""

from collections.abc import Iterator
from typing import NamedTuple

from eth_hash.auto import keccak

from protocol.bodies import body_of
from protocol.hiding import without
from protocol.messages.rounds import RoundEvidence
from protocol.roles.engine.refusals import require
from protocol.types import Address, Digest, RoundAttempt
from protocol.verification.contents import Contents, contents_of
from protocol.verification.heads import require_heads
from protocol.verification.report import Check, naming
from protocol.verification.transcript import Transcript

_TO_ALL = ("round_evidence", "shown_metrics", "shown_noise", "opening", "checked_started")
"""What one sender tells every recipient alike, by round and attempt."""


class _Kept(NamedTuple):
    kind: str
    at: RoundAttempt
    sender: str
    recipient: str
    body: Digest

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "body")


def require_other(own: Contents, other: Transcript) -> list[Check]:
    """Check another party's sealed transcript of the same training against one's own.

    Raises VerificationFailed: as `require_alike`, and where the other one is altered, of another training or
    market, or the same party's.
    """
    header = other.header
    with naming(f"transcript of {header.party}"):
        other.require_unaltered()
        require(header.market == own.header.market, "wrong_market", f"{header.contract}")
        require(header.training == own.header.training, "other_training", f"of training {header.training}")
        require(header.party != own.header.party, "same_party", "nothing is compared with itself")
        entries = [one.entry for one in other.entries]
        under = require_heads(header, entries)
    return [*require_alike(own, contents_of(header, entries)), under]


def require_alike(own: Contents, other: Contents) -> list[Check]:
    """Check that neither transcript lacks a message of its party that the other one has, nor has another.

    A message that was sent may have been lost or refused, so only what arrived must have been sent. Raises
    VerificationFailed: "denied" for a message that its sender's transcript does not have, "two_versions" for
    something that a third party signed differently for the two, "other_events" for another record or payment.
    """
    arrived = _require_sent(own, other) + _require_sent(other, own)
    told = _require_same_told(own, other)
    with naming("events"):
        places = own.placed.keys() & other.placed.keys()
        for place in sorted(places):
            same = own.placed[place] == other.placed[place]
            require(same, "other_events", f"block {place[0]}, log {place[1]}")
    return [
        Check(name="messages that both have", count=arrived),
        Check(name="messages of others, the same to both", count=told),
        Check(name="events that both have", count=len(places)),
    ]


def _require_sent(held: Contents, sent: Contents) -> int:
    """What one party received from the other, or was shown of it in evidence, the other one has sent."""
    sender, recipient = sent.header.party, held.header.party
    known = {(one.kind, one.at, one.body) for one in _kept(sent) if one.sender == sender}
    arrived = (one for one in _kept(held) if (one.sender, one.recipient) == (sender, recipient))
    found = 0
    for one in (*arrived, *_relayed(held, sender)):
        with naming(f"{one.kind} from {sender}", one.at.round):
            there = (one.kind, one.at, one.body) in known
            require(there, "denied", f"{recipient} has it signed; its sender has it not")
        found += 1
    return found


def _require_same_told(own: Contents, other: Contents) -> int:
    """What a third party told both alike is the same for both."""
    parties = {own.header.party, other.header.party}
    told = {(one.kind, one.at, one.sender): one.body for one in _kept(own) if one.kind in _TO_ALL}
    found = 0
    for one in _kept(other):
        before = told.get((one.kind, one.at, one.sender))
        if before is not None and one.sender not in parties:
            with naming(f"{one.kind} from {one.sender}", one.at.round):
                require(before == one.body, "two_versions", f"{one.sender} signed another one for each")
            found += 1
    return found


def _relayed(contents: Contents, sender: Address) -> Iterator[_Kept]:
    """The signed updates of one trainer in the evidence that a member or the aggregator has."""
    whole = (all_of for (kind, _), all_of in contents.messages.items() if kind == "round_evidence")
    shown = [body_of(one, RoundEvidence) for all_of in whole for one in all_of]
    shown += [one.shown for all_of in contents.closed.values() for one in all_of if one.shown is not None]
    for update in {one.digest(): one for body in shown for one in body.updates}.values():
        envelope = update.envelope
        if envelope.sender == sender:
            update.verify(contents.header.market)
            at = RoundAttempt(envelope.round, envelope.attempt)
            yield _Kept(envelope.type, at, sender, envelope.recipient, keccak(update.body))


def _kept(contents: Contents) -> Iterator[_Kept]:
    """Every message, those in boxes among them."""
    for (kind, at), messages in contents.messages.items():
        for signed in messages:
            envelope = signed.envelope
            yield _Kept(kind, at, envelope.sender, envelope.recipient, keccak(signed.body))
    for (kind, at), boxed in contents.closed.items():
        for one in boxed:
            yield _Kept(kind, at, one.envelope.sender, one.envelope.recipient, one.body_digest)
