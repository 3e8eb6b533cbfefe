"""The buyer's part in an honest attempt, from the moments to the record, against plain numbers."""

from protocol.crypto.randomness import Randomness
from protocol.roles.buyer.checked.rounds import on_attempt_announced, on_moment_request
from tests.support.roles.checked_attempt import (
    CheckedAttempt,
    MeasuredAttempt,
    answers,
    checked_attempt,
)

STREAM = Randomness(b"b" * 32)


def measured() -> tuple[CheckedAttempt, MeasuredAttempt, object]:
    world = checked_attempt()
    step = on_moment_request(
        world.running(), world.sent(world.aggregator, world.moment_request), world.context()
    )
    state = on_attempt_announced(
        step.state, world.sent(world.aggregator, world.announced), world.context()
    ).state
    return world, MeasuredAttempt(world, answers(step)[0]), state
