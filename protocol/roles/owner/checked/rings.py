"""The messages of a checker's rings: commitments, nonces and shares, for the next model and for the noise."""

from collections.abc import Callable
from typing import TypeVar

from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.messages.catalogue import MessageBody
from protocol.messages.checked import RingCommitted, RingNonce, RingShared
from protocol.roles.checked import ring
from protocol.roles.checked.ring_state import RingState, RingStep, RingView
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.roles.owner.checked import next_model, versions
from protocol.roles.owner.checked.state import Attempt, CheckedState
from protocol.roles.owner.checked.turns import checked_attempt, with_attempt
from protocol.roles.owner.checked.view import ring_view, view_of
from protocol.roles.owner.state import OwnerState

Body = TypeVar("Body", bound=MessageBody)
Handler = Callable[[RingState, RingView, Received[Body], Context], RingStep]


def on_ring_committed(
    state: CheckedState, received: Received[RingCommitted], context: Context
) -> Step[OwnerState]:
    """Note what another maker commits to; with all three show a nonce, or a share.

    Of something else than what we were shown everybody is told (`versions`).
    """
    attempt = checked_attempt(state, received, context)
    running = _ring(attempt, Purpose(received.body.purpose))
    view = ring_view(view_of(state, attempt, context), attempt, Purpose(received.body.purpose))
    is_first = running.committed[view.maker_of(received.sender)] is None
    if is_first and received.body.statement != running.statement:
        return versions.contradicted(state, attempt, running, received, context)
    return _step(state, received, received.body.purpose, ring.on_committed, context)


def on_ring_nonce(state: CheckedState, received: Received[RingNonce], context: Context) -> Step[OwnerState]:
    """Note the other checker's nonce; with both the vectors are drawn, and shares are shown."""
    return _step(state, received, received.body.purpose, ring.on_nonce, context)


def on_ring_shared(state: CheckedState, received: Received[RingShared], context: Context) -> Step[OwnerState]:
    """Note another maker's share; with all of the next model's consent to have its sums opened."""
    return _step(state, received, received.body.purpose, ring.on_shared, context)


def _step(
    state: CheckedState, received: Received[Body], purpose: str, handler: Handler[Body], context: Context
) -> Step[OwnerState]:
    """Hand a message to the ring that it is for; raises EarlyInput for one that has not begun here."""
    attempt, named = checked_attempt(state, received, context), Purpose(purpose)
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
    if named is Purpose.NEXT_MODEL and step.ring.is_complete:
        return next_model.agree(state, after, view, step.effects, context)
    return with_attempt(state, after, *step.effects)


def _ring(attempt: Attempt, purpose: Purpose) -> RingState:
    if purpose is Purpose.RANGES:
        raise ProtocolViolation("wrong_purpose", purpose)
    owner = attempt.measuring if purpose is Purpose.METRIC else attempt.opening
    if owner is None or owner.ring is None:
        raise EarlyInput
    return owner.ring


def _with_ring(attempt: Attempt, purpose: Purpose, after: RingState) -> Attempt:
    if purpose is Purpose.METRIC:
        assert attempt.measuring is not None
        return replace(attempt, measuring=replace(attempt.measuring, ring=after))
    assert attempt.opening is not None
    return replace(attempt, opening=replace(attempt.opening, ring=after))
