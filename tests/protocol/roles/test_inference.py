"""Standard errors at the end of a whole training: who gets what, and what silence and lies lead to."""

from random import Random

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.inference_terms import ENTRY_BYTES, opened_entries
from protocol.learning.inference.estimates import CheckerWord, Inference, coefficients, own_units
from protocol.learning.inference.sharing import opened
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.links import FITTED
from protocol.messages.inference import InformationShare, InformationSum
from protocol.roles.buyer.inference import awaited_sums
from protocol.roles.engine.effects import KeepResult, RecordFact
from protocol.roles.engine.inputs import Input, MessageReceived, TimerFired
from protocol.roles.engine.state import replace
from protocol.roles.owner.budget import Joining, inference_numbers, most_numbers
from protocol.roles.owner.inference import pool_after
from protocol.verification.transcript import KEPT
from tests.support.roles.generalized_market import generalized_market
from tests.support.roles.inferring import CONVERGING, OWNERS, ROWS, inferring_market, kept_inference
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    altered,
    body_of,
    losing,
    refusal,
    shuffling,
    small_data,
    without,
)

SHARE, SUM = "information_share", "information_sum"
SILENT_LATE = "information"


def finished(market: PureMarket) -> PureMarket:
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    assert unpack(BoughtModel, market.buyer.results["model"]).intercept is not None
    return market


