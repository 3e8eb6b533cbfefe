"""The model buyer before the start: it opens the training on chain and sends its aggregator the request."""

from protocol.crypto.cipher import open_ciphertext, prove_key
from protocol.crypto.fixed_point import encode
from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import (
    Joined,
    Open,
    Opened,
    RolesDrawn,
)
from protocol.messages import (
    PublicRoot,
    RequestAnswer,
    TrainingRequest,
)
from protocol.request import Request, StartTraining
from protocol.roles.buyer.state import BuyerState, BuyerStep, cancel, private_key_of, stall_timer
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import CancelTimer, RecordFact, SetTimer, SubmitCall
from protocol.roles.engine.machine import (
    Received,
    effects_of,
    message,
    replace,
    require,
)
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import check_widths
from protocol.roles.shared.transcript import TranscriptHead
from protocol.vectors import EncryptedVector


def require_possible(request: Request) -> None:
    """Raise ProtocolViolation for an order that no aggregator could take on, before a deposit is paid."""
    require(not isinstance(request.start, StartTraining), "continuation_not_supported")
    try:
        check_widths(request)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None


def on_order(state: BuyerState, _order: Received, _context: Context) -> BuyerStep:
    """Open the training on chain with its deposit."""
    # A second order of the same instance would pay a second deposit.
    require(not state.submitted, "ordered_twice")
    request = state.request
    call = Open(terms=request.terms(), deposit=request.payment.deposit_wei)
    return Step(replace(state, submitted=True), (SubmitCall(call=call),))


def on_opening_late(state: BuyerState, _argument: str, _context: Context) -> BuyerStep:
    """The chain has not shown the opening: tell people.

    The order cannot be taken back, since its transaction may be under way; the outbox sends it until it is
    there.
    """
    again = SetTimer(name="open", seconds=max(3600.0, state.request.deadlines.chain_s))
    return Step(state.model_copy(), (RecordFact(name="opening_late", data={}), again))


def on_opened(state: BuyerState, event: Opened, context: Context) -> BuyerStep:
    """Send the aggregator the request, the key with its proof and the opened initial model."""
    require(event.buyer == context.address and event.terms.request_hash == state.request.hash(), "not_mine")
    private = private_key_of(context)
    weights = encode([float(weight) for weight in state.request.start_weights()], MODEL_SCALE)
    model = [private.encrypt(weight, context.randomness(f"initial:{i}")) for i, weight in enumerate(weights)]
    vector = EncryptedVector.of(private.public_key, model, MODEL_SCALE)
    openings = [open_ciphertext(private, ciphertext) for ciphertext in model]
    body = TrainingRequest(
        request=state.request,
        public_key=private.public_key.n,
        key_proof=tuple(prove_key(private)),
        initial_model=vector,
        opening=tuple(PublicRoot(plaintext=int(o.plaintext), root=int(o.root)) for o in openings),
    )
    opened = replace(
        state,
        phase="opened",
        training=event.training,
        link=TranscriptHead(model_digest=vector.digest(), transcript=state.request.hash()),
    )
    join_wait = state.request.deadlines.join_s + state.request.deadlines.chain_s
    return Step(
        opened,
        effects_of(
            message(context, state.request.aggregator, body),
            CancelTimer(name="open"),
            SetTimer(name="answer", seconds=state.request.deadlines.chain_s),
            SetTimer(name="join", seconds=join_wait),
            RecordFact(name="opened", data={"training": event.training, "deposit_wei": str(event.deposit)}),
        ),
    )


def on_request_answer(state: BuyerState, answer: Received, _context: Context) -> BuyerStep:
    """Wait for owners, or take the deposit back when the aggregator refuses."""
    require_sender(answer.sender, state.request.aggregator)
    body: RequestAnswer = answer.body
    if body.accepted:
        return Step(state.model_copy(), (CancelTimer(name="answer"),))
    return cancel(state, body.code)


def on_silence_before_start(state: BuyerState, _argument: str, _context: Context) -> BuyerStep:
    """The aggregator does not answer: take the deposit back."""
    return cancel(state, "aggregator_silent")


def on_join_over(state: BuyerState, _argument: str, _context: Context) -> BuyerStep:
    """Too few owners came, or no roles were drawn: take the deposit back once the contract lets us."""
    again = SetTimer(name="join", seconds=float(state.request.deadlines.chain_s))
    cancelling = cancel(state, "not_enough_owners")
    return Step(cancelling.state, (*cancelling.effects, again))


def on_joined(state: BuyerState, event: Joined, _context: Context) -> BuyerStep:
    """Note the seat of an owner that joined."""
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = replace(state.parties, seats=(*state.parties.seats, event.owner))
    return Step(replace(state, phase="initiated", parties=parties), (CancelTimer(name="answer"),))


def on_roles_drawn(state: BuyerState, event: RolesDrawn, _context: Context) -> BuyerStep:
    """The contract has drawn trainers and validators: the training runs."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    failure = "stopped_by_buyer" if state.stopped else None  # a cancelling that came too late
    return Step(
        replace(state, phase="running", parties=parties, failure=failure),
        effects_of(CancelTimer(name="join"), CancelTimer(name="answer"), stall_timer(state)),
    )
