"""A validator after the settlement: it hands the paid model out where the aggregator does not."""

from protocol.messages import ModelRefused, ModelRequest, TrainedModel
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.owner.state import FinishedState, OwnerState
from protocol.roles.shared.parties import require_sender
from protocol.vectors import EncryptedVector


def on_model_request(
    state: FinishedState, received: Received[ModelRequest], context: Context
) -> Step[OwnerState]:
    """Hand out the model that the last record names, or say that it is not here.

    A buyer cannot know which validators missed the round: it asks them all, and is at no fault for it.
    """
    require_sender(received.sender, state.opened.buyer)
    require(context.address in state.parties.addresses(state.parties.validators), "no_model_here")
    model = _paid_model(state, context)
    body = ModelRefused(code="no_model_here") if model is None else TrainedModel(model=model)
    answer = message(context, received.sender, body, label=received.envelope.message_id.hex())
    return Step.unchanged(state, answer)


def _paid_model(state: FinishedState, context: Context) -> EncryptedVector | None:
    if not state.last_recorded or state.last_model is None:
        return None
    model = state.last_model.load(EncryptedVector, context)
    return model if model.digest() == state.recorded_model else None
