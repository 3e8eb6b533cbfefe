"""A checked training from each party's transcript: honest ones verify, and whatever is altered is named."""

import pytest

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.messages import ChainEvent
from protocol.verification.transcript import Entry, Transcript
from protocol.verification.verify import verify
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.transcripts import (
    PARTIES,
    after,
    entries_of,
    expected,
    header_of,
    is_of,
    party_of,
    sealed,
    signed_of,
    verified,
)


@pytest.mark.parametrize("name", PARTIES)
def test_an_honest_training_verifies(market, name):
    party = party_of(market, name)
    report = verified(sealed(party, entries_of(market, party)), party.signing_key)
    assert report.failure is None
    assert [one.round for one in report.rounds] == [1, 2]
    assert [one.attempt for one in report.rounds] == ([0, 0] if name == "trainer" else [1, 1])
    assert all(check.count for one in report.rounds for check in one.checks)
    assert {check.name: check.count for check in report.checks}["credits"] == 7


def test_a_member_checks_every_proof_of_others(market):
    party = party_of(market, "member")
    report = verified(sealed(party, entries_of(market, party)), party.signing_key)
    checked = {check.name: check.count for check in report.rounds[0].checks}
    assert checked["update proofs"] == checked["metric proofs"] == 2
    assert checked["openings"] == checked["moment products"]
    assert checked["checkers' questions, made again"] == 2


@pytest.mark.parametrize("name", ["trainer", "member"])
def test_who_has_no_key_of_the_party_verifies_what_is_in_no_box(market, name):
    party = party_of(market, name)
    report = verified(sealed(party, entries_of(market, party)))
    assert report.failure is None
    assert "boxes" in report.cannot_check
    checked = {check.name for one in report.rounds for check in one.checks}
    assert not checked & {"request rebuilt from masks", "metric proofs", "checkers' questions, made again"}
    if name != "trainer":
        assert {"update proofs", "metrics, signed", "openings", "members' consents"} <= checked


def test_rounds_are_told_as_they_are_verified(market):
    party, told = party_of(market, "buyer"), []
    transcript = sealed(party, entries_of(market, party))
    verify(transcript, expected(told=told.append))
    assert [one.round for one in told] == [1, 2]


def test_another_training_or_market_is_refused(market):
    transcript = sealed(market.buyer, entries_of(market, market.buyer))
    other = MARKET.model_copy(update={"chain_id": MARKET.chain_id + 1})
    assert verify(transcript, expected(market=other)).failure.code == "wrong_market"
    assert verify(transcript, expected(training=TRAINING + 1)).failure.code == "other_training"


# ---- an adversary without the party's key ----


@pytest.mark.parametrize("place", range(0, 60, 6))
def test_an_altered_entry_is_named(market, place):
    party = party_of(market, "member")
    transcript = sealed(party, entries_of(market, party))
    entries = list(transcript.entries)
    place %= len(entries)
    entry = entries[place].entry
    middle = len(entry.content) // 2
    content = entry.content[:middle] + bytes([entry.content[middle] ^ 1]) + entry.content[middle + 1 :]
    entries[place] = entries[place].model_copy(update={"entry": Entry(kind=entry.kind, content=content)})
    failure = verified(transcript.model_copy(update={"entries": tuple(entries)})).failure
    assert failure.code == "broken_link"
    assert f"entry {place + 1} " in failure.detail


def test_entries_linked_anew_by_somebody_else_have_no_seal(market):
    party = party_of(market, "member")
    entries = entries_of(market, party)
    forged = sealed(market.buyer, entries).model_copy(update={"header": header_of(party)})
    assert verified(forged).failure.code == "bad_seal"
    linked = sealed(party, entries[:-1]).entries
    shorter = sealed(party, entries).model_copy(update={"entries": linked})
    assert verified(shorter).failure.code == "bad_seal"


# ---- the party itself, or whoever has its key ----

