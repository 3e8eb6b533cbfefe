"""What nobody can have opened of a checked round's errors."""

from typing import Any

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages import Opening, OpeningRefused
from protocol.messages.rounds.values import AttemptFacts
from protocol.roles.buyer.rounds.opening import on_metric_opening_request
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import replace
from tests.support.roles.checked_attempt import answers, effects_of, measuring
from tests.support.roles.ring_players import STREAM

WORLD, ATTEMPT, STATE = measuring()


def opened(
    body: Any, state: Any = STATE, sender: str = WORLD.aggregator, at: tuple[int, int] = (1, 1)
) -> Any:
    return on_metric_opening_request(state, WORLD.sent(sender, body, at=at), WORLD.context())


def refused(body: Any, **place: Any) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        opened(body, **place)
    return caught.value.code


def facts(**changes: Any) -> AttemptFacts:
    """Facts that all members sign, however wrong."""
    inner = {name: changes.pop(name) for name in ("request", "answer", "model") if name in changes}
    digests = ATTEMPT.facts.digests.model_copy(update=inner)
    return ATTEMPT.facts.model_copy(update={**changes, "digests": digests})


def test_a_round_is_opened_once_whoever_signs() -> None:
    """The difference of two openings would be a single member's numbers, or the noise."""
    step = opened(ATTEMPT.opening_request())
    assert isinstance(answers(step)[0], Opening)
    assert refused(ATTEMPT.opening_request(), state=step.state) == "already_opened"


def test_every_member_has_signed() -> None:
    """Both checkers are among them: without them the noise may be anything, a weight for instance."""
    first, second, third = WORLD.members
    for signers in ((first, second), (first, second, second), (second, first, third)):
        assert refused(ATTEMPT.opening_request(signers=signers)) == "not_agreed"
    outsider = (first, second, WORLD.aggregator)
    assert refused(ATTEMPT.opening_request(signers=outsider)) == "not_agreed"


def test_signatures_of_one_product_open_no_other() -> None:
    body = ATTEMPT.opening_request()
    one_metric = ATTEMPT.metrics[0][0]
    other = ATTEMPT.opening_request(product=list(one_metric))
    swapped = other.model_copy(update={"signatures": body.signatures})
    assert refused(swapped) == "not_agreed"


def test_members_are_those_that_were_announced() -> None:
    pair = WORLD.members[:2]
    told = facts(members=WORLD.parties.mask(pair), metrics=ATTEMPT.facts.metrics[:2])
    assert refused(ATTEMPT.opening_request(facts=told, signers=pair)) == "wrong_members"


@pytest.mark.parametrize("changes", [{"request": b"r" * 32}, {"answer": b"a" * 32}])
def test_the_record_is_of_what_the_buyer_has_answered(changes: dict[str, Any]) -> None:
    """Members who were shown another answer than the buyer gave have measured something else."""
    assert refused(ATTEMPT.opening_request(facts=facts(**changes))) == "other_exchange"


def test_what_does_not_fit_the_chain_of_rounds_is_refused() -> None:
    again = facts(model=WORLD.link.model_digest)
    assert refused(ATTEMPT.opening_request(facts=again)) == "model_of_an_earlier_round"
    assert refused(ATTEMPT.opening_request(facts=facts(start="unmeasured"))) == "wrong_start_measurement"
    assert refused(ATTEMPT.opening_request(), at=(2, 1)) == "round_out_of_order"


def test_an_attempt_that_is_not_under_way_is_not_opened() -> None:
    second = STATE.attempts[0].model_copy(update={"attempt": 2})
    with pytest.raises(StaleInput):
        opened(ATTEMPT.opening_request(), state=replace(STATE, attempts=(*STATE.attempts, second)))
    with pytest.raises(EarlyInput):
        opened(ATTEMPT.opening_request(), state=replace(STATE, attempts=()))
    bare = replace(STATE, exchanges=())
    assert refused(ATTEMPT.opening_request(), state=bare) == "other_exchange"


def test_only_the_aggregator_has_errors_opened() -> None:
    assert refused(ATTEMPT.opening_request(), sender=WORLD.members[0]) == "wrong_sender"


def test_one_ciphertext_for_each_slot_set() -> None:
    assert refused(ATTEMPT.opening_request(product=ATTEMPT.noisy[:1])) == "wrong_count"


def test_what_is_implausible_is_said_to_be_and_not_shown() -> None:
    """Nobody is named for it, and the round is not asked about again."""
    weights = [WORLD.private.encrypt(1 << 300, STREAM) for _ in ATTEMPT.noisy]
    product = [WORLD.key.add(*pair) for pair in zip(ATTEMPT.noisy, weights, strict=True)]
    step = opened(ATTEMPT.opening_request(product=product))
    assert [type(one) for one in answers(step)] == [OpeningRefused] * 4
    assert [one.name for one in effects_of(step, RecordFact)] == ["implausible"]
    assert step.state.link == STATE.link
    assert refused(ATTEMPT.opening_request(), state=step.state) == "already_opened"
