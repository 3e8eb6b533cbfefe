"""The messages of a checker's rings: commitments, nonces and shares, for the next model and for the noise."""

from collections.abc import Callable
from typing import TypeVar

from protocol.crypto.ring.context import Purpose
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import RingCommitted, RingNonce, RingShared
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.attempts import Attempt, OpeningModel
from protocol.roles.owner.rounds import versions
from protocol.roles.owner.rounds.ring_products import sign_product
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.owner.rounds.turns import checked_attempt, current_attempt, with_attempt
from protocol.roles.owner.rounds.view import view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds import ring
from protocol.roles.rounds.ring_state import RingState, RingStep, RingView
from protocol.types import FrozenModel

Body = TypeVar("Body", bound=MessageBody)
Handler = Callable[[RingState, RingView, Received[Body], Context], RingStep]

_FIELDS = {
    Purpose.NEXT_MODEL: "opening",
    Purpose.RANGES: "ranging",
    Purpose.METRIC: "measuring",
    Purpose.ERRORS: "errors",
}
"""Of an attempt, where its rings are."""

_AFTER_A_DENIAL = (Purpose.RANGES, Purpose.ERRORS)


def on_ring_committed(
    state: RunningState, received: Received[RingCommitted], context: Context
) -> Step[OwnerState]:
    """Note what another maker commits to; with all three show a nonce, or a share.

    Of something else than what we were shown everybody is told (`versions`).
    """
    purpose = Purpose(received.body.purpose)
    attempt = _attempt(state, received, purpose, context)
    running = _ring(attempt, purpose)
    view = ring_view(view_of(state, attempt, context), attempt, purpose)
    is_first = running.committed[view.maker_of(received.sender)] is None
    # Whoever was shown other updates has said so before anything was denied.
    if is_first and received.body.statement != running.statement and purpose not in _AFTER_A_DENIAL:
        return versions.contradicted(state, attempt, running, received, context)
    return _step(state, received, received.body.purpose, ring.on_committed, context)


def on_ring_nonce(state: RunningState, received: Received[RingNonce], context: Context) -> Step[OwnerState]:
    """Note the other checker's nonce; with both the vectors are drawn, and shares are shown."""
    return _step(state, received, received.body.purpose, ring.on_nonce, context)


def on_ring_shared(state: RunningState, received: Received[RingShared], context: Context) -> Step[OwnerState]:
    """Note another maker's share; with all of the next model's consent to have its sums opened."""
    return _step(state, received, received.body.purpose, ring.on_shared, context)


def _step(
    state: RunningState, received: Received[Body], purpose: str, handler: Handler[Body], context: Context
) -> Step[OwnerState]:
    """Hand a message to the ring that it is for; raises EarlyInput for one that has not begun here."""
    named = Purpose(purpose)
    attempt = _attempt(state, received, named, context)
    running = _ring(attempt, named)
    view = view_of(state, attempt, context)
    step = handler(running, ring_view(view, attempt, named), received, context)
    if step.ring == running:
        return Step.unchanged(state, *step.effects)
    if step.ring.refused and not running.refused:
        found = facts.NAMED.of(
            accused=received.sender, round=attempt.round, attempt=attempt.attempt, code="false_share"
        )
        return with_attempt(state, _with_ring(attempt, named, step.ring), *step.effects, found)
    after = _with_ring(attempt, named, step.ring)
    if named is not Purpose.METRIC and step.ring.is_complete:
        sums = _sums(after, named)
        assert sums is not None
        opening, effects = sign_product(sums, named, view, after, step.effects, context)
        return with_attempt(state, replace(after, **{_FIELDS[named]: opening}), *effects)
    return with_attempt(state, after, *step.effects)


def _attempt(
    state: RunningState, received: Received[FrozenModel], purpose: Purpose, context: Context
) -> Attempt:
    """The running attempt, if we are one of its checkers; after a denial also where we have stopped it."""
    if purpose not in _AFTER_A_DENIAL:
        return checked_attempt(state, received, context)
    attempt = current_attempt(state, received)
    require(context.address in attempt.checkers, "not_a_checker")
    return attempt


def _ring(attempt: Attempt, purpose: Purpose) -> RingState:
    owner = attempt.measuring if purpose is Purpose.METRIC else _sums(attempt, purpose)
    if owner is None or owner.ring is None:
        raise EarlyInput
    return owner.ring


def _with_ring(attempt: Attempt, purpose: Purpose, after: RingState) -> Attempt:
    name = _FIELDS[purpose]
    return replace(attempt, **{name: replace(getattr(attempt, name), ring=after)})


def _sums(attempt: Attempt, purpose: Purpose) -> OpeningModel | None:
    if purpose is Purpose.ERRORS:
        return attempt.errors
    return attempt.ranging if purpose is Purpose.RANGES else attempt.opening
