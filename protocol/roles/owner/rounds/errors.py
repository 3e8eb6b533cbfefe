"""A checker's part in opening errors that the buyer has named as too large, once all trainers are in range.

Each maker of the ring sees for itself whether they are: no trainer sits out on the buyer's word, and no buyer
is named on another's. A checker that finds them otherwise takes part in no repetition of the round.
"""

from protocol.crypto.ring.context import Purpose
from protocol.messages.rounds import RingOpening
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.attempts import Attempt, OpeningErrors
from protocol.roles.owner.rounds.ring_products import product_and_masks, unopened
from protocol.roles.owner.rounds.ring_views import ring_view, said_errors
from protocol.roles.owner.rounds.turns import current_attempt, with_attempt
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.opened_errors import ErrorsFault
from protocol.roles.rounds.ring import ring_begin


def begin(state: RunningState, attempt: Attempt, view: RoundView, context: Context) -> Step[OwnerState]:
    """Commit to a share of the attempt's product as it was without noise, or of members' parts of it."""
    statement = metric_statement(view.key, unopened(view, attempt, context))
    step = ring_begin(ring_view(view, attempt, Purpose.ERRORS), statement, context)
    return with_attempt(state, replace(attempt, errors=OpeningErrors(ring=step.ring)), *step.effects)


def on_opened(
    state: RunningState, received: Received[RingOpening], context: Context, *, is_relayed: bool = False
) -> Step[OwnerState]:
    """Note who is at fault by what we see ourselves: the buyer, or members with a part that is negative.

    What the aggregator has relayed counts also after another one. Raises EarlyInput before we have signed
    what is opened, StaleInput once the errors are what the buyer has said, ProtocolViolation("opened_twice").
    """
    attempt = current_attempt(state, received)
    require(context.address in attempt.checkers, "not_a_checker")
    opening = attempt.errors
    if opening is None or opening.product is None:
        raise EarlyInput
    if opening.in_range:
        raise StaleInput
    require(is_relayed or not opening.is_opened, "opened_twice")
    view = view_of(state, attempt, context)
    faults = _faults(view, attempt, received.body, context)
    after = replace(attempt, errors=replace(opening, is_opened=True, in_range=not faults))
    number = attempt.attempt
    noted = [
        facts.NAMED.of(accused=one, round=attempt.round, attempt=number, code=code) for one, code in faults
    ]
    return with_attempt(state, after, *noted)


def _faults(
    view: RoundView, attempt: Attempt, body: RingOpening, context: Context
) -> tuple[ErrorsFault, ...]:
    assert attempt.errors is not None  # whoever calls has seen its ring
    ciphertexts, known = product_and_masks(attempt.errors, Purpose.ERRORS, view, attempt, context)
    chance = context.randomness(Label.ERRORS)
    return said_errors(view, attempt).judge(ciphertexts, body, known, view.state.opened.buyer, chance).faults
