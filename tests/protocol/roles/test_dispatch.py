"""The one entry from the runtime: early inputs are held, repeated ones harmless, strangers' limited."""

from typing import Any

import pytest

from protocol.codec import pack, unpack
from protocol.errors import ProtocolViolation
from protocol.marketplace import Joined, Opened
from protocol.messages import (
    ChainEvent,
    ModelReceived,
    RequestAnswer,
    TrainingOrder,
)
from protocol.roles.dispatch import (
    EncodedStep,
    _Instance,
    decode_state,
    early_references,
    has_earlier_rounds,
    run_step,
)
from protocol.roles.engine.context import Context
from protocol.roles.engine.early import MAXIMUM_HELD_OF_ONE
from protocol.roles.engine.effects import RecordFact, SendMessage, StoreBlob, SubmitCall
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, TimerFired
from protocol.roles.engine.machine import Machine
from protocol.types import Address
from tests.support.roles.phases import finished_market, message_of
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party, training_key
from tests.support.roles.small_markets import COLUMNS, body_of, small_data, small_market, small_request
from tests.support.seats import seat_taken


def waiting_buyer() -> PureMarket:
    """A buyer whose training is opened, with nobody joined yet."""
    market = small_market()
    market.post(market.run_until("training_request"))
    assert market.buyer.phase == "opened"
    return market


def confirmed(event: Opened | Joined) -> EventConfirmed:
    chain_event = ChainEvent(
        event=event,
        chain_id=MARKET.chain_id,
        block_number=1,
        block_hash=b"\0" * 32,
        transaction_hash=b"\0" * 32,
        log_index=0,
        timestamp=0,
    )
    return EventConfirmed(chain_event=chain_event)


def deliver(market: PureMarket, party: Party, item: Input) -> EncodedStep:
    step = market.deliver(party, item)
    assert step is not None
    return step


def only_kept(step: EncodedStep) -> bool:
    """Whether an input was held and led to nothing else."""
    [effect] = step.effects
    return isinstance(effect, StoreBlob)


def test_an_input_of_a_later_phase_waits_for_it() -> None:
    market = small_market()
    early = market.run_until("checked_started", market.buyer)
    buyer = Party("model_buyer", market.buyer.signing_key, market.buyer.exchange_secret, market.buyer.private)
    started = [item for item in market.buyer.inbox if not isinstance(item, TimerFired)]
    assert deliver(market, buyer, started[0]).effects
    assert only_kept(deliver(market, buyer, MessageReceived(signed=early)))
    for item in started[1:-1]:
        deliver(market, buyer, item)
    assert not buyer.decoded.parties.has_started()
    deliver(market, buyer, started[-1])
    assert buyer.phase == "running"
    assert buyer.decoded.parties.has_started()


def test_a_training_that_was_begun_with_plain_rounds_takes_no_step() -> None:
    """The machine that would go on with it is that of an earlier version."""
    market = waiting_buyer()
    buyer, late = market.buyer, TimerFired(name="join")
    assert not has_earlier_rounds(buyer.state)
    begun = pack(_Instance(state=unpack(_Instance, buyer.state).state))
    assert has_earlier_rounds(begun)
    with pytest.raises(ProtocolViolation, match="other_rounds"):
        run_step(buyer.role, begun, late, market.context(buyer))


def test_one_that_ended_answers_late_questions() -> None:
    market = finished_market()
    buyer = market.buyer
    ended = pack(_Instance(state=unpack(_Instance, buyer.state).state))
    late = TimerFired(name="join")
    step = run_step(buyer.role, ended, late, market.context(buyer))
    assert (step.finished, decode_state(buyer.role, step.state).phase) == (True, "finished")


def test_an_early_input_is_held_once() -> None:
    market = waiting_buyer()
    early = message_of(market.aggregator, market.buyer, "round_completed", b"")
    first = deliver(market, market.buyer, early)
    second = deliver(market, market.buyer, early)
    assert first.state == second.state


def test_a_held_input_that_fails_is_dropped_and_the_one_that_came_is_handled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = waiting_buyer()
    early = message_of(market.aggregator, market.buyer, "round_completed", b"")
    deliver(market, market.buyer, early)
    handle = Machine.step

    def failing(machine: Any, state: Any, item: Any, *rest: Any) -> Any:
        if item == early:
            raise RecursionError
        return handle(machine, state, item, *rest)

    monkeypatch.setattr(Machine, "step", failing)
    step = deliver(
        market, market.buyer, confirmed(seat_taken(training=1, owner=market.owners[0].address, seat=0))
    )
    refused = [effect for effect in step.effects if isinstance(effect, RecordFact)]
    assert [(fact.name, fact.data["code"]) for fact in refused] == [("input_refused", "internal_error")]
    assert market.buyer.decoded.parties.seats == (market.owners[0].address,)
    assert market.buyer.state is not None
    assert early_references(market.buyer.state) == frozenset()


def test_one_sender_cannot_crowd_out_the_others() -> None:
    market = waiting_buyer()
    flooder, other = market.owners[:2]
    for index in range(MAXIMUM_HELD_OF_ONE + 3):
        step = deliver(
            market, market.buyer, message_of(flooder, market.buyer, "projection_request", b"", 1, index)
        )
    assert [effect.effect for effect in step.effects] == ["fact"]
    size = len(market.buyer.state or b"")
    deliver(market, market.buyer, message_of(other, market.buyer, "projection_request", b"", 1, 1))
    assert len(market.buyer.state or b"") > size


