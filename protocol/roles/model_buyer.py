"""The model buyer: orders a training, answers with its key what it must not understand, pays, gets the model.

It decrypts only masked digits (refresh, metric) and one opened sum per round; the model itself arrives after the
contract has settled.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from gmpy2 import mpz

from protocol.codec import pack, unpack
from protocol.crypto.fixed_point import decode, encode
from protocol.crypto.opening import open_ciphertext
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.validation import prove_key
from protocol.learning.metric import products
from protocol.learning.refresh import refresh_model
from protocol.learning.scales import MODEL_SCALE
from protocol.learning.widths import Widths
from protocol.marketplace import (
    Cancel,
    Cancelled,
    Joined,
    Open,
    Opened,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
)
from protocol.messages import (
    MetricProducts,
    ModelReceived,
    ModelRequest,
    NoisyMetric,
    Opening,
    OpeningRefused,
    PublicRoot,
    RefreshAnswer,
    RequestAnswer,
    TrainedModel,
    TrainingFailed,
    TrainingOrder,
    TrainingRequest,
    TrainingStarted,
)
from protocol.request import Request
from protocol.roles.evaluation import build_record, check_metrics
from protocol.roles.inputs import (
    CancelTimer,
    Context,
    EventConfirmed,
    Input,
    KeepResult,
    MessageReceived,
    NoteFact,
    SetTimer,
    Step,
    SubmitCall,
)
from protocol.roles.machine import (
    Handler,
    Machine,
    NotYet,
    Received,
    Table,
    changed,
    effects_of,
    message,
    require,
)
from protocol.roles.training import Link, Parties, require_sender, training_widths
from protocol.signatures import sign_digest
from protocol.types import Address, BigInteger, Digest, FrozenModel, RoundNumber, TrainingId
from protocol.vectors import EncryptedVector

PHASES = ("ordered", "opened", "initiated", "running", "collecting", "finished", "failed")
FINAL = frozenset({"finished", "failed"})


class Answered(FrozenModel):
    """A question that was answered, so that it is never answered a second time with other randomness."""

    kind: Literal["refresh", "metric", "opening"]
    round: RoundNumber
    attempt: int
    asker: Address


class BuyerState(FrozenModel):
    """Everything the buyer remembers of one training; its Paillier key stays in the key store."""

    phase: Literal["ordered", "opened", "initiated", "running", "collecting", "finished", "failed"] = (
        "ordered"
    )
    request: Request
    n: BigInteger
    training: TrainingId | None = None
    parties: Parties = Parties()
    link: Link
    recorded: RoundNumber = 0
    recorded_model: Digest | None = None
    last_recorded: bool = False
    opened_sets: tuple[RoundNumber, ...] = ()
    answered: tuple[Answered, ...] = ()
    asked_validators: tuple[Address, ...] = ()
    failure: str | None = None


State = Step[BuyerState]
STATE = BuyerState


def initial(item: Input, context: Context) -> BuyerState:
    """The state an order starts; the step that follows opens the training on chain."""
    require(isinstance(item, MessageReceived), "unknown_training")
    assert isinstance(item, MessageReceived)
    order = Received(item.signed, _order(item))
    require(order.sender == context.address, "not_the_operator")
    request = order.body.request
    key = _private_key(context).public_key
    digest = request.hash()
    return BuyerState(request=request, n=key.n, link=Link(model_digest=digest, transcript=digest))


def shown(state: BuyerState) -> str:
    """The state as people see it."""
    names = {"ordered": "WAITING", "opened": "WAITING", "initiated": "INITIATED", "finished": "FINISHED"}
    if state.phase == "failed":
        return f"FAILED({state.failure})"
    return names.get(state.phase, "IN_PROGRESS")


# ---- before the start ----


def _on_order(state: BuyerState, order: Received, context: Context) -> State:
    request = state.request
    call = Open(terms=request.terms(), deposit=request.payment.deposit_wei)
    return Step(state.model_copy(), (SubmitCall(call=call),))


def _on_opened(state: BuyerState, event: Opened, context: Context) -> State:
    require(event.buyer == context.address and event.terms.request_hash == state.request.hash(), "not_mine")
    private = _private_key(context)
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
    opened = changed(
        state,
        phase="opened",
        training=event.training,
        link=Link(model_digest=vector.digest(), transcript=state.request.hash()),
    )
    join_wait = state.request.deadlines.join_s + state.request.deadlines.chain_s
    return Step(
        opened,
        effects_of(
            message(context, state.request.aggregator, body),
            SetTimer(name="answer", seconds=state.request.deadlines.chain_s),
            SetTimer(name="join", seconds=join_wait),
            NoteFact(name="opened", data={"training": event.training, "deposit_wei": str(event.deposit)}),
        ),
    )


def _on_request_answer(state: BuyerState, answer: Received, _context: Context) -> State:
    require_sender(answer.sender, state.request.aggregator)
    body: RequestAnswer = answer.body
    if body.accepted:
        return Step(state.model_copy(), (CancelTimer(name="answer"),))
    return _cancel(state, body.code)


def _on_silence_before_start(state: BuyerState, _argument: str, _context: Context) -> State:
    return _cancel(state, "aggregator_silent")


def _on_join_over(state: BuyerState, _argument: str, _context: Context) -> State:
    return _cancel(state, "not_enough_owners")


def _on_joined(state: BuyerState, event: Joined, _context: Context) -> State:
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = changed(state.parties, seats=(*state.parties.seats, event.owner))
    return Step(changed(state, phase="initiated", parties=parties), (CancelTimer(name="answer"),))


def _on_roles_drawn(state: BuyerState, event: RolesDrawn, _context: Context) -> State:
    parties = changed(state.parties, trainers=event.trainers, validators=event.validators)
    return Step(
        changed(state, phase="running", parties=parties),
        effects_of(CancelTimer(name="join"), CancelTimer(name="answer"), _stall_timer(state)),
    )


# ---- running ----


def _on_training_started(state: BuyerState, started: Received, _context: Context) -> State:
    require_sender(started.sender, state.request.aggregator)
    body: TrainingStarted = started.body
    require(not state.parties.has_started(), "already_started")
    parties = started_parties(state.parties, body)
    training_widths(state.request, parties)
    data = {"trainers": list(body.trainers), "validators": list(body.validators)}
    return Step(changed(state, parties=parties), (NoteFact(name="started", data=data),))


def started_parties(parties: Parties, body: TrainingStarted) -> Parties:
    """The parties with their row counts; raises ProtocolViolation where the roles are not those drawn on chain."""
    require(body.trainers == parties.addresses(parties.trainers), "wrong_roles")
    require(body.validators == parties.addresses(parties.validators), "wrong_roles")
    require(sorted(row.owner for row in body.rows) == sorted(parties.seats), "wrong_rows")
    return changed(parties, rows=body.rows)


def _on_refresh_request(state: BuyerState, asked: Received, context: Context) -> State:
    require_sender(asked.sender, state.request.aggregator)
    envelope = asked.envelope
    require(state.link.round < envelope.round <= state.request.schedule.rounds, "round_out_of_order")
    question = _unanswered(state, "refresh", asked)
    widths = _widths(state)
    private = _private_key(context)
    trainers = widths.trainers_of(int(asked.body.divisor))
    require(2 <= trainers <= state.parties.trainers.bit_count(), "wrong_divisor")
    count = state.request.parameters
    masked = asked.body.masked.read(
        private.public_key,
        scale=widths.update_scale,
        count=count,
        slot_bits=widths.refresh.slot_bits,
        ciphertexts=widths.refresh.plaintexts(count),
    )
    model = refresh_model(
        private, masked, count, int(asked.body.divisor), widths, context.randomness("refresh")
    )
    answer = RefreshAnswer(model=EncryptedVector.of(private.public_key, model, MODEL_SCALE))
    return Step(
        _answered(state, question),
        (message(context, asked.sender, answer, (envelope.round, envelope.attempt)),),
    )


def _on_noisy_metric(state: BuyerState, asked: Received, context: Context) -> State:
    envelope = asked.envelope
    body: NoisyMetric = asked.body
    seat = state.parties.seat_of(asked.sender)
    require(state.parties.validators >> seat & 1 == 1, "not_a_validator")
    require(envelope.round in (state.link.round + 1, state.link.round + 2), "round_out_of_order")
    question = _unanswered(state, "metric", asked)
    widths = _widths(state)
    private = _private_key(context)
    residuals = state.request.parameters + 1
    limit = state.parties.trainers.bit_count() + 1
    require(2 <= body.models <= limit, "wrong_model_count")
    start = body.measure_start
    trainers = body.models - int(start)
    require(2 <= trainers < limit, "wrong_model_count")
    count = body.models * residuals
    masked = body.masked_residuals.read(
        private.public_key,
        scale=widths.residual_scale,
        count=count,
        slot_bits=widths.residual.slot_bits,
        ciphertexts=widths.residual.plaintexts(count),
    )
    own, cross = products(
        private,
        masked,
        models=body.models,
        start=start,
        residuals=residuals,
        widths=widths,
        randomness=context.randomness("products"),
    )
    answer = MetricProducts(
        own=EncryptedVector.of(private.public_key, own, widths.metric_scale),
        cross=EncryptedVector.of(private.public_key, cross, widths.metric_scale),
    )
    return Step(
        _answered(state, question),
        (message(context, asked.sender, answer, (envelope.round, envelope.attempt)),),
    )


def _on_opening_request(state: BuyerState, asked: Received, context: Context) -> State:
    require_sender(asked.sender, state.request.aggregator)
    envelope = asked.envelope
    # One set of members per round: the difference of two openings would show a single validator's numbers.
    require(envelope.round not in state.opened_sets, "already_opened")
    widths = _widths(state)
    private = _private_key(context)
    checked = check_metrics(
        asked.body.metrics,
        training=envelope.training,
        round_number=envelope.round,
        attempt=envelope.attempt,
        parties=state.parties,
        widths=widths,
        key=private.public_key,
        link=state.link,
    )
    require(checked.start_digest == state.link.model_digest, "wrong_start_model")
    plaintexts = [int(private.decrypt(product)) for product in checked.products]
    record = build_record(checked, plaintexts, request=state.request, widths=widths, link=state.link)
    members = state.parties.addresses(checked.validators)
    recipients = (state.request.aggregator, *members)
    place = (envelope.round, envelope.attempt)
    sets = (*state.opened_sets, envelope.round)
    if record is None:
        refused = tuple(message(context, to, OpeningRefused(), place) for to in recipients)
        note = NoteFact(name="implausible", data={"round": envelope.round})
        return Step(changed(state, opened_sets=sets), (*refused, note))
    roots = [int(open_ciphertext(private, product).root) for product in checked.products]
    opening = Opening(
        plaintexts=tuple(plaintexts),
        roots=tuple(roots),
        record=record,
        signature=sign_digest(context.signing_key, record.digest(context.market)),
    )
    sent = tuple(message(context, to, opening, place) for to in recipients)
    after = changed(
        state, opened_sets=sets, link=state.link.next(record), answered=_recent(state, record.round)
    )
    return Step(after, (*sent, _stall_timer(state)))


def _on_round_recorded(state: BuyerState, event: RoundRecorded, _context: Context) -> State:
    require(event.round == state.recorded + 1, "round_out_of_order")
    after = changed(
        state, recorded=event.round, recorded_model=event.record.model_digest, last_recorded=event.record.last
    )
    return Step(after, (_round_fact(event), _stall_timer(state)))


def _round_fact(event: RoundRecorded) -> NoteFact:
    return NoteFact(
        name="round_recorded",
        data={
            "round": event.round,
            "mse_before": str(event.record.mse_before),
            "mse_after": str(event.mse_after),
            "last": event.record.last,
        },
    )


def _on_settled(state: BuyerState, event: Settled, _context: Context) -> State:
    data = {
        "paid_wei": str(event.paid),
        "refund_wei": str(event.refund),
        "improvement": str(event.improvement),
    }
    settled = NoteFact(name="settled", data=data)
    if not state.last_recorded:
        # The model is delivered for the round that the buyer signed as the last one, and for no other.
        return Step(_failed(state, "stopped_early"), (settled, CancelTimer(name="stalled")))
    wait = SetTimer(name="model", seconds=state.request.deadlines.step_s)
    return Step(changed(state, phase="collecting"), (settled, CancelTimer(name="stalled"), wait))


def _on_stalled(state: BuyerState, _argument: str, _context: Context) -> State:
    """Nobody made progress for longer than the contract waits: anyone may end it now, so the buyer does."""
    training = state.training
    assert training is not None
    call = Settle(training=training) if state.recorded else Cancel(training=training)
    return Step(state.model_copy(), (SubmitCall(call=call), _stall_timer(state)))


# ---- the end ----


def _on_trained_model(state: BuyerState, received: Received, context: Context) -> State:
    allowed = (state.request.aggregator, *state.parties.addresses(state.parties.validators))
    require(received.sender in allowed, "wrong_sender")
    body: TrainedModel = received.body
    require(body.model.digest() == state.recorded_model, "wrong_model")
    private = _private_key(context)
    ciphertexts = body.model.read(private.public_key, scale=MODEL_SCALE, count=state.request.parameters)
    weights = decode([private.public_key.signed(private.decrypt(c)) for c in ciphertexts], MODEL_SCALE)
    result = KeepResult(name="model", content=pack(BoughtModel.of(state.request, list(map(float, weights)))))
    assert state.recorded_model is not None
    receipt = message(context, state.request.aggregator, ModelReceived(digest=state.recorded_model))
    fact = NoteFact(name="finished", data={"rounds": state.recorded})
    return Step(changed(state, phase="finished"), (result, receipt, CancelTimer(name="model"), fact))


class BoughtModel(FrozenModel):
    """What the buyer paid for: weights by feature, the intercept apart."""

    name: str
    features: tuple[str, ...]
    target: str
    weights: tuple[float, ...]
    intercept: float | None

    @classmethod
    def of(cls, request: Request, weights: list[float]) -> "BoughtModel":
        """Name the weights by the request's features."""
        intercept = weights.pop() if request.model.intercept else None
        return cls(
            name=request.name,
            features=tuple(column.name for column in request.features),
            target=request.target.name,
            weights=tuple(weights),
            intercept=intercept,
        )


