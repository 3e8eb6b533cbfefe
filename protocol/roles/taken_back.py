"""What every role does where a reorganisation, deeper than the confirmations, took back what was final."""

from protocol.marketplace import Cancel, Settle
from protocol.roles.engine.context import Context, State, Step
from protocol.roles.engine.effects import SubmitCall
from protocol.roles.engine.inputs import CallRefused


def on_settle_refused(state: State, refusal: CallRefused, _context: Context) -> Step[State]:
    """Cancel a training that cannot be settled: perhaps no round that we know is recorded any more.

    The contract lets anybody cancel only where nothing is recorded and the time is over. Where the settlement
    was refused for another reason, this is refused as well, and costs nothing.
    """
    call = refusal.call
    assert isinstance(call, Settle)
    return Step(state.model_copy(), (SubmitCall(call=Cancel(training=call.training)),))
