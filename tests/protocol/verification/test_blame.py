"""Who was blamed: whoever cheated is convicted by what was signed, and a misnaming is found."""

from functools import cache

import pytest

from protocol.bodies import body_of
from protocol.messages import ParticipantDropped, TrainingFailed
from protocol.verification.report import Blame, Report
from protocol.verification.transcript import Entry
from protocol.verification.verify import verify_entries
from tests.adversaries.arena import Arena
from tests.adversaries.catalogue import by_name
from tests.adversaries.run import played
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import after, entries_of, expected, header_of, party_of

CHEATS = {
    "trainer: re-blinded copy": ("unproven_update", ("aggregator",)),
    "validator: other error": ("unproven_metric", ("aggregator",)),
    "buyer: zero claimed": ("bad_opening", ("aggregator", "validator")),
}
"""What whoever cheats is convicted of, and by whose transcripts; the others cannot tell."""


@cache
def arena_of(name: str) -> Arena:
    return played(by_name()[name]).arena


def report_of(arena: Arena, party: Party, entries: list[Entry] | None = None) -> Report:
    kept = entries_of(arena, party) if entries is None else entries
    return verify_entries(header_of(party), kept, expected(party.signing_key))


@pytest.mark.parametrize("name", CHEATS)
def test_who_cheated_is_convicted_where_that_was_shown_and_nobody_is_misnamed(name):
    arena, (code, tellers) = arena_of(name), CHEATS[name]
    for party in arena.honest():
        report = report_of(arena, party)
        assert report.failure is None
        found = {one.finding for one in report.blames if one.code == code}
        assert found == ({"convicted"} if arena.role_of(party.address) in tellers else {"open"})
        assert {one.accused for one in report.blames} <= {arena.adversary}


def test_an_honest_training_blames_nobody(market):
    party = party_of(market, "aggregator")
    assert after(market, "aggregator", entries_of(market, party)).blames == ()


# ---- misnamed ----


def notice(market, recipient: Party, body, at=(1, 1)) -> Entry:
    """What the aggregator tells this party, signed."""
    signed = market.message(
        market.aggregator, recipient, body, message_id=b"\x07" * 16, round_number=at[0], attempt=at[1]
    )
    return Entry.message(signed, recipient.address, recipient.signing_key)


def with_notice(market, name: str, body, at=(1, 1)) -> Report:
    party = party_of(market, name)
    return after(market, name, [*entries_of(market, party), notice(market, party, body, at)])


def dropped(accused: Party, code: str) -> ParticipantDropped:
    return ParticipantDropped(participant=accused.address, from_round=1, code=code)


@pytest.mark.parametrize(("name", "code"), [("trainer", "unproven_update"), ("member", "unproven_metric")])
def test_whose_own_proof_holds_was_misnamed(market, name, code):
    failure = with_notice(market, name, dropped(party_of(market, name), code)).failure
    assert (failure.code, failure.message, failure.round) == ("misnamed", "participant_dropped", 1)


def test_a_buyer_whose_openings_are_proven_was_misnamed(market):
    body = TrainingFailed(code="bad_opening", fault=market.buyer.address, last_round=0)
    failure = with_notice(market, "buyer", body, at=(0, 0)).failure
    assert (failure.code, failure.message) == ("misnamed", "training_failed")


def test_an_aggregator_that_names_somebody_against_its_own_evidence_is_found(market):
    party = party_of(market, "aggregator")
    body = dropped(party_of(market, "member"), "unproven_metric")
    own = market.message(
        party, party_of(market, "trainer"), body, message_id=b"\x07" * 16, round_number=1, attempt=1
    )
    entries = [*entries_of(market, party), Entry.message(own, party.address, party.signing_key)]
    assert after(market, "aggregator", entries).failure.code == "misnamed"


def test_the_checker_that_did_not_lie_was_misnamed():
    """Of two, the aggregator names the honest one; its own transcript shows who it was."""
    arena = arena_of("buyer: zero claimed")
    verdicts = [one for one in arena.wire if one.envelope.type == "check_verdict"]
    complained = next(one for one in verdicts if not body_of(one).in_order)
    checker = arena.parties[complained.envelope.sender]
    at = (complained.envelope.round, complained.envelope.attempt)
    told = notice(arena, checker, dropped(checker, "false_complaint"), at)
    failure = report_of(arena, checker, [*entries_of(arena, checker), told]).failure
    assert failure.code == "misnamed"
    assert arena.buyer.address in failure.detail


@pytest.mark.parametrize("code", ["metric_late", "consent_late", "buyer_silent"])
def test_silence_convicts_nobody(market, code):
    report = with_notice(market, "member", dropped(market.owners[3], code))
    assert report.failure is None
    assert [(one.finding, one.code) for one in report.blames] == [("open", code)]


def test_what_was_not_shown_is_left_open(market):
    report = with_notice(market, "member", dropped(market.owners[3], "unproven_metric"))
    (blame,) = report.blames
    assert isinstance(blame, Blame)
    assert (blame.finding, blame.accused) == ("open", market.owners[3].address)


def test_a_notice_that_the_aggregator_did_not_sign_is_none(market):
    party = party_of(market, "member")
    body = dropped(party, "unproven_metric")
    forged = market.message(market.owners[3], party, body, message_id=b"\x07" * 16, round_number=1)
    entry = Entry.message(forged, party.address, party.signing_key)
    assert after(market, "member", [*entries_of(market, party), entry]).blames == ()
