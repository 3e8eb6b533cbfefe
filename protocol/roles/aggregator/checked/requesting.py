"""The aggregator takes on requests whose rounds can be checked, and no others."""

from protocol.errors import ProtocolViolation
from protocol.messages import RequestAnswer, TrainingRequest
from protocol.roles.aggregator import joining
from protocol.roles.aggregator.state import FailedState, InvitingState, RequestedState, opened_of
from protocol.roles.checked.requests import require_checkable
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.state import enter
from protocol.roles.shared.parties import require_sender


def on_training_request(
    state: RequestedState, received: Received[TrainingRequest], context: Context
) -> Step[InvitingState | FailedState]:
    """Invite as in any training; a request that cannot be checked is answered with the code of why."""
    opened = opened_of(state)
    require_sender(received.sender, opened.buyer)
    try:
        require_checkable(received.body.request)
    except ProtocolViolation as why:
        answer = message(context, opened.buyer, RequestAnswer(accepted=False, code=why.code))
        refused = facts.REQUEST_REFUSED.of(code=why.code)
        ended = enter(FailedState, state, failure=why.code)
        return Step(ended, (answer, refused, timers.REQUEST.cancel()))
    return joining.on_training_request(state, received, context)
