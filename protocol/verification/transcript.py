"""What a party keeps of a training: its messages and the chain's events, hash-chained and signed.

Every entry carries the digest of all before it and itself, under which the store has kept it; the party
signs the last one together with whose transcript it is. So a byte that differs has a place, and none can be
altered, left out, added or moved by somebody without the party's key. The party itself cannot forge what
others signed: `verify` checks that. It could link another past from the start; but what it has sent others,
they have too (`protocol.verification.comparison`).

Kept are the messages that a check needs (`is_kept`). Models and everything private stay out, and shares but
those of trainers' ranges, which show whose fault it is that the buyer's word was against a round. Masks and
seeds lie in boxes that the party's key alone opens (`protocol.verification.hidden`). Updates stand in the
open as they were sent: an owner's and the aggregator's transcript is as secret towards the buyer, who has the
key of all of it, as the updates are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from protocol.records import Market
from protocol.signatures import personal_digest, recover_address, sign_digest
from protocol.types import Address, Digest, EcdsaSignature, FrozenModel, TrainingId, digest_of
from protocol.verification.hidden import Way, hidden, is_secret
from protocol.verification.links import DOMAIN, FIRST, links, require_links

KEPT = frozenset(
    (
        "training_request",
        "invitation",
        "checked_started",
        "encrypted_model",
        "proven_update",
        "moment_request",
        "moment_answer",
        "attempt_announced",
        "round_evidence",
        "projection_request",
        "projection_answer",
        "zero_test_shown",
        "zero_test_consent",
        "zero_test_request",
        "zero_test_result",
        "zero_test_evidence_request",
        "zero_test_evidence",
        "ranges_asked",
        "check_verdict",
        "proven_metric",
        "shown_metrics",
        "shown_noise",
        "metric_consent",
        "ring_committed",
        "ring_nonce",
        "ring_shared",
        "ring_consent",
        "ring_opening_request",
        "ring_opening",
        "metric_opening_request",
        "opening",
        "opening_refused",
        "round_signature",
        "round_completed",
        "participant_dropped",
        "training_failed",
    )
)
"""Types of messages."""

_OF_RANGES = ("ring_nonce", "ring_shared")
"""Types that are kept of the ring over trainers' ranges alone."""

Role = Literal["model_buyer", "data_owner", "federated_aggregator"]
Kind = Literal["sent", "received", "hidden", "event"]

_LENGTH_BYTES = 4
_LONGEST = 1 << 28


def is_kept(signed: SignedMessage) -> bool:
    """Whether a transcript holds a message; none of a ring that nobody is judged by."""
    name = signed.envelope.type
    if name not in _OF_RANGES:
        return name in KEPT
    try:
        return getattr(body_of(signed), "purpose", None) == Purpose.RANGES.value
    except ProtocolViolation:
        return False


class Header(FrozenModel):
    """Whose transcript of which training it is."""

    version: Literal[1] = 1
    chain_id: int
    contract: Address
    training: TrainingId
    role: Role
    party: Address

    @property
    def market(self) -> Market:
        """Where the training is."""
        return Market(chain_id=self.chain_id, contract=self.contract)


class Entry(FrozenModel):
    """One message or event: `content` is the packed `SignedMessage`, `HiddenMessage` or `ChainEvent`."""

    kind: Kind
    content: Annotated[bytes, Field(repr=False)]

    @classmethod
    def message(cls, signed: SignedMessage, party: Address, signing_key: bytes) -> "Entry":
        """A message that this party sent or received; what is secret of it is put in a box of this key's."""
        way: Way = "sent" if signed.envelope.sender == party else "received"
        if is_secret(signed):
            return cls(kind="hidden", content=pack(hidden(signed, way, signing_key)))
        return cls(kind=way, content=pack(signed))

    @classmethod
    def event(cls, event: ChainEvent) -> "Entry":
        """An event of the contract, confirmed."""
        return cls(kind="event", content=pack(event))


class LinkedEntry(FrozenModel):
    """An entry with its link."""

    entry: Entry
    link: Digest


class Seal(FrozenModel):
    """The party's signature of header, number of entries and last link."""

    signature: EcdsaSignature


class Transcript(FrozenModel):
    """A whole transcript."""

    header: Header
    entries: tuple[LinkedEntry, ...]
    seal: Seal

    @classmethod
    def sealed(cls, header: Header, entries: Iterable[Entry], signing_key: bytes) -> "Transcript":
        """The transcript of these entries, oldest first, signed; the key is the party's."""
        linked = tuple(linked_entries(entries))
        signature = sign_digest(signing_key, _sealing_digest(header, linked))
        return cls(header=header, entries=linked, seal=Seal(signature=signature))

    def require_unaltered(self) -> None:
        """Raise ProtocolViolation unless every entry is linked to the one before, and the party signed all.

        The codes are "broken_link", which names the first entry from 1, and "bad_seal".
        """
        require_links((pack(one.entry), one.link) for one in self.entries)
        try:
            signer = recover_address(_sealing_digest(self.header, self.entries), self.seal.signature)
        except ProtocolViolation:
            signer = "nobody"
        if signer != self.header.party:
            raise ProtocolViolation("bad_seal", f"sealed by {signer}, not by {self.header.party}")


def linked_entries(entries: Iterable[Entry]) -> Iterator[LinkedEntry]:
    """Each with the digest of all up to it."""
    found = list(entries)
    for entry, link in zip(found, links(map(pack, found)), strict=True):
        yield LinkedEntry(entry=entry, link=link)


# ---- as a file ----


def to_bytes(transcript: Transcript) -> bytes:
    """Header, entries and seal, each packed after its length in 4 bytes."""
    parts = (transcript.header, *transcript.entries, transcript.seal)
    packed = (pack(one) for one in parts)
    return b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in packed)


def from_bytes(content: bytes) -> Transcript:
    """A transcript, not checked yet.

    Raises ProtocolViolation("malformed") for bytes that are none, or not as `to_bytes` writes them: else a
    byte could differ and nothing would show.
    """
    header, *linked, seal = _parts(content)
    found = Transcript(
        header=unpack(Header, header),
        entries=tuple(unpack(LinkedEntry, one) for one in linked),
        seal=unpack(Seal, seal),
    )
    if to_bytes(found) != content:
        raise ProtocolViolation("malformed", "not as a transcript is written")
    return found


def _parts(content: bytes) -> Sequence[bytes]:
    found: list[bytes] = []
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + _LENGTH_BYTES], "big")
        start = place + _LENGTH_BYTES
        place = start + length
        if length > _LONGEST or place > len(content):
            raise ProtocolViolation("malformed", f"part {len(found) + 1} is cut off")
        found.append(content[start:place])
    if len(found) < 2:
        raise ProtocolViolation("malformed", f"{len(found)} parts; header and seal at least")
    return found


def _sealing_digest(header: Header, linked: Sequence[LinkedEntry]) -> bytes:
    last = linked[-1].link if linked else FIRST
    return personal_digest(digest_of(DOMAIN, pack(header), len(linked).to_bytes(8, "big"), last))