@pytest.mark.parametrize("role", ["model_buyer", "data_owner", "federated_aggregator"])
def test_a_first_input_that_starts_nothing(role: str) -> None:
    market = finished_market()
    party = next(party for party in market.parties.values() if party.role == role)
    stray = message_of(market.buyer, party, "complaint", b"")
    for item in (
        stray,
        confirmed(seat_taken(training=1, owner=party.address, seat=0)),
        TimerFired(name="join"),
    ):
        with pytest.raises(ProtocolViolation, match="unknown_training"):
            run_step(role, None, item, market.context(party))


def test_an_order_comes_from_the_buyers_own_operator() -> None:
    market = PureMarket(small_request(), small_data(), COLUMNS)
    order = TrainingOrder(request=market.request)
    forged = market.message(market.owners[0], market.buyer, order, training=0)
    with pytest.raises(ProtocolViolation, match="not_the_operator"):
        market.deliver(market.buyer, MessageReceived(signed=forged))


def test_a_violation_names_its_sender_and_changes_nothing() -> None:
    market = waiting_buyer()
    before = market.buyer.state
    answer = RequestAnswer(accepted=True, code="accepted")
    forged = market.message(market.owners[0], market.buyer, answer)
    step = deliver(market, market.buyer, MessageReceived(signed=forged))
    [effect] = step.effects
    assert effect.effect == "violation"
    assert effect.accused == market.owners[0].address
    assert step.state == before


def test_a_step_tells_the_runtime_what_it_needs() -> None:
    market = finished_market()
    for party in market.parties.values():
        late = message_of(market.aggregator, party, "round_completed", b"")
        step = run_step(party.role, party.state, late, market.context(party))
        assert (step.training, step.finished, step.display_status) == (1, True, "FINISHED")
        assert step.references == frozenset(party.blobs)
    held = [bool(validator.blobs) for validator in market.validators()]
    assert held == [True, True], "validators can serve the model"
    assert not market.aggregator.blobs


def test_the_same_input_again_draws_the_same_and_another_draws_otherwise() -> None:
    market = small_market()
    request = market.run_until("training_request")
    context = market.context(market.buyer)
    opened = next(item for item in market.buyer.inbox if isinstance(item, EventConfirmed))
    order = next(item for item in market.buyer.inbox if isinstance(item, MessageReceived))
    ordered = run_step("model_buyer", None, order, context).state
    first, second = (run_step("model_buyer", ordered, opened, context) for _ in range(2))
    assert first == second
    assert request.body


def test_two_machines_talk_without_any_bus() -> None:
    """A buyer and an aggregator, hand to hand: an input of one is an effect of the other or of the chain."""
    market = PureMarket(small_request(), small_data(), COLUMNS)
    buyer, aggregator = market.buyer, market.aggregator
    contexts = {party.address: _context(party, market) for party in (buyer, aggregator)}
    order = market.message(buyer, buyer, TrainingOrder(request=market.request), training=0)
    asked = run_step("model_buyer", None, MessageReceived(signed=order), contexts[buyer.address])
    [call] = [effect.call for effect in asked.effects if isinstance(effect, SubmitCall)]
    [opened] = market.contract.apply(buyer.address, call)
    requesting = run_step("model_buyer", asked.state, confirmed(opened), contexts[buyer.address])
    knowing = run_step("federated_aggregator", None, confirmed(opened), contexts[aggregator.address])
    [request] = _messages(requesting, market, buyer)
    inviting = run_step("federated_aggregator", knowing.state, request, contexts[aggregator.address])
    answers = _messages(inviting, market, aggregator)
    assert [m.signed.envelope.type for m in answers] == [
        "request_answer",
        *["invitation"] * 4,
        "joining_progress",
    ]
    accepted = run_step("model_buyer", requesting.state, answers[0], contexts[buyer.address])
    assert [effect.effect for effect in accepted.effects] == ["cancel_timer"]
    assert (accepted.display_status, inviting.display_status) == ("WAITING", "WAITING")
    stray = market.message(buyer, aggregator, ModelReceived(digest=b"\0" * 32))
    held = run_step(
        "federated_aggregator", inviting.state, MessageReceived(signed=stray), contexts[aggregator.address]
    )
    assert only_kept(held)


def _context(party: Party, market: PureMarket) -> Context:
    owners: tuple[Address, ...] = tuple(owner.address for owner in market.owners)
    return Context(
        address=party.address,
        market=MARKET,
        now=0.0,
        seed=b"\3" * 32,
        signing_key=party.signing_key,
        announced=owners,
        private={"paillier": training_key(1024).to_bytes()},
        least_key_bits=256,
    )


def _messages(step: EncodedStep, market: PureMarket, sender: Party) -> list[MessageReceived]:
    return [
        MessageReceived(
            signed=market.message(
                sender, market.parties[effect.recipient], effect.body, message_id=effect.message_id
            )
        )
        for effect in step.effects
        if isinstance(effect, SendMessage)
    ]


def test_two_questions_answered_in_one_step_draw_different_randomness() -> None:
    """Two ciphertexts with the same n-th power in them differ by their plaintexts alone, for all to see."""
    market = small_market()
    announced = market.run_until("attempt_announced", market.buyer)
    questions = [m for m in finished_market().sent("projection_request") if m.envelope.round == 1]
    for question in questions:
        assert only_kept(deliver(market, market.buyer, MessageReceived(signed=question)))
    deliver(market, market.buyer, MessageReceived(signed=announced))
    answers = [body_of(message) for message in market.sent("projection_answer")]
    assert len(answers) == len(questions) == 2
    n = int(market.key.public_key.n)
    powers = [int.from_bytes(number, "big") % n for one in answers for number in one.numbers]
    assert len(set(powers)) == len(powers)
