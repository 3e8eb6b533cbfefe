"""The aggregator admits owners: it signs for those on its list, and has the buyer sign where terms ask it.

An owner that gets no answer asks again, and the question goes on to the buyer as before: whatever was lost on
the way is sent again.
"""

from protocol.messages import AdmissionAnswer, AdmissionRequest, InvitationAnswer
from protocol.messages.admission import AdmissionCode
from protocol.roles.aggregator.joining import close_when_all_joined, note_answer, tell
from protocol.roles.aggregator.state import InvitingState, PreparedState
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.shared.applications import (
    MOST_APPLICATIONS,
    Application,
    require_signature,
    signature_of,
    with_application,
)
from protocol.roles.shared.parties import require_sender
from protocol.seat_admission import SeatAdmission

MOST_ASKED = 64
"""How often the buyer is asked about one owner: with the wait that doubles up to a day, for two months."""


def on_invitation_answer(
    state: PreparedState, received: Received[InvitationAnswer], context: Context
) -> Step[PreparedState]:
    """Note what an admitted owner says, and have it admitted where it would join."""
    noted = note_answer(state, received, context)
    if received.body.decision != "accepted" or received.sender in noted.state.parties.seats:
        return noted
    applied = _applied(noted.state, received, context)
    effects = (*noted.effects, *applied.effects)
    return Step(applied.state, effects, progressed=noted.progressed or applied.progressed)


def _applied(
    state: PreparedState, received: Received[InvitationAnswer], context: Context
) -> Step[PreparedState]:
    """Take an application up, or answer it as before."""
    body = received.body
    assert body.card is not None  # no acceptance is without these
    assert body.commitment is not None
    assert body.committed is not None
    asked = Application(
        owner=received.sender,
        card=body.card,
        commitment=body.commitment,
        committed=body.committed,
        asked_at=context.now,
    )
    asked.require_commitment()
    label = received.envelope.message_id.hex()
    if not isinstance(state, InvitingState):
        return Step.unchanged(state, _refusal(asked, "joining_over", context, label))
    known = state.application_of(asked.owner)
    if known is None:
        return _new(state, asked, context, label)
    if known.commitment != asked.commitment:
        return Step.unchanged(state, _refusal(asked, "committed_otherwise", context, label))
    return _again(state, known, context, label)


def _again(state: InvitingState, known: Application, context: Context, label: str) -> Step[InvitingState]:
    """Answer or ask as before, unless the owner has just asked: it is to wait longer each time.

    Half of its first wait is enough between two questions, of which one may travel faster than the other.
    """
    if 0 <= context.now - known.asked_at < state.step_seconds / 2:
        return Step.unchanged(state)
    known = replace(known, asked_at=context.now)
    if known.code is None:
        return _ask(state, known, context)
    return Step(with_application(state, known), (_answer(known, context, label),))


def _new(state: InvitingState, asked: Application, context: Context, label: str) -> Step[InvitingState]:
    """Take up the application of an owner that has not asked before.

    While we are closing nobody knows yet whether the joining is over: the owner asks again.
    """
    owners = state.request.owners
    if state.closing:
        return Step.unchanged(state)
    if len(state.parties.seats) >= owners.maximum or len(state.applications) >= MOST_APPLICATIONS:
        return Step.unchanged(state, _refusal(asked, "no_seat_left", context, label))
    if owners.admission == "buyer":
        return _ask(state, asked, context)
    signature = signature_of(_admission(state, asked), context)
    signed = replace(asked, aggregator_signature=signature)
    if owners.admission == "both":
        return _ask(state, signed, context)
    return _decided(state, signed, "admitted", context)


def _ask(state: InvitingState, application: Application, context: Context) -> Step[InvitingState]:
    """Ask the buyer about an owner; not for ever."""
    if application.asked >= MOST_ASKED:
        return Step.unchanged(state)
    asked = replace(application, asked=application.asked + 1)
    body = AdmissionRequest(
        owner=asked.owner,
        card=asked.card,
        commitment=asked.commitment,
        committed=asked.committed,
        aggregator_signature=asked.aggregator_signature,
    )
    question = message(context, state.opened.buyer, body, label=f"{asked.owner}:{asked.asked}")
    return Step(with_application(state, asked), (question,))


def on_admission_answer(
    state: InvitingState, received: Received[AdmissionAnswer], context: Context
) -> Step[InvitingState]:
    """Tell the owner what the buyer has decided about it; the first decision stands."""
    require_sender(received.sender, state.opened.buyer)
    body = received.body
    application = state.application_of(body.owner)
    require(application is not None, "unknown_application")
    assert application is not None
    require(body.commitment == application.commitment, "wrong_commitment")
    if application.code is not None:
        return Step.unchanged(state)
    if body.code == "admitted":
        require_signature(_admission(state, application), body.buyer_signature, received.sender, context)
        application = replace(application, buyer_signature=body.buyer_signature)
    return _decided(state, application, body.code, context)


def _decided(
    state: InvitingState, application: Application, code: AdmissionCode, context: Context
) -> Step[InvitingState]:
    """An owner that is refused is nobody to wait for any more, and counts with those that have declined."""
    decided = replace(application, code=code)
    told = with_application(state, decided)
    effects = (_answer(decided, context), facts.ADMISSION_DECIDED.of(owner=decided.owner, code=code))
    if not decided.is_refused:
        return Step(told, effects)
    others = (one for one in told.declined if one[0] != decided.owner)
    told, progress = tell(replace(told, declined=(*others, (decided.owner, code))), context)
    closing = close_when_all_joined(told, context)
    return Step(closing.state, (*effects, progress, *closing.effects))


def _answer(application: Application, context: Context, label: str = "") -> SendMessage:
    """What was decided, with the signatures where the owner is admitted."""
    if application.code != "admitted":
        return _refusal(application, application.code or "joining_over", context, label)
    body = AdmissionAnswer(
        owner=application.owner,
        commitment=application.commitment,
        code="admitted",
        aggregator_signature=application.aggregator_signature,
        buyer_signature=application.buyer_signature,
    )
    return message(context, application.owner, body, label=label)


def _refusal(application: Application, code: AdmissionCode, context: Context, label: str) -> SendMessage:
    body = AdmissionAnswer(owner=application.owner, commitment=application.commitment, code=code)
    return message(context, application.owner, body, label=label)


def _admission(state: InvitingState, application: Application) -> SeatAdmission:
    return application.admission(state.training, state.opened.terms.request_hash)
