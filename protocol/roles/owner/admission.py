"""From an owner's acceptance to its call to join: it asks to be admitted, in the end in vain."""

from protocol.codec import unpack
from protocol.crypto.cipher import PublicKey
from protocol.data_card import DataCard
from protocol.join_digests import nonce_binding, nonce_digest, secret_nonce
from protocol.marketplace import Closed, Join
from protocol.messages import AdmissionAnswer, InvitationAnswer
from protocol.roles.engine import facts, private, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import (
    CancelTimer,
    Effect,
    PutValue,
    SendMessage,
    SetTimer,
    SubmitCall,
    effects_of,
)
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import enter, replace
from protocol.roles.owner import drawing, stall
from protocol.roles.owner.budget import give_back
from protocol.roles.owner.state import FailedState, InitiatedState, OwnerState, ReadyState
from protocol.roles.rounds.attempt import identity_of
from protocol.roles.rounds.started import commitments_of
from protocol.roles.shared.applications import require_signature
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.deadlines import backed_off
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.seat_admission import SeatAdmission


def applying(state: ReadyState, context: Context) -> InitiatedState:
    """The state of an owner that would join with the data set of its card; nothing follows from rows."""
    card = unpack(DataCard, context.private[private.CARD.name_of(state.data_set)]).hash()
    key_id = PublicKey(state.n).key_id
    binding = nonce_binding(context.market, state.training, context.address, key_id, card)
    # In a seat that the chain shows already nothing can be proven any more: it is not revealed for.
    is_seated = context.address in state.parties.seats
    nonce = b"" if is_seated else secret_nonce(context.signing_key, context.market, state.training, binding)
    return enter(InitiatedState, state, nonce=nonce, card=card)


def acceptance(state: InitiatedState, context: Context) -> SendMessage:
    """Tells the aggregator that we accept, with what we commit to, and asks to be admitted."""
    assert state.committed is not None
    key = public_key_of(state.n)
    identity = identity_of(context, state.training, key)
    body = InvitationAnswer(
        decision="accepted",
        code="accepted",
        card=state.card,
        commitment=state.commitment,
        committed=commitments_of(context.address, state.committed).digest(identity, key),
    )
    return message(context, state.request.aggregator, body, label=str(state.asked))


def admission_timer(state: InitiatedState, context: Context) -> SetTimer:
    """Fires when we should ask again, or when no admission is of use any more."""
    left = stall.joining_seconds(state.request, state.join_until, context)
    again = backed_off(float(state.request.deadlines.step_s), state.asked)
    return timers.ADMISSION.set(min(again, left + 1.0))


def on_admission_due(state: InitiatedState, _about: None, context: Context) -> Step[OwnerState]:
    """Ask again, with the same commitments: question or answer may be lost.

    StaleInput where we join already.
    """
    if _is_decided(state, context):
        raise StaleInput
    if stall.joining_seconds(state.request, state.join_until, context) <= 0:
        return _not_admitted(state, context, failure="admission_late")
    asking = replace(state, asked=state.asked + 1)
    return Step(asking, (acceptance(asking, context), admission_timer(asking, context)))


def on_admission_answer(
    state: InitiatedState, received: Received[AdmissionAnswer], context: Context
) -> Step[OwnerState]:
    """Join with the signatures, if they are what the contract will ask for; or it is over."""
    require_sender(received.sender, state.request.aggregator)
    body = received.body
    require(body.owner == context.address and body.commitment == state.commitment, "wrong_commitment")
    if _is_decided(state, context):
        return Step.unchanged(state)
    if body.code != "admitted":
        return _not_admitted(state, context, failure=body.code)
    _require_signatures(state, body, context)
    terms = state.opened.terms
    call = Join(
        training=state.training,
        commitment=body.commitment,
        nonce_digest=nonce_digest(state.training, context.address, state.nonce),
        aggregator_signature=body.aggregator_signature or b"",
        buyer_signature=body.buyer_signature or b"",
        bond=terms.owner_bond,
        token=terms.token,
    )
    fact = facts.ADMISSION_DECIDED.of(owner=context.address, code=body.code)
    effects = SubmitCall(call=call), fact, timers.ADMISSION.cancel()
    return Step(replace(state, joining=True), effects_of(effects, note_owner_bond(state)))


def note_owner_bond(state: OwnerState) -> PutValue | None:
    """Have the daemon remember our bond: when it is deposited, and again once the chain shows the seat.

    A store that came back from before the deposit would not know of it.
    """
    if state.opened is None:
        return None
    terms = state.opened.terms
    return note_bond(state.training, terms, terms.owner_bond)


def _require_signatures(state: InitiatedState, body: AdmissionAnswer, context: Context) -> None:
    """Raise ProtocolViolation("bad_admission") unless those have signed whom the terms ask."""
    opened = state.opened
    admission = SeatAdmission(
        training=state.training,
        owner=context.address,
        request_hash=opened.terms.request_hash,
        commitment=body.commitment,
    )
    if opened.terms.admission != "buyer":
        require_signature(admission, body.aggregator_signature, opened.aggregator, context)
    if opened.terms.admission != "aggregator":
        require_signature(admission, body.buyer_signature, opened.buyer, context)


def on_closed(state: InitiatedState, event: Closed, context: Context) -> Step[OwnerState]:
    """The joining is over: reveal; who was not admitted by now cannot join any more."""
    if _is_decided(state, context):
        return drawing.on_closed(state, event, context)
    return _not_admitted(state, context, failure="admission_late")


def seated(state: InitiatedState, context: Context) -> tuple[CancelTimer, ...]:
    """With a seat nothing is to be asked any more, be it one from before a state was lost."""
    return () if state.joining or context.address not in state.parties.seats else (timers.ADMISSION.cancel(),)


def _is_decided(state: InitiatedState, context: Context) -> bool:
    return state.joining or context.address in state.parties.seats


def _not_admitted(state: InitiatedState, context: Context, *, failure: str) -> Step[OwnerState]:
    """No seat, and nothing of it in the budget."""
    effects: tuple[Effect, ...] = (
        facts.ADMISSION_DECIDED.of(owner=context.address, code=failure),
        give_back(state),
        timers.ADMISSION.cancel(),
        timers.STALLED.cancel(),
    )
    return Step(enter(FailedState, state, failure=failure), effects)
