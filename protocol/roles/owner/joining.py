"""From an opening on the chain to having joined it, or not."""

from protocol.crypto.cipher import verify_public_key
from protocol.errors import ProtocolViolation, WidthError
from protocol.learning.descent import StepSizeDiverges
from protocol.learning.kinds.registry import check_step_size
from protocol.learning.statistic import Statistic
from protocol.marketplace import Join, Opened
from protocol.messages import (
    Invitation,
    InvitationAnswer,
    OwnerDecision,
)
from protocol.requirements import mismatches
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer, RecordFact, SetTimer, SubmitCall, effects_of
from protocol.roles.engine.inputs import CallRefused
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.untyped import Received
from protocol.roles.owner import stall as waiting
from protocol.roles.owner import trainer
from protocol.roles.owner.budget import (
    Standing,
    count_training,
    counts_in,
    policy_of,
    standing,
    uncount_training,
)
from protocol.roles.owner.state import DATA_SET, OwnerState
from protocol.roles.shared.deadlines import CHAIN_SECONDS
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import check_widths


def _on_opened(state: OwnerState, event: Opened, _context: Context) -> Step[OwnerState]:
    """Note what the deposit pays for. An invitation may come until the joining is over."""
    require(state.opened is None, "opened_twice")
    wait = SetTimer(name="join", seconds=event.terms.join_seconds + CHAIN_SECONDS)
    return Step(replace(state, opened=event), (CancelTimer(name="opened"), wait))


def _on_never_opened(state: OwnerState, _argument: str, _context: Context) -> Step[OwnerState]:
    return Step(replace(state, phase="failed", failure="never_opened"))


def _on_invitation(state: OwnerState, received: Received, context: Context) -> Step[OwnerState]:
    """Take an invitation up if it is the one that the confirmed opening paid for.

    Before that opening anyone could send one: an invitation that comes early is held.
    """
    if state.opened is None:
        raise EarlyInput
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
    invited = replace(state, request=request, n=int(key.n), join_until=body.join_until)
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
        fact = RecordFact(name="no_match", data={"reasons": list(reasons)})
        unmatched = replace(state, phase="waiting", data_set=None, mismatches=reasons)
        return Step(unmatched, effects_of(expiry, fact, answer if not state.mismatches else None))
    assert state.opened is not None
    policy = policy_of(context)
    accepted = [name for name in names if policy.accepts(request, state.opened.buyer, name)]
    joined = next((name for name in accepted if not _standing(state, name, context).is_exhausted), None)
    name = joined or (state.data_set if state.data_set in names else (*accepted, *names)[0])
    ready = replace(state, phase="ready", data_set=name, mismatches=())
    if joined is not None:
        step = _accept(ready, context)
        return Step(step.state, effects_of(expiry, step.effects))
    facts = effects_of(_over_budget(ready, name, context) if accepted else None, _asks(state, name))
    return Step(ready, effects_of(expiry, facts))


def _asks(before: OwnerState, name: str) -> RecordFact | None:
    """A person's decision is asked for once for a data set, however often the catalogue or policy changes."""
    if before.phase == "ready" and before.data_set == name:
        return None
    return RecordFact(name="asks_decision", data={"data_set": name})


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


def _over_budget(state: OwnerState, data_set: str, context: Context) -> RecordFact:
    return RecordFact(
        name="over_budget", data={"data_set": data_set, **_standing(state, data_set, context).figures()}
    )


def _on_decision(state: OwnerState, received: Received, context: Context) -> Step[OwnerState]:
    """What a person decides. A refusal is a fact: a dead letter would show the reason to the broker."""
    require_sender(received.sender, context.address)
    body: OwnerDecision = received.body
    assert state.request is not None
    if not body.accept:
        answer = message(context, state.request.aggregator, InvitationAnswer(decision="declined"))
        return Step(replace(state, phase="declined"), (answer, CancelTimer(name="join")))
    data_set = body.data_set or state.data_set
    assert data_set is not None
    label = DATA_SET + data_set
    require(label in context.private, "unknown_data_set")
    found = mismatches(state.request, Statistic.from_bytes(context.private[label]))
    if found:
        refused = RecordFact(
            name="data_set_does_not_match", data={"data_set": data_set, "reasons": list(found)}
        )
        return Step(state.model_copy(), (refused,))
    if _standing(state, data_set, context).is_exhausted and not body.beyond_budget:
        return Step(state.model_copy(), (_over_budget(state, data_set, context),))
    return _accept(replace(state, data_set=data_set), context)


def _accept(state: OwnerState, context: Context) -> Step[OwnerState]:
    """Join on chain, or decline without a number when the step would diverge on these rows.

    The largest stable step, asked often enough with chosen columns, would give the Gram matrix away.
    """
    request, data_set = state.request, state.data_set
    assert request is not None
    assert data_set is not None
    try:
        check_step_size(request, trainer.statistic_of(state, context))
    except StepSizeDiverges as error:
        answer = message(context, request.aggregator, InvitationAnswer(decision="declined"))
        fact = RecordFact(name="step_size_diverges", data={"reason": str(error)})
        declined = replace(state, phase="declined", failure="step_size_diverges")
        return Step(declined, (answer, fact, CancelTimer(name="join")))
    content = context.private[DATA_SET + data_set]
    rows, (kept, blob) = Statistic.from_bytes(content).rows, store(content)
    answer = message(context, request.aggregator, InvitationAnswer(decision="accepted", rows=rows))
    seed = context.randomness("blinding base").bytes(32)
    joined = replace(state, phase="initiated", rows=rows, statistic=kept, blinding_seed=seed)
    assert state.opened is not None
    count = count_training(state.training, state.opened.buyer, data_set)
    join = SubmitCall(call=Join(training=state.training))
    timers = (CancelTimer(name="join"), waiting.joining_timer(joined, context))
    return Step(joined, (blob, count, join, answer, *timers))


def _on_reconsidered(state: OwnerState, _item: object, context: Context) -> Step[OwnerState]:
    """Data sets or policy are not those any more by which this training waits."""
    return _consider(state, context)


def _on_join_over(state: OwnerState, _argument: str, _context: Context) -> Step[OwnerState]:
    return Step(replace(state, phase="failed", failure="expired"))


def _on_join_refused(state: OwnerState, refusal: CallRefused, _context: Context) -> Step[OwnerState]:
    fact = RecordFact(name="join_refused", data={"code": refusal.code})
    code = "too_late" if refusal.code == "wrong_status" else refusal.code  # the joining is over already
    failed = replace(state, phase="failed", failure=f"join_{code}", statistic=None)
    return Step(failed, (fact, uncount_training(state.training), CancelTimer(name="stalled")))
