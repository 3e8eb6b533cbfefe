"""The identities by which a second delivery is recognised."""

from protocol.roles.engine.inputs import TimerFired
from services.runtime.input_codec import message_identity, queued, refusal_identity, timer_identity
from tests.support.daemons.service_world import Person

OWNER, AGGREGATOR = Person("data_owner"), Person("federated_aggregator")


def test_nobody_can_use_up_anothers_message_ids():
    mine = OWNER.envelope(AGGREGATOR, "complaint", message_id=b"m" * 16)
    same = OWNER.envelope(AGGREGATOR, "complaint", message_id=b"m" * 16, round=3)
    others = mine.model_copy(update={"sender": AGGREGATOR.address})
    assert message_identity(mine) == message_identity(same)
    assert message_identity(mine) != message_identity(others)


def test_two_firings_of_a_timer_are_two_inputs():
    assert timer_identity("1", "join", 1.0) != timer_identity("1", "join", 2.0)
    assert timer_identity("1", "join", 1.0) != timer_identity("2", "join", 1.0)
    assert queued(TimerFired(name="join")) == queued(TimerFired(name="join"))


def test_two_refusals_of_the_same_call_are_two_inputs():
    assert refusal_identity(1, b"refused") != refusal_identity(2, b"refused")
