"""A checker's verdict, when both of its tests are through."""

from protocol.roles.engine.context import Context, Step
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.turns import in_order, with_attempt
from protocol.roles.owner.rounds.view import view_of
from protocol.roles.owner.state import OwnerState, RunningState


def conclude(state: RunningState, attempt: Attempt, context: Context) -> Step[OwnerState]:
    """Say that the attempt is in order where products and next model are; else wait for the other test.

    One that has failed has ended the attempt already.
    """
    asked, opened = attempt.projecting, attempt.opening
    if asked is None or opened is None or not (asked.is_zero and opened.in_range):
        return with_attempt(state, attempt)
    assert asked.agreed is not None
    assert opened.digest is not None
    digests = view_of(state, attempt, context).digests(opened.digest)
    return in_order(state, attempt, digests, asked.agreed, context)