DUE = {
    "buyer": (
        "training_request",
        "checked_started",
        "attempt_announced",
        "moment_request",
        "moment_answer",
        "projection_request",
        "projection_answer",
        "zero_test_request",
        "zero_test_result",
        "ring_opening_request",
        "ring_opening",
        "metric_opening_request",
        "opening",
    ),
    "aggregator": (
        "training_request",
        "checked_started",
        "round_evidence",
        "shown_metrics",
        "shown_noise",
        "metric_consent",
        "ring_opening_request",
        "opening",
    ),
    "trainer": ("invitation", "checked_started", "encrypted_model", "proven_update"),
    "member": (
        "invitation",
        "checked_started",
        "round_evidence",
        "proven_metric",
        "shown_metrics",
        "shown_noise",
        "metric_consent",
        "projection_answer",
        "zero_test_shown",
        "opening",
        "round_signature",
    ),
}
CASES = [(name, kind) for name, kinds in DUE.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_message_that_is_left_out_is_missed(market, name, kind):
    entries = entries_of(market, party_of(market, name))
    left = [one for one in entries if not is_of(one, kind)]
    assert len(left) < len(entries)
    failure = after(market, name, left).failure
    assert failure is not None
    assert failure.code == "missing_message"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_message_of_others_that_is_changed_is_named(market, name, kind):
    party = party_of(market, name)
    entries = entries_of(market, party)
    place = next(number for number, one in enumerate(entries) if is_of(one, kind))
    signed = signed_of(entries[place], party)
    changed = signed.model_copy(update={"body": signed.body[:-1] + bytes([signed.body[-1] ^ 1])})
    entries[place] = Entry.message(changed, party.address, party.signing_key)
    failure = after(market, name, entries).failure
    assert failure is not None
    assert failure.code == "bad_signature"
    assert failure.message == f"{kind} from {signed.envelope.sender}"
    assert failure.round == signed.envelope.round


def test_a_second_version_of_evidence_is_named(market):
    """The aggregator signs another one for the same place: it cannot be told which is true."""
    party = party_of(market, "member")
    entries = entries_of(market, party)
    evidence = [signed_of(one, party) for one in entries if is_of(one, "round_evidence")]
    first, second = evidence[0], evidence[1]
    forged = SignedMessage.create(
        first.envelope.model_copy(update={"message_id": b"\x01" * 16}),
        second.body,
        market.aggregator.signing_key,
    )
    again = Entry.message(forged, party.address, party.signing_key)
    failure = after(market, "member", [*entries, again]).failure
    assert (failure.code, failure.message, failure.round) == ("two_versions", "round_evidence", 1)


def test_evidence_of_another_round_is_none(market):
    """Signed by the aggregator, in the place of the round's."""
    party = party_of(market, "member")
    entries = entries_of(market, party)
    places = [number for number, one in enumerate(entries) if is_of(one, "round_evidence")]
    first, second = (signed_of(entries[place], party) for place in places[:2])
    forged = SignedMessage.create(first.envelope, second.body, market.aggregator.signing_key)
    entries[places[0]] = Entry.message(forged, party.address, party.signing_key)
    failure = after(market, "member", entries).failure
    assert (failure.message, failure.round) == ("round_evidence", 1)


def test_a_message_between_others_is_refused(market):
    """Nobody's transcript holds what was said between others."""
    entries = entries_of(market, party_of(market, "member"))
    foreign = next(one for one in entries_of(market, market.buyer) if is_of(one, "moment_request"))
    assert after(market, "member", [*entries, foreign]).failure.code == "not_a_party"


def test_who_is_no_party_has_no_transcript(market):
    entries = entries_of(market, market.buyer)
    party = party_of(market, "buyer")
    header = header_of(party).model_copy(update={"role": "federated_aggregator"})
    report = verified(Transcript.sealed(header, entries, party.signing_key))
    assert report.failure.code == "not_a_party"


@pytest.mark.parametrize("nonce", [None, b"\1" * 32], ids=["left out", "another"])
def test_nonces_that_order_the_checkers_are_those_that_seats_were_taken_with(market, nonce):
    """Whoever could put in others would choose afterwards who had to check."""
    entries = entries_of(market, party_of(market, "member"))
    place = next(number for number, one in enumerate(entries) if b"Revealed" in one.content)
    told = unpack(ChainEvent, entries.pop(place).content)
    if nonce is not None:
        event = told.event.model_copy(update={"nonce": nonce})
        entries.insert(place, Entry.event(told.model_copy(update={"event": event})))
    assert after(market, "member", entries).failure.code == ("wrong_nonce" if nonce else "wrong_roles")
