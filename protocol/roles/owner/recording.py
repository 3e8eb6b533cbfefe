"""A validator sees to it that what it has signed is recorded, where the aggregator does not."""

from protocol.accusations import AccuseOfTwoRecords
from protocol.marketplace import RecordRound
from protocol.messages import Opening, RoundSignature
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.inputs import Received, Refused
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.shared.accusing import Accusation, accuse, second_record
from protocol.roles.shared.deadlines import accuser_turn
from protocol.roles.shared.parties import model_holders
from protocol.roles.shared.signed_rounds import SignedRound, record_now, record_timer, with_signature
from protocol.types import RoundAttempt, Seats


def on_round_signature(
    state: RunningState, received: Received[RoundSignature], context: Context
) -> Step[OwnerState]:
    """Keep another validator's signature of a round that we have signed; one that is ahead of us waits."""
    # With folds one of the last fold's may come to who trains by now.
    require(context.address in model_holders(state.request, state.parties), "not_a_validator")
    held = state.signed(received.at.round)
    if held is None:
        if received.at.round > (state.link.round if state.link is not None else 0):
            raise EarlyInput
        return Step.unchanged(state)
    if accusation := held.accusation(state.opened, received, context):
        return accuse_in_turn(state, accusation, context)
    after = with_signature(state, held, received, context)
    return Step(after, (record_timer(after, state.opened.terms, context),))


def accuse_in_turn(state: RunningState, accusation: Accusation, context: Context) -> Step[OwnerState]:
    """Show a fault after those who come first had their time."""
    validators = model_holders(state.request, state.parties)
    chain_seconds = float(state.request.deadlines.chain_s)
    turn = accuser_turn(state.opened.terms, chain_seconds, validators.index(context.address))
    return accuse(state, accusation, after=turn)


def on_record_due(state: RunningState, _about: None, _context: Context) -> Step[OwnerState]:
    """Aggregator and buyer have kept a signed record back: send it."""
    return Step.unchanged(state, *record_now(state, float(state.request.deadlines.chain_s)))


def on_record_refused(
    state: RunningState, _refusal: Refused[RecordRound], _context: Context
) -> Step[OwnerState]:
    """Somebody else was first, or the contract's clock is behind ours: the timer that was set tries again."""
    return Step.unchanged(state)


def other_record(state: RunningState, body: Opening, context: Context) -> AccuseOfTwoRecords | None:
    """That the buyer has signed another record of a round than the one that we have signed."""
    held = state.signed(body.record.round)
    if held is None:
        return None
    shown = (body.record, body.signature)
    return second_record(state.opened, (held.record, held.buyer_signature), shown, context)


def signature_to_all(
    state: RunningState, held: SignedRound, members: Seats, at: RoundAttempt, context: Context
) -> list[SendMessage]:
    """Our signature to all who hold the record, so that no one of them can keep it from the chain.

    With the record where a bond is at stake, which nobody else may have been shown.
    """
    signed = RoundSignature(signature=dict(held.signatures)[context.address], head=context.kept_head)
    terms = state.opened.terms
    if terms.buyer_bond or terms.owner_bond:
        signed = replace(signed, record=held.record, buyer_signature=held.buyer_signature)
    others = (member for member in state.parties.addresses(members) if member != context.address)
    recipients = (state.request.aggregator, state.opened.buyer, *others)
    return [message(context, recipient, signed, at) for recipient in recipients]
