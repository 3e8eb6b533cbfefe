"""A round that is repeated without a bad trainer, with somebody who lies about it, or messages in any order.

Part of `make campaigns`.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.marketplace import RoundRecorded
from protocol.messages.opening import ImplausibleError
from protocol.messages.rounds import RoundEvidence
from protocol.roles.aggregator.rounds import errors, ranges
from protocol.roles.buyer.rounds import opening
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.types import RoundAttempt
from protocol.verification.blame import _NOT_HERE, _SAT_OUT
from protocol.verification.contents import contents_of
from protocol.verification.evidence import shown_attempt
from protocol.verification.training import rebuilt
from tests.adversaries.arena import Arena, Deed, Replaced
from tests.adversaries.deeds import changing, honestly, withholding_when
from tests.adversaries.outcome import Outcome
from tests.protocol.roles.aggregator.rounds.test_ranges import end
from tests.support.groups import small_group
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import altered, body_of
from tests.support.roles.transcripts import SEED, entries_of, header_of, sealed, verified


def played(who: str, deed: Deed = honestly, *wrapped: Replaced, owners: int = 6, **options: Any) -> Arena:
    arena = bad_trainer(owners=owners, who=who, deed=deed, **options)
    arena.wrapped = wrapped
    arena.finish()
    return arena


def codes(arena: Arena) -> set[str]:
    return {one.code for party in arena.honest() for one in party.violations}


# ---- nobody lies ----


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_messages_arrive_the_training_goes_on(seed):
    arena = bad_trainer()
    arena.choose = Random(seed).choice
    arena.finish()
    outcome = Outcome(arena)
    assert outcome.is_whole
    assert outcome.is_true
    assert (outcome.named, outcome.bugs, codes(arena)) == (set(), [], set())


def test_every_transcript_holds_and_says_that_sitting_out_is_nobodys_fault():
    arena = played("nobody")
    for party in arena.parties.values():
        report = verified(sealed(party, entries_of(arena, party)), party.signing_key)
        assert report.failure is None
        assert {(one.code, one.finding) for one in report.blames} == {("sat_out", "open")}
        assert len(report.rounds) == 3
        told = party.address != arena.owners[0].address  # the others have the buyer's signed word
        assert {one.why for one in report.blames} == {_SAT_OUT if told else _NOT_HERE}


def test_an_aggregators_transcript_is_read_as_one_of_its_checkers_reads_it():
    """Whoever is drawn: a member that has made no share cannot look at a ring."""
    arena = played("nobody")
    party = arena.aggregator
    contents = contents_of(header_of(party), entries_of(arena, party), party.signing_key)
    training = rebuilt(contents, small_group(), SEED)
    for event in contents.of(RoundRecorded):
        for number in set(contents.attempts(RoundEvidence, event.round)):
            shown = shown_attempt(contents, training, RoundAttempt(event.round, number))
            assert shown.view.context.address in shown.attempt.checkers
            assert ring_view(shown.view, shown.attempt, Purpose.RANGES)
        training = training.after(event.record)


@pytest.mark.parametrize(("rounds", "recorded"), [(2, 1), (3, 3)])
def test_a_round_is_repeated_while_budgets_hold_it_and_else_the_training_ends(rounds, recorded):
    arena = played("nobody", rounds=rounds)
    assert Outcome(arena).recorded == recorded
    assert end(arena) == (("implausible", set()) if recorded == 1 else (None, set()))


# ---- the buyer ----


def naming(name: Any, power: int) -> Replaced:
    """Another naming than what its opened errors say."""

    def named(facts: Any, _plaintexts: Any, *, parties: Any, **_others: Any) -> Sequence[ImplausibleError]:
        trainers = parties.addresses(facts.trainers)
        return (ImplausibleError(trainer=trainers[name], power=power),)

    return Replaced(opening, "named_errors", named)


@pytest.mark.parametrize(("place", "power"), [(1, 8), (2, 48), (0, 16)])
def test_so_it_is_in_the_last_round_which_nobody_repeats(place, power):
    arena = played("buyer", honestly, naming(place, power), rounds=2)
    assert end(arena) == ("errors_denied", {arena.buyer.address})
    saw = {party.address for party in arena.owners for fact in party.facts if fact.name == "named"}
    assert saw == set(arena.checkers(2))
    assert (Outcome(arena).named, Outcome(arena).left_out) == ({arena.buyer.address}, set())


def test_its_word_on_the_last_round_has_nobody_sit_out():
    """It has said with it that the round is not repeated: no trainer or member takes it for more."""
    arena = played("nobody", rounds=2)
    said = [body_of(one) for one in arena.sent("opening_refused")]
    assert said
    assert all(one.is_final and one.named for one in said)
    for party in arena.parties.values():
        report = verified(sealed(party, entries_of(arena, party)), party.signing_key)
        assert report.failure is None
        assert not [one for one in report.blames if one.code == "sat_out"]


def test_an_aggregator_that_repeats_the_last_round_is_answered_by_nobody():
    """Budgets do not hold the numbers of a repetition."""
    arena = played("aggregator", honestly, Replaced(errors, "_may_repeat", lambda *_a: True), rounds=2)
    assert Outcome(arena).recorded == 1
    asked, answered = (
        [one for one in arena.sent(kind) if one.envelope.round == 2 and one.envelope.attempt == 2]
        for kind in ("moment_request", "moment_answer")
    )
    assert asked
    assert not answered


@pytest.mark.parametrize(("place", "power"), [(1, 8), (2, 16), (1, 48), (0, 16), (0, 48)])
def test_a_buyer_that_names_another_trainer_or_another_power_is_named_by_all_makers(place, power):
    arena = played("buyer", honestly, naming(place, power))
    assert end(arena) == ("errors_denied", {arena.buyer.address})
    saw = {party.address for party in arena.owners for fact in party.facts if fact.name == "named"}
    assert saw == set(arena.checkers(2))
    assert Outcome(arena).named == {arena.buyer.address}
    assert Outcome(arena).left_out == set()


def test_a_buyer_that_names_nobody_ends_the_training_as_before():
    arena = played("buyer", honestly, Replaced(opening, "named_errors", lambda *_a, **_k: ()))
    assert end(arena) == ("implausible", set())
    assert not [one for one in arena.sent("ring_opening_request") if body_of(one).purpose == "errors"]


def _of_errors(body: Any, _message: SignedMessage) -> bool:
    return bool(body.purpose == "errors")


def test_a_buyer_that_opens_no_errors_is_named_as_silent():
    arena = played("buyer", withholding_when(_of_errors, "ring_opening"))
    assert end(arena) == ("buyer_silent", {arena.buyer.address})


def test_a_buyer_that_opens_something_else_is_named():
    def moved(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        if body.purpose != "errors":
            return {}
        (row,) = body.vectors
        first, *others = row.openings
        other = first.model_copy(update={"plaintext": first.plaintext + 1})
        return {"vectors": (row.model_copy(update={"openings": (other, *others)}),)}

    arena = played("buyer", changing("ring_opening", moved))
    assert end(arena) == ("bad_opening", {arena.buyer.address})


# ---- a checker ----


def with_checker(place: int, deed: Deed) -> Arena:
    """One of the second round's two checkers does so."""
    arena = bad_trainer(owners=6)
    arena.enter("first checker", deed, redraws=None)
    arena.adversary = arena.checkers(2)[place]
    arena.finish()
    return arena