def _on_model_late(state: BuyerState, _argument: str, context: Context) -> State:
    """The aggregator is silent: any validator holds the model since it measured it."""
    validators = state.parties.addresses(state.parties.validators)
    left = [one for one in validators if one not in state.asked_validators] or list(validators)
    assert state.training is not None
    asked = (*state.asked_validators, left[0])
    return Step(
        changed(state, asked_validators=asked[-len(validators) :]),
        (
            message(context, left[0], ModelRequest(), label=str(len(asked))),
            SetTimer(name="model", seconds=state.request.deadlines.step_s),
        ),
    )


def _on_stop(state: BuyerState, order: Received, context: Context) -> State:
    require_sender(order.sender, context.address)
    training = state.training
    require(training is not None, "not_opened_yet")
    if state.phase in ("opened", "initiated"):
        return _cancel(state, "stopped_by_buyer")
    assert training is not None
    body = TrainingFailed(code="stopped_by_buyer", fault=context.address, last_round=state.recorded)
    return Step(state.model_copy(), (NoteFact(name="stop_requested", data=body.model_dump(mode="json")),))


def _on_cancelled(state: BuyerState, event: Cancelled, _context: Context) -> State:
    fact = NoteFact(name="cancelled", data={"refund_wei": str(event.refund)})
    return Step(_failed(state, state.failure or "cancelled"), (fact, CancelTimer(name="join")))


