"""The data owner: decides about invitations, then trains or validates as the contract draws it."""

from collections.abc import Mapping

from protocol.crypto.validation import verify_public_key
from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.descent import StepSizeDiverges, affine_map
from protocol.learning.statistic import Statistic
from protocol.marketplace import Join, Opened
from protocol.messages import (
    Invitation,
    InvitationAnswer,
    OwnerDecision,
)
from protocol.requirements import mismatches
from protocol.roles import owner_running as running
from protocol.roles import owner_waiting as waiting
from protocol.roles import trainer, validator
from protocol.roles.deadlines import CHAIN_SECONDS, OPENED_SECONDS
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import CancelTimer, NoteFact, SetTimer, SubmitCall
from protocol.roles.engine.inputs import CallRefused, EventConfirmed, Input, MessageReceived
from protocol.roles.engine.machine import (
    Handler,
    Machine,
    NotYet,
    Received,
    Table,
    changed,
    effects_of,
    message,
    require,
    store,
)
from protocol.roles.owner_budget import Standing, counted, counts_in, given_back, policy_of, standing
from protocol.roles.owner_state import OwnerState
from protocol.roles.taken_back import on_settle_refused
from protocol.roles.training import check_widths, require_sender

PHASES = ("waiting", "ready", "initiated", "running", "finished", "declined", "failed")
FINAL = frozenset({"finished", "declined", "failed"})
STATE = OwnerState
DATA_SET = "data_set:"


def initial(item: Input, _context: Context) -> Step[OwnerState]:
    """The state that the first word of a training starts: its opening on chain or the invitation."""
    unopened = SetTimer(name="opened", seconds=OPENED_SECONDS)
    if isinstance(item, MessageReceived):
        require(item.signed.envelope.type == "invitation", "unknown_training")
        return Step(OwnerState(training=item.signed.envelope.training), (unopened,))
    require(
        isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened), "unknown_training"
    )
    assert isinstance(item, EventConfirmed)
    assert isinstance(item.chain_event.event, Opened)
    return Step(OwnerState(training=item.chain_event.event.training), (unopened,))


def shown(state: OwnerState) -> str:
    """The state as people see it."""
    if state.phase == "failed":
        return f"FAILED({state.failure})"
    return "IN_PROGRESS" if state.phase == "running" else state.phase.upper()


# ---- deciding ----


def _on_opened(state: OwnerState, event: Opened, _context: Context) -> Step[OwnerState]:
    """Note what the deposit pays for. An invitation may come until the joining is over."""
    require(state.opened is None, "opened_twice")
    wait = SetTimer(name="join", seconds=event.terms.join_seconds + CHAIN_SECONDS)
    return Step(changed(state, opened=event), (CancelTimer(name="opened"), wait))


def _on_never_opened(state: OwnerState, _argument: str, _context: Context) -> Step[OwnerState]:
    return Step(changed(state, phase="failed", failure="never_opened"))


def _on_invitation(state: OwnerState, received: Received, context: Context) -> Step[OwnerState]:
    """Take an invitation up if it is the one that the confirmed opening paid for.

    Before that opening anyone could send one: an invitation that comes early is held.
    """
    if state.opened is None:
        raise NotYet
    require_sender(received.sender, state.opened.aggregator)
    require(state.request is None, "invited_twice")
    body: Invitation = received.body
    request = body.request
    require(state.opened.terms.request_hash == request.hash(), "request_hash_differs")
    require(state.opened.terms == request.terms(), "wrong_terms")
    require(state.opened.deposit == request.payment.deposit_wei, "wrong_deposit")
    try:
        check_widths(request)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None
    key = verify_public_key(
        int(body.public_key), list(body.key_proof), request.key_bits, context.least_key_bits
    )
    invited = changed(state, request=request, n=int(key.n), join_until=body.join_until)
    return _consider(invited, context)