@pytest.mark.parametrize("kind", ["ring_committed", "ring_shared", "ring_consent"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_checker_that_takes_no_part_ends_the_training_and_nobody_honest_is_named(kind, place):
    arena = with_checker(place, withholding_when(_of_errors, kind))
    assert end(arena) == ("errors_late", set())
    told = {who for one in arena.sent("training_failed") for who in body_of(one).silent}
    assert arena.adversary in told
    assert Outcome(arena).named == set()


@pytest.mark.parametrize("place", [0, 1])
def test_a_checker_whose_share_its_seed_does_not_make_is_to_blame_for_the_end(place):
    def other_seed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != "ring_shared" or body_of(message).purpose != "errors":
            return (message,)
        return (altered(arena, message, seed=b"s" * 32),) if body_of(message).seed else (message,)

    arena = with_checker(place, other_seed)
    assert end(arena) == ("too_few_validators", {arena.adversary})


# ---- a validator ----


@pytest.mark.parametrize("times", [-(1 << 40), 1 << 20])
def test_a_matrix_that_makes_all_errors_too_large_ends_the_training_and_nobody_is_named(times):
    """Errors beyond all powers are no trainer's, and none is shown; others are as the buyer says."""
    arena = bad_trainer(owners=6, times=times)
    arena.finish()
    outcome = Outcome(arena)
    assert end(arena) == ("implausible", set())
    assert (outcome.named, outcome.left_out, outcome.recorded) == (set(), set(), 0)
    asked = [one for one in arena.sent("ring_opening_request") if body_of(one).purpose == "errors"]
    assert len(asked) == int(times > 0)
    assert codes(arena) == set()


# ---- the aggregator ----


def without_word(type_name: str) -> Deed:
    """What only the buyer's word allows, sent without it."""
    return changing(type_name, lambda _arena, _body, _message: {"refused": None})


def test_no_member_measures_a_round_with_another_model_without_the_buyers_word():
    arena = played("aggregator", without_word("round_evidence"))
    assert "second_model_for_round" in codes(arena)
    assert Outcome(arena).recorded == 1


def test_no_trainer_answers_another_model_of_a_round_without_the_buyers_word():
    arena = played("aggregator", without_word("encrypted_model"))
    assert codes(arena) == {"second_model_for_round"}
    assert len([one for one in arena.sent("proven_update") if one.envelope.round == 3]) == 3


def test_no_round_is_repeated_without_somebody_else_than_was_named():
    honest = errors._repeat

    def without_another(state: Any, lane: Any, _names: Any, context: Any) -> Any:
        return honest(state, lane, (trainers[1],), context)

    arena = bad_trainer(owners=6)
    trainers = [one.address for one in arena.trainers()]
    arena.enter("aggregator", honestly, (Replaced(errors, "_repeat", without_another),), redraws=None)
    arena.finish()
    assert "wrong_trainers" in codes(arena)
    assert Outcome(arena).recorded == 1


def test_no_round_is_repeated_before_its_checkers_have_seen_the_errors():
    def at_once(state: Any, lane: Any, complaint: Any, context: Any, _metrics: Any = ()) -> Any:
        fields = {name: getattr(lane, name) for name in type(lane).model_fields}
        named = (state.parties.addresses(lane.trained.trainers)[0],)
        skipped = ranges.RangingLane.model_construct(**fields, complaint=complaint)
        return errors._repeat(state, skipped, named, context)

    arena = played("aggregator", honestly, Replaced(ranges, "open_ranges", at_once))
    assert Outcome(arena).recorded == 1
    measured = {one.envelope.sender for one in arena.sent("proven_metric") if one.envelope.attempt == 2}
    assert measured == {one.address for one in arena.validators()} - set(arena.checkers(2))


def test_a_repetitions_model_that_is_not_its_answers_convicts_the_aggregator_in_a_transcript():
    """It shows roots for it anew, and so they are judged anew."""

    def changed(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        return {} if body.refused is None else {"model_roots": body.model_roots[::-1]}

    arena = played("aggregator", changing("round_evidence", changed))
    _code, (blamed,) = end(arena)  # one of both checkers, which have said so
    for party in (arena.parties[one] for one in arena.checkers(2, 2)):
        report = verified(sealed(party, entries_of(arena, party)), party.signing_key)
        if party.address == blamed:
            assert report.failure is not None
            assert report.failure.code == "misnamed"
            continue
        convicted = {(one.accused, one.code) for one in report.blames if one.finding == "convicted"}
        assert convicted == {(arena.aggregator.address, "other_subtraction")}


def test_a_checker_that_says_so_of_one_in_order_is_convicted():
    def changed(_arena: Arena, _body: Any, message: SignedMessage) -> dict[str, Any]:
        is_later = message.envelope.attempt == 2
        return {"in_order": False, "ground": "subtraction", "digests": None} if is_later else {}

    arena = bad_trainer(owners=6)
    arena.enter("first checker", changing("check_verdict", changed), redraws=None)
    arena.adversary = arena.checkers(2, 2)[0]
    arena.finish()
    assert end(arena) == ("too_few_validators", {arena.adversary})
    party = arena.aggregator
    report = verified(sealed(party, entries_of(arena, party)), party.signing_key)
    assert (report.failure, [one.accused for one in report.blames if one.finding == "convicted"]) == (
        None,
        [arena.adversary],
    )