def _on_failed_notice(state: BuyerState, notice: Received, _context: Context) -> State:
    """The aggregator says why the training ends; what ends it is the chain's settlement or cancellation."""
    require_sender(notice.sender, state.request.aggregator)
    body: TrainingFailed = notice.body
    fact = NoteFact(name="aggregator_gave_up", data={"code": body.code, "last_round": body.last_round})
    return Step(changed(state, failure=body.code), (fact,))


def _on_open_refused(state: BuyerState, refusal: object, _context: Context) -> State:
    code = getattr(refusal, "code", "refused")
    return Step(_failed(state, f"open_{code}"), (NoteFact(name="open_refused", data={"code": code}),))


def _note(name: str) -> Callable[[BuyerState, Received, Context], State]:
    def note(state: BuyerState, received: Received, _context: Context) -> State:
        require_sender(received.sender, state.request.aggregator)
        data = {"type": received.envelope.type, "round": received.envelope.round}
        return Step(state.model_copy(), (NoteFact(name=name, data=data),))

    return note


# ---- pieces ----


def _order(item: MessageReceived) -> TrainingOrder:
    require(item.signed.envelope.type == "training_order", "unknown_training")
    return unpack(TrainingOrder, item.signed.body)


def _private_key(context: Context) -> PrivateKey:
    return PrivateKey.from_bytes(context.private["paillier"])


