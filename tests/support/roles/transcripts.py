"""Transcripts of a pure market's parties, and of one with another's changes, which the party seals again."""

from collections.abc import Iterable, Sequence
from typing import Any

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from protocol.verification.expected import Expected
from protocol.verification.hidden import HiddenMessage
from protocol.verification.report import Report
from protocol.verification.transcript import Entry, Header, Transcript, is_kept
from protocol.verification.verify import verify
from tests.support.groups import small_group
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party

SEED = b"\x07" * 32


def header_of(party: Party) -> Header:
    """Of the one training of a pure market."""
    return Header(
        chain_id=MARKET.chain_id,
        contract=MARKET.contract,
        training=TRAINING,
        role=party.role,
        party=party.address,
    )


def entries_of(market: PureMarket, party: Party) -> list[Entry]:
    """What this party received and did not refuse, then what it sent."""
    entries: list[Entry] = []
    for item in party.taken:
        if isinstance(item, EventConfirmed):
            entries.append(Entry.event(item.chain_event))
        elif isinstance(item, MessageReceived) and is_kept(item.signed):
            entries.append(Entry.message(item.signed, party.address, party.signing_key))
    entries += [Entry.event(one.chain_event) for one in credits_of(market)]
    sent = (one for one in market.wire if one.envelope.sender == party.address)
    entries += [Entry.message(one, party.address, party.signing_key) for one in sent if is_kept(one)]
    return entries


def signed_of(entry: Entry, party: Party) -> SignedMessage:
    """The whole message of an entry, out of its box if it is in one."""
    if entry.kind == "hidden":
        return unpack(HiddenMessage, entry.content).opened(party.signing_key)
    return unpack(SignedMessage, entry.content)


def is_of(entry: Entry, kind: str) -> bool:
    """Whether an entry is a message of this type."""
    if entry.kind == "event":
        return False
    model: type[HiddenMessage | SignedMessage] = HiddenMessage if entry.kind == "hidden" else SignedMessage
    return unpack(model, entry.content).envelope.type == kind


def credits_of(market: PureMarket) -> list[EventConfirmed]:
    """What the contract credited, in blocks of their own after all others."""
    assert market.contract.ledger is not None
    return [market.event_input(one) for one in market.contract.ledger.credited]


def sealed(party: Party, entries: Iterable[Entry]) -> Transcript:
    """These entries, sealed by the party."""
    return Transcript.sealed(header_of(party), entries, party.signing_key)


def expected(signing_key: bytes | None = None, **changes: Any) -> Expected:
    """The pure market's training; with a party's key its boxes are opened."""
    fields: dict[str, Any] = {"market": MARKET, "training": TRAINING, "seed": SEED, "group": small_group()}
    return Expected(**{**fields, "signing_key": signing_key, **changes})


def verified(transcript: Transcript, signing_key: bytes | None = None) -> Report:
    """What it shows of the pure market's training."""
    return verify(transcript, expected(signing_key))


def party_of(market: PureMarket, name: str) -> Party:
    """One of PARTIES, of a market whose first owner trains and whose third validates."""
    return {
        "buyer": market.buyer,
        "aggregator": market.aggregator,
        "trainer": market.owners[0],
        "member": market.owners[2],
    }[name]


def after(market: PureMarket, name: str, entries: Sequence[Entry]) -> Report:
    """The report of a transcript that the party itself has altered, and sealed again."""
    party = party_of(market, name)
    return verified(sealed(party, entries), party.signing_key)


PARTIES = ("buyer", "aggregator", "trainer", "member")
"""Each has sent and received other messages."""
