"""A validator after the settlement: it hands the paid model out where the aggregator does not.

The buyer's signature under the last record is its word that it pays for the whole training. A training that
ended before was ended by somebody's silence. A buyer that could have its model so would leave once the rounds
gain little, and save the fixed shares of those to come. So an earlier round's model is handed out only where
it was the aggregator that fell silent, or whose operator stopped the training: an aggregator that lives says
when it gives a training up, and whom it leaves out of each attempt.
"""

from protocol.messages import ModelRefused, ModelRequest, TrainedModel, TrainingFailed
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.owner.state import FinishedState, OwnerState
from protocol.roles.shared.deadlines import ending_seconds
from protocol.roles.shared.notices import STOPPED_BY_AGGREGATOR, fact_of
from protocol.roles.shared.parties import model_holders, require_sender
from protocol.roles.shared.signed_models import model_named
from protocol.vectors import EncryptedVector


def on_model_request(
    state: FinishedState, received: Received[ModelRequest], context: Context
) -> Step[OwnerState]:
    """Hand out the model that the last record names, or say why not.

    A buyer cannot know which validators missed the round, or what they were told: it is at no fault for
    asking them all.
    """
    require_sender(received.sender, state.opened.buyer)
    held_by = model_holders(state.request, state.parties)
    require(context.address in held_by, "no_model_here")
    answer = message(
        context, received.sender, _answer(state, context), label=received.envelope.message_id.hex()
    )
    return Step.unchanged(state, answer)


def _answer(state: FinishedState, context: Context) -> TrainedModel | ModelRefused:
    model = model_named(state.signed_models, state.recorded_model)
    if not is_due(state):
        return ModelRefused(code="stopped_early")
    if model is None:
        return ModelRefused(code="no_model_here")
    return TrainedModel(model=model.load(EncryptedVector, context))


def is_due(state: FinishedState) -> bool:
    """Whether the buyer is owed the last recorded round's model: see above.

    An aggregator that has said nothing in the second half of the last wait is taken for one that has died.
    """
    if state.last_recorded or state.given_up == STOPPED_BY_AGGREGATOR:
        return True
    silent_seconds = state.settled_at - state.heard_at
    return state.given_up is None and silent_seconds >= ending_seconds(state.opened.terms) / 2


def on_given_up(
    state: FinishedState, received: Received[TrainingFailed], _context: Context
) -> Step[OwnerState]:
    """The aggregator's notice that it gave the training up has come after the settlement."""
    fact = fact_of(received, state.request.aggregator)
    return Step(replace(state, given_up=received.body.code), (fact,))
