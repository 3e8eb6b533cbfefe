"""An aggregator that stops at any step keeps nobody from what is signed: others record it."""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.marketplace import quorum
from protocol.roles.engine.inputs import Input, MessageReceived, input_name
from protocol.signatures import sign_digest
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
    small_request,
    without,
)

ROUNDS = 2
SCHEDULE = {"rounds": ROUNDS, "local_steps": 1, "step_size": "0.05", "tolerance": 0}


def fresh_market() -> PureMarket:
    """Two trainers, three validators, two rounds."""
    request = small_request(schedule=SCHEDULE)
    return small_market(request, small_data(owners=5, rows=8), validators=[2, 3, 4])


@cache
def stopped_markets() -> dict[str, PureMarket]:
    """A market as it is before each kind of input reaches its aggregator in each round, by that input."""
    market, found = fresh_market(), {}
    deliver = market.deliver

    def watching(party: Party, item: Input) -> Any:
        if party is market.aggregator:
            recorded = len(market.contract.recorded)
            place = item.signed.envelope.round if isinstance(item, MessageReceived) else recorded
            name = f"{input_name(item)} {place}"
            if name not in found:
                market.deliver = deliver  # type: ignore[method-assign]
                found[name] = deepcopy(market)
                market.deliver = watching  # type: ignore[method-assign]
        return deliver(party, item)

    market.deliver = watching  # type: ignore[method-assign]
    market.finish()
    return found


def signed_rounds(market: PureMarket) -> int:
    """How many rounds more than half of the drawn validators have signed."""
    signers: dict[int, set[str]] = {}
    for message in market.sent("round_signature"):
        signers.setdefault(message.envelope.round, set()).add(message.envelope.sender)
    needed = quorum(market.contract.validators.bit_count())
    return sum(len(of_round) >= needed for of_round in signers.values())


def test_wherever_the_aggregator_stops_what_is_signed_is_recorded_and_delivered() -> None:
    recorded = set()
    for name, before in stopped_markets().items():
        market = deepcopy(before)
        market.silent.add(market.aggregator.address)
        market.finish()
        signed = signed_rounds(market)
        assert len(market.contract.recorded) == signed, name
        assert market.contract.ended or market.contract.status == "none", name
        assert market.contract.status == ("settled" if signed else "cancelled"), name
        assert (market.buyer.shown == "FINISHED") == (signed > 0), name
        if signed:
            assert_model_of_twin(market)
        assert not [v for party in market.parties.values() for v in party.violations], name
        recorded.add(signed)
    assert recorded == {0, 1, 2}


def last_signature_kept(market: PureMarket) -> None:
    """Have the aggregator send no record of the last round: one that wants its own part and no more."""
    call = market.call

    def keeping(party: Party, asked_for: Any) -> None:
        kept = party is market.aggregator and getattr(asked_for, "record", None)
        if not (kept and kept.last):
            call(party, asked_for)

    market.call = keeping  # type: ignore[method-assign]


def test_an_aggregator_that_keeps_the_last_record_back_keeps_nobody_from_the_model() -> None:
    market = fresh_market()
    last_signature_kept(market)
    market.finish()
    (*_, (sender, _)) = [one for one in market.contract.calls if one[1] == "record_round"]
    assert sender == market.buyer.address
    assert market.buyer.shown == "FINISHED"
    assert market.aggregator.shown == "FINISHED"
    assert_model_of_twin(market)
    assert not [v for party in market.parties.values() for v in party.violations]


def test_a_validator_records_where_the_buyer_keeps_it_back_as_well() -> None:
    """A buyer that has opened the last round, and then wants neither to pay nor the model."""
    market = fresh_market()
    last_signature_kept(market)
    while not [one for one in market.sent("opening") if one.envelope.round == ROUNDS]:
        market.deliver_next()
    market.silent.add(market.buyer.address)
    market.finish()
    (*_, (sender, _)) = [one for one in market.contract.calls if one[1] == "record_round"]
    assert sender in {validator.address for validator in market.validators()}
    assert market.contract.status == "settled"
    assert market.contract.last_recorded


def test_roles_drawn_late_leave_the_validators_time_to_record() -> None:
    """The contract's clock began when the time to reveal was over: a late draw must not let it run out."""
    market = fresh_market()
    call = market.call

    def holding(party: Party, asked_for: Any) -> None:
        is_early = asked_for.call == "draw" and market.now < late_draw(market)
        kept_back = party is market.aggregator and asked_for.call == "record_round"
        if not is_early and not kept_back:
            call(party, asked_for)

    market.call = holding  # type: ignore[method-assign]
    while not market.sent("opening"):
        if market.pending:
            market.deliver_next()
        else:
            assert market.tick()
    ends_at = market.contract.ends_at
    market.silent.add(market.buyer.address)
    while not market.contract.recorded:
        if market.pending:
            market.deliver_next()
        else:
            assert market.tick()
    assert late_draw(market, since=ends_at) < market.now < ends_at


def late_draw(market: PureMarket, since: float | None = None) -> float:
    """Four fifths of a round's time after that of the reveals; `since` is when that round may be ended."""
    opened = market.contract.opened
    assert opened is not None
    seconds = opened.terms.round_seconds
    started = market.contract.round_until - seconds if since is None else since - seconds - seconds // 4
    return started + 0.8 * seconds


def test_an_aggregator_that_gets_no_signatures_goes_on_from_what_others_record() -> None:
    market = fresh_market()
    lossy = without("round_signature")
    market.intercept = lambda m: lossy(m) if m.envelope.recipient == market.aggregator.address else (m,)
    market.run()
    market.aggregator.timers = {
        name: at for name, at in market.aggregator.timers.items() if not name.startswith("signatures")
    }
    assert market.tick()
    market.run()
    assert len(market.contract.recorded) == 1
    assert market.aggregator.decoded.link.round == 1
    assert [m for m in market.sent("encrypted_model") if m.envelope.round == ROUNDS]


# ---- what nobody can put among the signatures ----


def signature_for(recipient: str) -> tuple[PureMarket, Party, SignedMessage]:
    """The first signature that is about to reach the buyer, or the last of the validators."""
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    party = market.buyer if recipient == "buyer" else market.owners[4]
    return market, party, market.run_until("round_signature", party)


@pytest.mark.parametrize("recipient", ["buyer", "validator"])
def test_only_signatures_of_the_record_by_those_who_measured_it_are_kept(recipient: str) -> None:
    market, party, message = signature_for(recipient)
    trainer = market.trainers()[0]
    by_trainer = resigned(market, message, sender=trainer.address)
    assert refusal(market, party, by_trainer) == "not_a_validator"
    digest = body_of(market.sent("opening")[0]).record.digest(MARKET)
    by_other = altered(market, message, signature=sign_digest(trainer.signing_key, digest))
    assert refusal(market, party, by_other) == "bad_record_signature"
    market.deliver(party, MessageReceived(signed=message))
    [held] = party.decoded.signed_rounds
    assert message.envelope.sender in dict(held.signatures)


def test_nobody_has_signed_a_round_that_the_buyer_has_not_opened() -> None:
    market, buyer, message = signature_for("buyer")
    assert refusal(market, buyer, resigned(market, message, round=2)) == "round_out_of_order"


def test_a_trainer_is_told_nothing_of_signatures() -> None:
    market, _buyer, message = signature_for("buyer")
    trainer = market.trainers()[0]
    forged = resigned(market, message, recipient=trainer.address)
    assert refusal(market, trainer, forged) == "not_a_validator"
    assert not [m for m in market.sent("round_signature") if m.envelope.recipient == trainer.address]
