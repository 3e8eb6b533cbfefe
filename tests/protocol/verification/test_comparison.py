"""Two parties' transcripts held against each other: what one denies, the other one has signed."""

import itertools

import pytest

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.envelope import SignedMessage
from protocol.messages import ChainEvent
from protocol.messages.rounds import RoundEvidence
from protocol.verification.comparison import require_other
from protocol.verification.contents import contents_of
from protocol.verification.report import Failure, VerificationFailed
from protocol.verification.transcript import Entry, Transcript
from tests.support.roles.transcripts import (
    PARTIES,
    entries_of,
    header_of,
    is_of,
    party_of,
    sealed,
    signed_of,
)


def of(market, name, entries=None) -> Transcript:
    party = party_of(market, name)
    return sealed(party, entries_of(market, party) if entries is None else entries)


def compared(market, name, other: Transcript) -> dict[str, int]:
    """How many of each thing both have; raises VerificationFailed."""
    party = party_of(market, name)
    own = contents_of(header_of(party), entries_of(market, party), party.signing_key)
    return {one.name: one.count for one in require_other(own, other)}


def failure_of(market, name, other: Transcript) -> Failure:
    with pytest.raises(VerificationFailed) as failed:
        compared(market, name, other)
    return failed.value.failure


@pytest.mark.parametrize(("name", "other"), list(itertools.combinations(PARTIES, 2)))
def test_honest_parties_agree(market, name, other):
    counts = compared(market, name, of(market, other))
    assert counts["events that both have"] > 5
    assert counts["messages that both have"] + counts["messages of others, the same to both"] > 0


def test_a_party_cannot_take_back_what_another_one_has_of_it(market):
    """It links its past anew without the signature of a record, and seals that with its own key."""
    member = party_of(market, "member")
    kept = [one for one in entries_of(market, member) if not is_of(one, "metric_consent")]
    other = of(market, "member", kept)
    failure = failure_of(market, "aggregator", other)
    assert (failure.code, failure.message) == ("denied", f"metric_consent from {member.address}")


def test_an_aggregator_that_showed_two_members_different_things_has_signed_both(market):
    members = (market.owners[2], market.owners[3])
    entries = entries_of(market, members[1])
    place = next(number for number, one in enumerate(entries) if is_of(one, "round_evidence"))
    signed = signed_of(entries[place], members[1])
    body = body_of(signed, RoundEvidence)
    changed = body.model_copy(update={"masks": body.masks[::-1]})
    forged = SignedMessage.create(signed.envelope, pack(changed), market.aggregator.signing_key)
    entries[place] = Entry.message(forged, members[1].address, members[1].signing_key)
    failure = failure_of(market, "member", sealed(members[1], entries))
    assert (failure.code, failure.round) == ("two_versions", 1)
    assert failure.message == f"round_evidence from {market.aggregator.address}"


def test_another_event_at_the_same_place_of_the_chain_is_named(market):
    entries = entries_of(market, market.buyer)
    place = next(number for number, one in enumerate(entries) if b"RoundRecorded" in one.content)
    found = unpack(ChainEvent, entries[place].content)
    event = found.event.model_copy(update={"mse_after": found.event.mse_after + 1})
    entries[place] = Entry.event(found.model_copy(update={"event": event}))
    assert failure_of(market, "aggregator", of(market, "buyer", entries)).code == "other_events"


def test_who_alters_the_other_one_is_noticed_first(market):
    other = of(market, "buyer")
    shorter = other.model_copy(update={"entries": other.entries[:-1]})
    assert failure_of(market, "aggregator", shorter).code == "bad_seal"
    assert failure_of(market, "buyer", other).code == "same_party"
    header = header_of(market.buyer).model_copy(update={"training": 8})
    elsewhere = Transcript.sealed(header, [], market.buyer.signing_key)
    assert failure_of(market, "aggregator", elsewhere).code == "other_training"
