"""A checker's second test: is the next model the mean of the updates, and a small number?

Sums of it under vectors that nobody chose are opened beneath three masks, of which a checker knows two: its
own, and that of the maker before it, which it makes again before it signs.
"""

from gmpy2 import mpz

from protocol.crypto.cipher import Opening
from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.learning.checked_openings.sums import vectors_out_of_range
from protocol.learning.judgement.complaints import Ground
from protocol.messages.rounds import RingOpening
from protocol.messages.rounds.ring import OpenedVector
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.attempts import Attempt, OpeningModel
from protocol.roles.owner.rounds import errors, ranges
from protocol.roles.owner.rounds.ring_products import product_and_masks
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.owner.rounds.turns import checked_attempt, not_in_order
from protocol.roles.owner.rounds.verdicts import conclude
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.ring import ring_begin
from protocol.roles.shared.parties import require_sender


def begin(view: RoundView, attempt: Attempt, context: Context) -> tuple[OpeningModel, tuple[Effect, ...]]:
    """Commit to a share and a nonce before any vector is known."""
    ring_of = ring_view(view, attempt, Purpose.NEXT_MODEL)
    step = ring_begin(ring_of, view.next_model.statement(), context)
    return OpeningModel(ring=step.ring), step.effects


def on_ring_opening(
    state: RunningState, received: Received[RingOpening], context: Context
) -> Step[OwnerState]:
    """Take the two known masks off the opened sums: whether the next model is in range is our own word.

    That the buyer says "out of range", or opens something else, is shown with the verdict. Sums that open are
    shown to nobody: the aggregator, whose model it is, knows two masks as well, and may have chosen a model
    whose sums tell it more.
    Raises ProtocolViolation("opened_twice") for a second answer, ("wrong_purpose") for another ring's.
    """
    require_sender(received.sender, state.opened.buyer)
    if Purpose(received.body.purpose) is Purpose.RANGES:
        return ranges.on_opened(state, received, context)
    if Purpose(received.body.purpose) is Purpose.ERRORS:
        return errors.on_opened(state, received, context)
    attempt = checked_attempt(state, received, context)
    require(Purpose(received.body.purpose) is Purpose.NEXT_MODEL, "wrong_purpose", received.body.purpose)
    opening = _opening(attempt)
    if opening.product is None:
        raise EarlyInput
    require(not opening.in_range, "opened_twice")
    view = view_of(state, attempt, context)
    answers = [_vector(one) for one in received.body.vectors]
    try:
        outside = _outside(view, attempt, answers, context)
    except ProtocolViolation:
        return not_in_order(state, attempt, Ground.NEXT_MODEL, context, evidence=(received.signed,))
    if outside:
        evidence = () if all(answers) else (received.signed,)
        return not_in_order(state, attempt, Ground.NEXT_MODEL, context, evidence=evidence)
    return conclude(state, replace(attempt, opening=replace(opening, in_range=True)), context)


def _vector(opened: OpenedVector) -> tuple[Opening, ...] | None:
    """None is "out of range"."""
    return tuple(Opening(mpz(one.plaintext), mpz(one.root)) for one in opened.openings) or None


def _outside(
    view: RoundView, attempt: Attempt, answers: list[tuple[Opening, ...] | None], context: Context
) -> list[int]:
    """The vectors out of range, of one; raises ProtocolViolation for openings that are none."""
    opening = _opening(attempt)
    ciphertexts, known = product_and_masks(opening, Purpose.NEXT_MODEL, view, attempt, context)
    chance_of_ours = context.randomness(Label.SUM_OPENINGS)
    widths = view.widths.next_model.sums
    return vectors_out_of_range(view.key, widths, ciphertexts, answers, known, chance_of_ours)


def _opening(attempt: Attempt) -> OpeningModel:
    assert attempt.opening is not None  # a checker's attempt that is not stopped has begun with it
    return attempt.opening
