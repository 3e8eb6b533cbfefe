"""Who was blamed: a misnaming is found, what was not shown is left open; convictions: `every_adversary`."""

import pytest

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.marketplace import RoundRecorded
from protocol.messages import ParticipantDropped, TrainingFailed
from protocol.verification.blame import _NOT_HERE, require_blame
from protocol.verification.contents import contents_of
from protocol.verification.hidden import is_secret
from protocol.verification.report import Blame, Failure, VerificationFailed
from protocol.verification.training import rebuilt
from protocol.verification.transcript import Entry, is_kept
from tests.protocol.roles.aggregator.rounds.test_ranges import opened_ranges
from tests.support.groups import small_group
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import SEED, entries_of, header_of, party_of


def judged(market, name: str, entries: list[Entry]) -> list[Blame]:
    """What a party's entries come to; raises VerificationFailed."""
    party = party_of(market, name)
    contents = contents_of(header_of(party), entries, party.signing_key)
    trainings = [rebuilt(contents, small_group(), SEED)]
    for event in contents.of(RoundRecorded):
        trainings.append(trainings[-1].after(event.record))
    return require_blame(contents, trainings)


def failure_of(market, name: str, entries: list[Entry]) -> Failure:
    with pytest.raises(VerificationFailed) as failed:
        judged(market, name, entries)
    return failed.value.failure


def test_an_honest_training_blames_nobody(market):
    assert judged(market, "aggregator", entries_of(market, market.aggregator)) == []


# ---- misnamed ----


def notice(market, recipient: Party, body, at=(1, 1)) -> Entry:
    """What the aggregator tells this party, signed."""
    signed = market.message(
        market.aggregator, recipient, body, message_id=b"\x07" * 16, round_number=at[0], attempt=at[1]
    )
    return Entry.message(signed, recipient.address, recipient.signing_key)


def with_notice(market, name: str, body, at=(1, 1)) -> list[Entry]:
    party = party_of(market, name)
    return [*entries_of(market, party), notice(market, party, body, at)]


def dropped(accused: Party, code: str) -> ParticipantDropped:
    return ParticipantDropped(participant=accused.address, from_round=1, code=code)


@pytest.mark.parametrize(("name", "code"), [("trainer", "unproven_update"), ("member", "unproven_metric")])
def test_whose_own_proof_holds_was_misnamed(market, name, code):
    failure = failure_of(market, name, with_notice(market, name, dropped(party_of(market, name), code)))
    assert (failure.code, failure.message, failure.round) == ("misnamed", "participant_dropped", 1)


@pytest.mark.parametrize("name", ["aggregator", "buyer"])
def test_nobody_sits_out_without_the_buyers_word(market, name):
    entries = with_notice(market, name, dropped(party_of(market, "trainer"), "sat_out"))
    failure = failure_of(market, name, entries)
    assert (failure.code, failure.message, failure.round) == ("misnamed", "participant_dropped", 1)


@pytest.mark.parametrize("name", ["trainer", "member"])
def test_whoever_was_shown_no_such_word_attests_no_sitting_out(market, name):
    entries = with_notice(market, name, dropped(party_of(market, "trainer"), "sat_out"))
    (found,) = judged(market, name, entries)
    assert (found.code, found.finding, found.why) == ("sat_out", "open", _NOT_HERE)


def test_a_buyer_whose_openings_are_proven_was_misnamed(market):
    body = TrainingFailed(code="bad_opening", fault=market.buyer.address, last_round=0)
    failure = failure_of(market, "buyer", with_notice(market, "buyer", body, at=(0, 0)))
    assert (failure.code, failure.message) == ("misnamed", "training_failed")


def test_each_opening_is_held_against_its_own_ring():
    arena = opened_ranges()
    assert {body_of(one).purpose for one in arena.sent("ring_opening")} == {"next model", "ranges"}
    body = TrainingFailed(code="bad_opening", fault=arena.buyer.address, last_round=0)
    entries = [*entries_of(arena, arena.buyer), notice(arena, arena.buyer, body)]
    with pytest.raises(VerificationFailed) as failed:
        judged(arena, "buyer", entries)
    assert failed.value.failure.code == "misnamed"


def test_an_aggregator_that_names_somebody_against_its_own_evidence_is_found(market):
    party = party_of(market, "aggregator")
    body = dropped(party_of(market, "member"), "unproven_metric")
    own = market.message(
        party, party_of(market, "trainer"), body, message_id=b"\x07" * 16, round_number=1, attempt=1
    )
    entries = [*entries_of(market, party), Entry.message(own, party.address, party.signing_key)]
    assert failure_of(market, "aggregator", entries).code == "misnamed"


@pytest.mark.parametrize("code", ["metric_late", "consent_late", "buyer_silent"])
def test_silence_convicts_nobody(market, code):
    blames = judged(market, "member", with_notice(market, "member", dropped(market.owners[3], code)))
    assert [(one.finding, one.code) for one in blames] == [("open", code)]


def test_what_was_not_shown_is_left_open(market):
    entries = with_notice(market, "member", dropped(market.owners[3], "unproven_metric"))
    (blame,) = judged(market, "member", entries)
    assert (blame.finding, blame.accused) == ("open", market.owners[3].address)


def test_a_notice_that_the_aggregator_did_not_sign_is_none(market):
    party = party_of(market, "member")
    body = dropped(party, "unproven_metric")
    forged = market.message(market.owners[3], party, body, message_id=b"\x07" * 16, round_number=1)
    entry = Entry.message(forged, party.address, party.signing_key)
    assert judged(market, "member", [*entries_of(market, party), entry]) == []


# ---- the rings over trainers' ranges ----


def shares() -> list[SignedMessage]:
    return [one for one in opened_ranges().wire if one.envelope.type == "ring_shared"]


def test_of_rings_over_ranges_alone_shares_are_kept_and_seeds_in_boxes():
    assert {body_of(one).purpose for one in shares()} > {"ranges"}
    assert all(is_kept(one) == (body_of(one).purpose == "ranges") for one in shares())
    kept = [one for one in shares() if is_kept(one)]
    assert [is_secret(one) for one in kept] == [body_of(one).seed is not None for one in kept]
    seeds = {body.seed for body in map(body_of, shares()) if body.seed}
    for party in opened_ranges().parties.values():
        for entry in entries_of(opened_ranges(), party):
            assert not any(seed in entry.content for seed in seeds)


def test_a_buyer_that_is_left_is_convicted_by_the_masks_that_the_aggregator_knew():
    arena = opened_ranges()
    (blame,) = judged(arena, "aggregator", entries_of(arena, arena.aggregator))
    found = (blame.code, blame.finding, blame.accused)
    assert found == ("wrong_moments", "convicted", arena.buyer.address)
