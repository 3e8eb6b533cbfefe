"""What a step adds to a transcript: what was taken, whoever had something refused in the same step."""

from protocol.codec import unpack
from protocol.messages.opening import RoundSignature
from protocol.roles.engine.effects import ReportViolation
from protocol.roles.engine.inputs import MessageReceived
from protocol.verification.transcript import Entry
from services.runtime.transcript_entries import entries_of
from tests.support.roles.phases import finished_market
from tests.support.roles.small_markets import stopped_at
from tests.support.roles.transcripts import signed_of


def test_a_message_that_is_refused_once_it_has_waited_spoils_nothing():
    """A validator's signature that is none, ahead of the buyer's opening, is no entry, nor keeps that out."""
    market, member, opening = stopped_at("opening", 2)
    other = market.owners[3]
    place = {"round_number": opening.envelope.round, "attempt": opening.envelope.attempt}
    false = market.message(other, member, RoundSignature(signature=b"\0" * 65), **place)

    def kept(signed):
        item = MessageReceived(signed=signed)
        step = market.deliver(member, item)
        packed = entries_of(step, item, (), member.address, member.signing_key)
        return step, [signed_of(unpack(Entry, one), member) for one in packed]

    waits, entries = kept(false)
    assert entries == []
    assert not [one for one in waits.effects if isinstance(one, ReportViolation)]
    step, entries = kept(opening)
    assert entries == [opening]
    (violation,) = [one for one in step.effects if isinstance(one, ReportViolation)]
    assert (violation.accused, violation.envelope) == (other.address, false.envelope)


def test_a_message_that_has_waited_is_an_entry_once_it_is_taken():
    market, member, opening = stopped_at("opening", 2)
    other = market.owners[3]
    market.deliver(other, MessageReceived(signed=market.run_until("opening", other)))
    signature = market.run_until("round_signature", member)
    found = []
    for signed in (signature, opening):
        item = MessageReceived(signed=signed)
        step = market.deliver(member, item)
        found.append(entries_of(step, item, (), member.address, member.signing_key))
    assert found[0] == []
    assert [signed_of(unpack(Entry, one), member) for one in found[1]] == [opening, signature]


def test_a_false_signature_that_comes_too_late_is_no_entry():
    market = finished_market()
    member, other = market.validators()
    false = RoundSignature(signature=b"\0" * 65)
    for party in (market.buyer, market.aggregator, member):
        item = MessageReceived(signed=market.message(other, party, false, round_number=1, attempt=1))
        step = market.deliver(party, item)
        assert entries_of(step, item, (), party.address, party.signing_key) == []