def _widths(state: BuyerState) -> Widths:
    if not state.parties.has_started():
        raise NotYet  # a validator was faster than the aggregator's start
    return training_widths(state.request, state.parties)


def _unanswered(state: BuyerState, kind: Literal["refresh", "metric"], asked: Received) -> Answered:
    """A second answer to one question would show the buyer's peer two masks of the same value."""
    envelope = asked.envelope
    question = Answered(kind=kind, round=envelope.round, attempt=envelope.attempt, asker=asked.sender)
    require(question not in state.answered, "asked_twice")
    return question


def _answered(state: BuyerState, question: Answered) -> BuyerState:
    return changed(state, answered=(*state.answered, question))


def _recent(state: BuyerState, round_number: int) -> tuple[Answered, ...]:
    return tuple(one for one in state.answered if one.round >= round_number)


def _stall_timer(state: BuyerState) -> SetTimer:
    return SetTimer(name="stalled", seconds=state.request.terms().round_seconds + 1)


def _cancel(state: BuyerState, code: str) -> State:
    assert state.training is not None
    return Step(changed(state, failure=code), (SubmitCall(call=Cancel(training=state.training)),))


def _failed(state: BuyerState, code: str) -> BuyerState:
    return changed(state, phase="failed", failure=state.failure or code)