def test_intervals_are_those_of_the_trainers_pooled_rows() -> None:
    data = small_data(owners=7, rows=ROWS)
    market = finished(inferring_market())
    found, pooled = kept_inference(market), np.vstack(data[:5])
    x, y = np.column_stack([pooled[:, :2], np.ones(len(pooled))]), pooled[:, 2]
    weights, (squares,), *_ = np.linalg.lstsq(x, y, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
    assert (found.missing, found.names, found.trainers, found.rows) == (
        None,
        ("x0", "x1", "intercept"),
        5,
        300,
    )
    assert found.degrees == 120
    assert found.standard_errors == pytest.approx(errors * np.sqrt(found.dispersion), rel=1e-6)
    assert found.dispersion == pytest.approx(squares / (300 - 3), rel=0.3)  # of other owners' rows
    table = coefficients(unpack(BoughtModel, market.buyer.results["model"]), found)
    pooled_ends = [
        (weight - 1.98 * error, weight + 1.98 * error)
        for weight, error in zip(weights, found.standard_errors, strict=True)
    ]
    ends = [(one.low, one.high) for one in table]
    left_by_averaging = 0.5 * max(found.standard_errors)
    assert np.abs(np.subtract(ends, pooled_ends)).max() < left_by_averaging


@pytest.mark.parametrize("kind", FITTED)
def test_those_of_fitted_kinds_are_of_the_sum_of_the_owners_own_informations(kind: str) -> None:
    """Of hazards two weights: their intercept has no information, so no share has an entry of it."""
    schedule = {**CONVERGING, "local_steps": 100}
    market = finished(
        generalized_market(kind, count=7, l2="0", inference=True, owners=OWNERS, schedule=schedule)
    )
    found, request = kept_inference(market), market.request
    assert len(body_of(market.sent(SHARE)[0]).share) == ENTRY_BYTES * opened_entries(request.estimated)
    statistics = [Statistic.from_bytes(owner.private["data_set:rows"]) for owner in market.trainers()]
    parts = [kind_of(request).information_factor(request, one) for one in statistics]
    pooled = ROWS * sum(part.T @ part for part in parts)
    covariance = np.linalg.inv(pooled) * found.dispersion / float(request.error_unit)
    own = own_units(request)[: request.estimated, : request.estimated]
    expected = np.sqrt(np.diag(own @ covariance @ own.T))
    assert found.standard_errors == pytest.approx(expected, rel=1e-6)
    table = coefficients(unpack(BoughtModel, market.buyer.results["model"]), found)
    assert [one.name for one in table] == ["a", "b", "intercept"][: request.estimated]


def test_each_checker_gets_a_share_of_every_trainer_and_the_buyer_two_sums_alone() -> None:
    market = finished(inferring_market())
    trainers, checkers = (
        {party.address for party in some} for some in (market.trainers(), market.validators())
    )
    places = [(one.envelope.sender, one.envelope.recipient) for one in market.sent(SHARE)]
    assert sorted(places) == sorted((trainer, checker) for trainer in trainers for checker in checkers)
    sums = market.sent(SUM)
    assert {(one.envelope.sender, one.envelope.recipient) for one in sums} == {
        (checker, market.buyer.address) for checker in checkers
    }
    ended = [fact.name for fact in market.buyer.facts]
    assert ended.count("inferred") == 1
    assert all(owner.decoded.pooling is None for owner in market.owners)


def test_a_share_alone_is_of_any_matrix() -> None:
    """Each of the 192 bits of what trainers send varies, and only both shares make the matrix."""
    market = finished(inferring_market())
    shares = [body_of(one).share for one in market.sent(SHARE)]
    of_first = [
        body_of(one).share for one in market.sent(SHARE) if one.envelope.sender == market.owners[0].address
    ]
    matrix = opened(of_first[0], of_first[1], 3)
    assert matrix[2, 2] == pytest.approx(ROWS)  # the ones of the intercept
    for place in (0, 1):
        entries = np.frombuffer(b"".join(shares[place::2]), dtype=np.uint8).reshape(-1, ENTRY_BYTES)
        bits = np.unpackbits(entries, axis=1).mean(axis=0)
        assert len(entries) == 5 * 6
        assert bits.min() > 0
        assert bits.max() < 1


# ---- budgets ----


def test_trainers_have_counted_the_pooled_matrix_and_checkers_none() -> None:
    market = finished(inferring_market())
    plain = market.request.model_copy(update={"inference": False})
    assert most_numbers(market.request) == most_numbers(plain) + 6
    assert inference_numbers(plain) == 0
    counted = {owner.address: unpack(Joining, owner.values["joined:1"]) for owner in market.owners}
    trained, checked = (
        {(counted[party.address].numbers, counted[party.address].pooled) for party in some}
        for some in (market.trainers(), market.validators())
    )
    assert {(numbers - 6, pooled - 1) for numbers, pooled in trained} == checked


# ---- silence ----


def fire(market: PureMarket, party: Party) -> None:
    market.now += 10_000
    market.fire(party, SILENT_LATE)
    market.run()


def test_a_trainer_without_a_share_is_told_by_both_checkers_and_no_sum_is() -> None:
    market = inferring_market()
    silent = market.owners[2]
    market.intercept = without(SHARE, sender=silent)
    finished(market)
    assert "inference" not in market.buyer.results
    fire(market, market.validators()[0])
    assert "inference" not in market.buyer.results  # one word alone says nothing
    fire(market, market.validators()[1])
    assert all(body_of(one).total == b"" for one in market.sent(SUM))
    told = tuple(CheckerWord(checker=one.address, lacks=(silent.address,)) for one in market.validators())
    assert kept_inference(market) == Inference(missing="silent", told=told)
    assert market.buyer.facts[-1].data["told"] == [word.model_dump(mode="json") for word in told]


@pytest.mark.parametrize("place", [5, 6])
def test_a_checker_that_denies_a_share_is_told_beside_the_other_ones_sum(place: int) -> None:
    market = inferring_market()
    liar, honest = market.owners[place], market.owners[11 - place]
    denied = (market.owners[0].address,)
    lying(market, SUM, liar, total=b"", silent=denied)
    finished(market)
    found = kept_inference(market)
    words = {CheckerWord(checker=liar.address, lacks=denied), CheckerWord(checker=honest.address)}
    assert (found.missing, found.silent, set(found.told)) == ("silent", (), words)


def test_the_word_of_one_checker_is_told_where_the_other_is_silent() -> None:
    market = inferring_market()
    liar, silent = market.owners[5:7]
    denied = (market.owners[0].address,)
    lying(market, SUM, liar, total=b"", silent=denied)
    heard = market.intercept
    market.intercept = lambda one: () if without(SUM, sender=silent)(one) == () else heard(one)
    finished(market)
    fire(market, market.buyer)
    found = kept_inference(market)
    assert (found.silent, found.told) == (
        (silent.address,),
        (CheckerWord(checker=liar.address, lacks=denied),),
    )


def test_a_checker_without_a_sum_is_named() -> None:
    market = inferring_market()
    checker = market.owners[5]
    market.intercept = without(SUM, sender=checker)
    finished(market)
    fire(market, market.buyer)
    heard = CheckerWord(checker=market.owners[6].address)
    assert kept_inference(market) == Inference(missing="silent", silent=(checker.address,), told=(heard,))


def test_a_sum_that_comes_late_makes_standard_errors_still() -> None:
    market = inferring_market()
    checker = market.owners[5]
    market.intercept = without(SUM, sender=checker)
    finished(market)
    fire(market, market.buyer)
    assert kept_inference(market).missing == "silent"
    late = next(one for one in market.sent(SUM) if one.envelope.sender == checker.address)
    market.deliver(market.buyer, MessageReceived(signed=late))
    assert kept_inference(market) == kept_inference(finished(inferring_market()))
    assert market.buyer.facts[-1].name == "inferred"
    market.deliver(market.buyer, MessageReceived(signed=late))
    assert [fact.name for fact in market.buyer.facts].count("inferred") == 1


def test_so_does_a_share_that_comes_after_both_checkers_have_told_it_missing() -> None:
    """Each of them sends a sum of all trainers' shares and never one of some."""
    market = inferring_market()
    silent = market.owners[2]
    market.intercept = without(SHARE, sender=silent)
    finished(market)
    for checker in market.validators():
        fire(market, checker)
    assert kept_inference(market).missing == "silent"
    market.intercept = lambda one: (one,)
    for share in [one for one in market.sent(SHARE) if one.envelope.sender == silent.address]:
        market.deliver(market.parties[share.envelope.recipient], MessageReceived(signed=share))
    market.run()
    assert kept_inference(market) == kept_inference(finished(inferring_market()))
    totals = [one for one in market.sent(SUM) if body_of(one).total]
    assert {one.envelope.sender for one in totals} == {one.address for one in market.validators()}
    assert len(totals) == 2


def test_a_denial_after_a_sum_or_another_denial_is_no_news() -> None:
    market = inferring_market()
    liar = market.owners[5]
    market.intercept = without(SUM)
    finished(market)
    sums = market.sent(SUM)
    blaming = InformationSum(silent=(market.owners[0].address,))
    denial = market.message(liar, market.buyer, blaming)
    own, other = sorted(sums, key=lambda one: one.envelope.sender != liar.address)
    for told in (denial, denial, own, denial, other):
        market.deliver(market.buyer, MessageReceived(signed=told))
    assert kept_inference(market).missing is None


def test_shares_are_kept_no_longer_than_the_model() -> None:
    market = inferring_market()
    market.intercept = without(SHARE, sender=market.owners[2])
    finished(market)
    checker = market.owners[5]
    assert checker.decoded.pooling is not None
    market.fire(checker, "retention")
    assert checker.decoded.pooling is None


def test_timers_that_fire_when_all_is_there_change_nothing() -> None:
    market = finished(inferring_market())
    before = kept_inference(market)
    for party in (market.buyer, *market.validators()):
        assert SILENT_LATE not in party.timers
        market.deliver(party, TimerFired(name=SILENT_LATE))
    market.run()
    assert kept_inference(market) == before


# ---- redelivery, order ----


def test_sums_that_come_before_the_model_wait_for_it_and_repeated_shares_count_once() -> None:
    market = inferring_market()
    held: list[SignedMessage] = []

    def twice(message: SignedMessage) -> tuple[SignedMessage, ...]:
        if message.envelope.type == "trained_model":
            held.append(message)
            return ()
        return (message, message) if message.envelope.type in (SHARE, SUM) else (message,)

    market.intercept = twice
    market.run()
    assert len(market.sent(SUM)) == 2
    assert market.buyer.results == {}
    market.post(held[0])
    market.run()
    assert kept_inference(market).missing is None


def test_shares_may_come_before_a_checker_sees_the_settlement() -> None:
    market = inferring_market()
    checker = market.owners[5]
    waiting = _settled_late(market, checker)
    assert checker.phase == "running"
    assert {len(market.sent(SUM)), len(waiting)} == {1}
    assert pool_after(checker.decoded, market.context(checker)) is not None
    market.deliver(checker, waiting[0])
    market.run()
    assert kept_inference(market).missing is None


def test_nobody_opens_anything_without_being_asked() -> None:
    market = inferring_market()
    checker = market.owners[5]
    _settled_late(market, checker)
    state, context = checker.decoded, market.context(checker)
    asked_nothing = state.request.model_copy(update={"inference": False})
    assert pool_after(replace(state, request=asked_nothing), context) is None
    assert pool_after(replace(state, last_recorded=False), context) is None


def _settled_late(market: PureMarket, checker: Party) -> list[Input]:
    """Run with the settlement's event kept from one checker; returns it."""
    kept: list[Input] = []
    deliver = market.deliver

    def delivering(party: Party, item):  # type: ignore[no-untyped-def]
        event = getattr(getattr(item, "chain_event", None), "event", None)
        if party is checker and getattr(event, "event", "") == "Settled" and not kept:
            kept.append(item)
            return None
        return deliver(party, item)

    market.deliver = delivering  # type: ignore[method-assign]
    market.run()
    market.deliver = deliver  # type: ignore[method-assign]
    return kept


def test_fewer_than_five_trainers_of_the_last_round_open_nothing() -> None:
    market = inferring_market()
    checker = market.owners[5]
    market.intercept = without("trained_model")
    _settled_late(market, checker)
    assert pool_after(replace(checker.decoded, trained_by=0b01111), market.context(checker)) is None
    few = replace(market.buyer.decoded, trained_by=0b01111)
    nothing, effects = awaited_sums(few, market.context(market.buyer))
    kept, told = effects
    assert nothing is None
    assert isinstance(kept, KeepResult)
    assert isinstance(told, RecordFact)
    assert unpack(Inference, kept.content) == Inference(missing="too_few_trainers")
    assert told.data == {"code": "too_few_trainers", "silent": [], "told": []}


def test_any_order_and_repeated_deliveries_lead_to_the_same_end() -> None:
    chance = Random(1)
    rows = small_data(owners=7, rows=30)
    market = inferring_market(rows, choose=shuffling(1), duplicate=lambda: chance.random() < 0.2)
    finished(market)
    assert kept_inference(market).missing is None
    assert len(market.sent(SUM)) == 2


# ---- adversaries ----


def lying(market: PureMarket, type_name: str, liar: Party, **changes: object) -> None:
    """Have one party send another body of this type."""

    def intercept(message: SignedMessage) -> tuple[SignedMessage, ...]:
        envelope = message.envelope
        if envelope.type == type_name and envelope.sender == liar.address:
            return (altered(market, message, **changes),)
        return (message,)

    market.intercept = intercept


@pytest.mark.parametrize(("type_name", "place"), [(SHARE, 1), (SUM, 6)])
def test_shares_and_sums_of_anything_else_are_seen_to_be_implausible(type_name: str, place: int) -> None:
    market = inferring_market()
    field = "share" if type_name == SHARE else "total"
    lying(market, type_name, market.owners[place], **{field: b"\7" * 6 * ENTRY_BYTES})
    finished(market)
    assert kept_inference(market) == Inference(missing="implausible_sum", trainers=5, rows=5 * ROWS)


@pytest.mark.parametrize(("type_name", "field"), [(SHARE, "share"), (SUM, "total")])
def test_another_number_of_entries_is_refused(type_name: str, field: str) -> None:
    market = inferring_market()
    message = market.run_until(type_name)
    recipient = market.parties[message.envelope.recipient]
    while recipient.phase != "finished":
        market.deliver_next()
    longer = getattr(body_of(message), field) + b"\0" * ENTRY_BYTES
    assert refusal(market, recipient, altered(market, message, **{field: longer})) == "wrong_count"


def test_only_trainers_shares_and_checkers_sums_are_taken() -> None:
    market = inferring_market()
    market.intercept = losing(lambda one: one.envelope.type in (SHARE, SUM))
    finished(market)
    checker, other, trainer = market.owners[5], market.owners[6], market.owners[0]
    share = InformationShare(share=b"\0" * 6 * ENTRY_BYTES)
    assert refusal(market, checker, market.message(other, checker, share)) == "not_a_trainer"
    own = InformationSum(total=b"\0" * 6 * ENTRY_BYTES)
    assert refusal(market, market.buyer, market.message(trainer, market.buyer, own)) == "wrong_sender"
    blaming = InformationSum(silent=(other.address,))
    assert refusal(market, market.buyer, market.message(checker, market.buyer, blaming)) == "not_a_trainer"


def test_a_trainer_is_sent_no_share_and_takes_none() -> None:
    market = inferring_market()
    market.intercept = losing(lambda one: one.envelope.type == SHARE)
    finished(market)
    first, second = market.owners[:2]
    share = market.message(first, second, InformationShare(share=b"\0" * 6 * ENTRY_BYTES))
    before = second.decoded
    market.deliver(second, MessageReceived(signed=share))
    assert second.decoded == before


def test_no_transcript_keeps_shares_or_sums() -> None:
    """Those of both checkers together would show every trainer's matrix."""
    assert not {SHARE, SUM} & KEPT


def test_nothing_of_a_matrix_is_in_a_repr() -> None:
    for body in (InformationShare(share=b"secret"), InformationSum(total=b"secret")):
        assert "secret" not in repr(body)