def _consider(state: OwnerState, context: Context) -> Step[OwnerState]:
    """With an invitation at hand: match, then decide by policy or wait."""
    request = state.request
    if request is None:
        return Step(state)
    names, reasons = _matching(state, context)
    expiry = SetTimer(name="join", seconds=waiting.joining_seconds(state, context))
    if not names:
        answer = message(context, request.aggregator, InvitationAnswer(decision="no_data"))
        fact = NoteFact(name="no_match", data={"reasons": list(reasons)})
        unmatched = changed(state, phase="waiting", data_set=None, mismatches=reasons)
        return Step(unmatched, effects_of(expiry, fact, answer if not state.mismatches else None))
    assert state.opened is not None
    policy = policy_of(context)
    accepted = [name for name in names if policy.accepts(request, state.opened.buyer, name)]
    joined = next((name for name in accepted if not _standing(state, name, context).is_exhausted), None)
    name = joined or (state.data_set if state.data_set in names else (*accepted, *names)[0])
    ready = changed(state, phase="ready", data_set=name, mismatches=())
    if joined is not None:
        step = _accept(ready, context)
        return Step(step.state, effects_of(expiry, step.effects))
    facts = effects_of(_over_budget(ready, name, context) if accepted else None, _asks(state, name))
    return Step(ready, effects_of(expiry, facts))


def _asks(before: OwnerState, name: str) -> NoteFact | None:
    """A person's decision is asked for once for a data set, however often the catalogue or policy changes."""
    if before.phase == "ready" and before.data_set == name:
        return None
    return NoteFact(name="asks_decision", data={"data_set": name})