_BEFORE_START: Mapping[str, Handler] = {
    "Cancelled": _on_cancelled,
    "timer:join": _on_join_over,
    "stop_order": _on_stop,
    "training_failed": _on_failed_notice,
}
_CHAT: Mapping[str, Handler] = {
    "participant_dropped": _note("participant_dropped"),
    "complaint": _note("complaint"),
}

TABLE: Table = {
    "ordered": {"training_order": _on_order, "Opened": _on_opened, "refused:open": _on_open_refused},
    "opened": {
        **_BEFORE_START,
        "request_answer": _on_request_answer,
        "timer:answer": _on_silence_before_start,
        "Joined": _on_joined,
    },
    "initiated": {
        **_BEFORE_START,
        "request_answer": _on_request_answer,
        "Joined": _on_joined,
        "RolesDrawn": _on_roles_drawn,
    },
    "running": {
        **_CHAT,
        "training_started": _on_training_started,
        "refresh_request": _on_refresh_request,
        "noisy_metric": _on_noisy_metric,
        "opening_request": _on_opening_request,
        "RoundRecorded": _on_round_recorded,
        "Settled": _on_settled,
        "Cancelled": _on_cancelled,
        "timer:stalled": _on_stalled,
        "stop_order": _on_stop,
        "training_failed": _on_failed_notice,
        "round_completed": _note("round_completed"),
    },
    "collecting": {"trained_model": _on_trained_model, "timer:model": _on_model_late},
    "finished": {},
    "failed": {},
}
MACHINE: Machine[BuyerState] = Machine("model_buyer", PHASES, TABLE)
