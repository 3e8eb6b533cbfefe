"""The buyer admits owners that its aggregator has admitted: by its policy, or a person decides."""

from protocol.admission_policy import AdmissionPolicy
from protocol.codec import unpack
from protocol.messages import AdmissionAnswer, AdmissionOrder, AdmissionRequest
from protocol.messages.admission import AdmissionCode
from protocol.roles.buyer.state import BuyerStep, CancellableState, InitiatedState, terms_of
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


def on_admission_request(
    state: CancellableState, asked: Received[AdmissionRequest], context: Context
) -> BuyerStep:
    """Decide about an owner by the policy, or have a person decide; the same question gets the same answer.

    Whoever asks for a training that is being ended gets no answer: the contract's will do. Nobody new is
    admitted once the joining is closed.
    """
    require_sender(asked.sender, state.request.aggregator)
    if state.failure is not None:
        return Step.unchanged(state)
    body, label = asked.body, asked.envelope.message_id.hex()
    new = Application(
        owner=body.owner,
        card=body.card,
        commitment=body.commitment,
        committed=body.committed,
        aggregator_signature=body.aggregator_signature,
    )
    known = state.application_of(new.owner)
    if known is not None and known.commitment != new.commitment:
        return Step.unchanged(state, _answer(state, replace(new, code="committed_otherwise"), context, label))
    if known is not None and known.code is not None:
        return Step.unchanged(state, _answer(state, known, context, label))
    if is_joining_over(state):
        return Step.unchanged(state, _answer(state, replace(new, code="joining_over"), context, label))
    if known is None:
        _require_admissible(state, new, context)
    return _decide(state, known or new, context)


def _require_admissible(state: CancellableState, new: Application, context: Context) -> None:
    """Raise ProtocolViolation unless our aggregator has admitted this owner to this training."""
    require(state.request.owners.admission != "aggregator", "not_asked")
    require(new.owner not in (context.address, state.request.aggregator), "not_an_owner")
    require(len(state.applications) < MOST_APPLICATIONS, "too_many_applications")
    new.require_commitment()
    if state.request.owners.admission == "both":
        signer = state.request.aggregator
        require_signature(_admission(state, new), new.aggregator_signature, signer, context)


def _decide(state: CancellableState, application: Application, context: Context) -> BuyerStep:
    """By the policy as it is now; a person is asked once."""
    match _policy(state, context).decision(application.owner, application.card):
        case "admit":
            return _decided(state, application, "admitted", context)
        case "refuse":
            return _decided(state, application, "owner_not_accepted", context)
        case "ask":
            if state.application_of(application.owner) is not None:
                return Step.unchanged(state)
            asks = facts.ADMISSION_ASKED.of(owner=application.owner, card=application.card.hex())
            return Step(with_application(state, application), (asks,))


def on_admission_order(
    state: CancellableState, order: Received[AdmissionOrder], context: Context
) -> BuyerStep:
    """What a person decides about an owner that waits."""
    require_sender(order.sender, context.address)
    application = state.application_of(order.body.owner)
    require(application is not None, "unknown_application")
    assert application is not None
    require(not is_joining_over(state), "joining_over")
    require(application.code is None, "decided_already", f"it is {application.code}")
    code: AdmissionCode = "admitted" if order.body.admit else "refused_by_person"
    return _decided(state, application, code, context)


def is_joining_over(state: CancellableState) -> bool:
    """Whether the chain has shown that the joining is closed: no admission is of use any more."""
    return isinstance(state, InitiatedState) and state.progressed_at > 0


def with_nobody_waiting(state: InitiatedState) -> Step[InitiatedState]:
    """The joining is over, also for those about whom a person was to decide."""
    waiting = [one for one in state.applications if one.code is None]
    for one in waiting:
        state = with_application(state, replace(one, code="joining_over"))
    told = (facts.ADMISSION_DECIDED.of(owner=one.owner, code="joining_over") for one in waiting)
    return Step(state, tuple(told))


def _decided(
    state: CancellableState, application: Application, code: AdmissionCode, context: Context
) -> BuyerStep:
    decided = replace(application, code=code)
    fact = facts.ADMISSION_DECIDED.of(owner=decided.owner, code=code)
    return Step(with_application(state, decided), (_answer(state, decided, context), fact))


def _answer(
    state: CancellableState, application: Application, context: Context, label: str = ""
) -> SendMessage:
    """What was decided; the signature where the owner is admitted, for which alone we sign."""
    code = application.code or "owner_not_accepted"
    signature = signature_of(_admission(state, application), context) if code == "admitted" else None
    body = AdmissionAnswer(
        owner=application.owner, commitment=application.commitment, code=code, buyer_signature=signature
    )
    return message(context, state.request.aggregator, body, label=f"{application.owner}:{label}")


def _admission(state: CancellableState, application: Application) -> SeatAdmission:
    return application.admission(state.training, terms_of(state).request_hash)


def _policy(state: CancellableState, context: Context) -> AdmissionPolicy:
    """The order's own, else the standing one."""
    if state.admission is not None:
        return state.admission
    return unpack(AdmissionPolicy, context.policy) if context.policy else AdmissionPolicy()