def _matching(state: OwnerState, context: Context) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(data sets that serve the request, why the others do not)."""
    assert state.request is not None
    names: list[str] = []
    reasons: list[str] = []
    for label in sorted(context.private):
        if not label.startswith(DATA_SET):
            continue
        name = label.removeprefix(DATA_SET)
        found = mismatches(state.request, Statistic.from_bytes(context.private[label]))
        if not found:
            names.append(name)
        reasons.extend(f"{name}: {reason}" for reason in found)
    return tuple(names), tuple(reasons) or ("there is no data set",)


def _standing(state: OwnerState, data_set: str, context: Context) -> Standing:
    assert state.request is not None
    assert state.opened is not None
    counts = counts_in(context.private)
    return standing(policy_of(context).budget, counts, state.request, state.opened.buyer, data_set)


def _over_budget(state: OwnerState, data_set: str, context: Context) -> NoteFact:
    return NoteFact(
        name="over_budget", data={"data_set": data_set, **_standing(state, data_set, context).told()}
    )


def _on_decision(state: OwnerState, received: Received, context: Context) -> Step[OwnerState]:
    """What a person decides. A refusal is a fact: a dead letter would show the reason to the broker."""
    require_sender(received.sender, context.address)
    body: OwnerDecision = received.body
    assert state.request is not None
    if not body.accept:
        answer = message(context, state.request.aggregator, InvitationAnswer(decision="declined"))
        return Step(changed(state, phase="declined"), (answer, CancelTimer(name="join")))
    data_set = body.data_set or state.data_set
    assert data_set is not None
    label = DATA_SET + data_set
    require(label in context.private, "unknown_data_set")
    found = mismatches(state.request, Statistic.from_bytes(context.private[label]))
    if found:
        refused = NoteFact(
            name="data_set_does_not_match", data={"data_set": data_set, "reasons": list(found)}
        )
        return Step(state.model_copy(), (refused,))
    if _standing(state, data_set, context).is_exhausted and not body.beyond_budget:
        return Step(state.model_copy(), (_over_budget(state, data_set, context),))
    return _accept(changed(state, data_set=data_set), context)


def _accept(state: OwnerState, context: Context) -> Step[OwnerState]:
    """Join on chain, or decline without a number when the step would diverge on these rows.

    The largest stable step, asked often enough with chosen columns, would give the Gram matrix away.
    """
    request, data_set = state.request, state.data_set
    assert request is not None
    assert data_set is not None
    try:
        affine_map(
            trainer.factor_of(state, context),
            step_size=float(request.schedule.step_size),
            l2=float(request.model.l2),
            local_steps=1,
        )
    except StepSizeDiverges as error:
        answer = message(context, request.aggregator, InvitationAnswer(decision="declined"))
        fact = NoteFact(name="step_size_diverges", data={"reason": str(error)})
        declined = changed(state, phase="declined", failure="step_size_diverges")
        return Step(declined, (answer, fact, CancelTimer(name="join")))
    content = context.private[DATA_SET + data_set]
    rows, (kept, blob) = Statistic.from_bytes(content).rows, store(content)
    answer = message(context, request.aggregator, InvitationAnswer(decision="accepted", rows=rows))
    seed = context.randomness("blinding base").bytes(32)
    joined = changed(state, phase="initiated", rows=rows, statistic=kept, blinding_seed=seed)
    assert state.opened is not None
    count = counted(state.training, state.opened.buyer, data_set)
    join = SubmitCall(call=Join(training=state.training))
    timers = (CancelTimer(name="join"), waiting.joining_timer(joined, context))
    return Step(joined, (blob, count, join, answer, *timers))


def _on_reconsidered(state: OwnerState, _item: object, context: Context) -> Step[OwnerState]:
    """Data sets or policy are not those any more by which this training waits."""
    return _consider(state, context)


def _on_join_over(state: OwnerState, _argument: str, _context: Context) -> Step[OwnerState]:
    return Step(changed(state, phase="failed", failure="expired"))


def _on_join_refused(state: OwnerState, refusal: CallRefused, _context: Context) -> Step[OwnerState]:
    fact = NoteFact(name="join_refused", data={"code": refusal.code})
    code = "too_late" if refusal.code == "wrong_status" else refusal.code  # the joining is over already
    failed = changed(state, phase="failed", failure=f"join_{code}", statistic=None)
    return Step(failed, (fact, given_back(state.training), CancelTimer(name="stalled")))


_UNDECIDED: Mapping[str, Handler] = {
    "Opened": _on_opened,
    "invitation": _on_invitation,
    "Joined": running.on_joined,
    "RolesDrawn": running.on_roles_drawn,
    "Cancelled": running.on_cancelled,
    "catalogue_changed": _on_reconsidered,
    "policy_changed": _on_reconsidered,
    "timer:join": _on_join_over,
    "timer:opened": _on_never_opened,
}

TABLE: Table = {
    "waiting": _UNDECIDED,
    "ready": {**_UNDECIDED, "owner_decision": _on_decision},
    "initiated": {
        "Joined": running.on_joined,
        "Closed": waiting.on_closed,
        "RolesDrawn": running.on_roles_drawn,
        "Cancelled": running.on_cancelled,
        "refused:join": _on_join_refused,
        "timer:stalled": waiting.on_stalled,
        "training_gone": running.on_gone,
    },
    "running": {
        "training_started": running.on_training_started,
        "encrypted_model": trainer.on_encrypted_model,
        "local_models": validator.on_local_models,
        "metric_products": validator.on_metric_products,
        "opening_request": validator.on_opening_request,
        "opening": validator.on_opening,
        "opening_refused": validator.on_opening_refused,
        "RoundRecorded": running.on_round_recorded,
        "Settled": running.on_settled,
        "Cancelled": running.on_cancelled,
        "timer:stalled": waiting.on_stalled,
        "refused:settle": on_settle_refused,
        "training_gone": running.on_gone,
        "round_completed": running.noted,
        "participant_dropped": running.noted,
        "complaint": running.noted,
        "training_failed": running.noted,
    },
    "finished": {"model_request": validator.on_model_request, "timer:retention": running.on_retention_over},
    "declined": {},
    "failed": {},
}
MACHINE: Machine[OwnerState] = Machine("data_owner", PHASES, TABLE)
