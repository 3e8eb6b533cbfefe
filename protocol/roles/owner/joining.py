"""From an opening on the chain to the wish to join it, or not.

What an owner says, and whether it joins, follows from its cards, policy and budget: rows are first looked at
when the chain shows its seat.
"""

from collections.abc import Mapping

from protocol.codec import unpack
from protocol.crypto.cipher import PublicKey, verify_public_key
from protocol.data_card import DataCard
from protocol.errors import ProtocolViolation, WidthError
from protocol.marketplace import Join, Joined, Opened, Revealed, RolesDrawn
from protocol.messages import Invitation, InvitationAnswer, OwnerDecision
from protocol.owner_policy import OwnerPolicy
from protocol.request import Request
from protocol.requirements import mismatches, noted_mismatches, pay_mismatch
from protocol.roles.engine import facts, private, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import RecordFact, SendMessage, SetTimer, effects_of
from protocol.roles.engine.inputs import CatalogueChanged, PolicyChanged, Received, Refused
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import enter, replace
from protocol.roles.owner import admission, stall
from protocol.roles.owner.budget import (
    Standing,
    counts_in,
    give_back,
    policy_of,
    reserve,
    standing,
)
from protocol.roles.owner.state import (
    DeclinedState,
    FailedState,
    InitiatedState,
    JoinedState,
    OwnerState,
    ReadyState,
    UndecidedState,
    WaitingState,
)
from protocol.roles.shared.deadlines import CHAIN_SECONDS, INVITATION_SECONDS
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import check_widths
from protocol.types import Address


def on_opened(state: UndecidedState, event: Opened, _context: Context) -> Step[OwnerState]:
    """Note what the deposit pays for. An invitation may come until the joining is over, for a day at most."""
    require(state.opened is None, "opened_twice")
    wait = timers.JOIN.set(min(float(event.terms.join_seconds), INVITATION_SECONDS) + CHAIN_SECONDS)
    return Step(replace(state, opened=event), (timers.OPENED.cancel(), wait))


def on_never_opened(state: WaitingState, _about: None, _context: Context) -> Step[OwnerState]:
    """An invitation that no opening on the chain has followed; StaleInput where one has just come."""
    if state.opened is not None:
        raise StaleInput
    return Step(enter(FailedState, state, failure="never_opened"))


def on_invitation(
    state: UndecidedState, received: Received[Invitation], context: Context
) -> Step[OwnerState]:
    """Take an invitation up if it is the one that the confirmed opening paid for.

    Before that opening anyone could send one: an invitation that comes early is held.
    """
    if state.opened is None:
        raise EarlyInput
    require_sender(received.sender, state.opened.aggregator)
    require(state.request is None, "invited_twice")
    body = received.body
    request = body.request
    # Invited under its own key, an owner's answers would be the aggregator's to read.
    terms = request.terms(PublicKey(int(body.public_key)).key_id)
    require(state.opened.terms.request_hash == terms.request_hash, "request_hash_differs")
    require(state.opened.terms == terms, "wrong_terms")
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


def on_reconsidered(
    state: UndecidedState, _change: CatalogueChanged | PolicyChanged, context: Context
) -> Step[OwnerState]:
    """Data sets or policy are not those any more by which this training waits."""
    return _consider(state, context)


def _consider(state: UndecidedState, context: Context) -> Step[OwnerState]:
    """With opening and invitation at hand: match, then decide by policy or wait.

    A seat that the chain already shows was decided upon, in a state that was lost, and what opens its
    commitments with it: nobody is asked about it, for no data set serves it any more.
    """
    request, opened = state.request, state.opened
    if request is None or opened is None:
        return Step.unchanged(state)
    expiry = timers.JOIN.set(stall.joining_seconds(request, state.join_until, context))
    is_seated = context.address in state.parties.seats
    if not is_seated and not policy_of(context).takes(request.payment.token):
        return _other_token(state, request, context, expiry)
    names, reasons = _matching(request, context.private)
    if not names:
        return _no_match(state, request, reasons, context, expiry)
    policy = policy_of(context)
    accepted = [name for name in names if policy.accepts(request, opened.buyer, name)]
    by_policy = would_join(request, opened.buyer, policy, context.private)
    joined = by_policy
    if joined is None and is_seated:
        joined = names[0]
    name = joined or (state.data_set if state.data_set in names else (*accepted, *names)[0])
    ready = enter(ReadyState, state, data_set=name, mismatches=())
    if joined is not None:
        step = _accept(ready, context)
        return Step(step.state, (expiry, *step.effects))
    spent = _over_budget(ready, name, context) if accepted else None
    return Step(ready, effects_of(expiry, spent, _asks(state, ready, bool(accepted), context)))


def would_join(
    request: Request, buyer: Address, policy: OwnerPolicy, values: Mapping[str, bytes]
) -> str | None:
    """The data set with which the policy has an owner join, if any; `values` are a step's private ones."""
    counts = counts_in(values)
    accepted = (name for name in _matching(request, values)[0] if policy.accepts(request, buyer, name))
    in_budget = (
        name for name in accepted if not standing(policy.budget, counts, request, buyer, name).is_exhausted
    )
    return next(in_budget, None) if policy.takes(request.payment.token) else None


def _other_token(
    state: UndecidedState, request: Request, context: Context, expiry: SetTimer
) -> Step[OwnerState]:
    """Wait for a policy that takes what the training pays in; the aggregator is told once."""
    reasons = (f"it pays in token {request.payment.token}, which the policy does not take",)
    body = InvitationAnswer(decision="declined", code="token_not_taken")
    return _declined(state, reasons, message(context, request.aggregator, body), expiry)


def _declined(
    state: UndecidedState, reasons: tuple[str, ...], answer: SendMessage, expiry: SetTimer
) -> Step[OwnerState]:
    waiting = enter(WaitingState, state, data_set=None, mismatches=reasons)
    fact = facts.NO_MATCH.of(reasons=list(reasons))
    return Step(waiting, effects_of(expiry, fact, None if state.mismatches else answer))


def _no_match(
    state: UndecidedState, request: Request, reasons: tuple[str, ...], context: Context, expiry: SetTimer
) -> Step[OwnerState]:
    """Wait for a data set that serves the request; the aggregator is told once."""
    cards = (unpack(DataCard, content) for _, content in private.CARD.items(context.private))
    fits = any(not mismatches(request, card) for card in cards)
    body = InvitationAnswer(decision="declined", code="pay_below_least" if fits else "no_matching_card")
    return _declined(state, reasons, message(context, request.aggregator, body), expiry)


def _asks(
    before: UndecidedState, ready: ReadyState, is_accepted: bool, context: Context
) -> tuple[RecordFact | SendMessage, ...]:
    """A person's decision is asked for once for a data set, however often the catalogue or policy changes.

    The aggregator is told once that it is waited for: `is_accepted` is whether only the budget is against it.
    """
    if isinstance(before, ReadyState):
        same = before.data_set == ready.data_set
        return () if same else (_asks_decision(ready, context),)
    policy, code = policy_of(context), "asks_person"
    if is_accepted:
        code = "budget_spent"
    elif policy.automatic and policy.buyers and ready.opened.buyer not in policy.buyers:
        code = "buyer_not_accepted"
    elif policy.automatic and not policy.can_reveal(ready.request):
        code = "reveal_too_short"
    elif policy.accepts_but_for_bond(ready.request, ready.opened.buyer, ready.data_set):
        code = "bond_not_accepted"
    answer = InvitationAnswer.model_validate({"decision": "waiting", "code": code})
    asked = _asks_decision(ready, context)
    told = message(context, ready.request.aggregator, answer, label="waiting")
    return (asked, told) if code != "reveal_too_short" else (asked, _too_short(ready.request, policy), told)


def _too_short(request: Request, policy: OwnerPolicy) -> RecordFact:
    return facts.REVEAL_TOO_SHORT.of(reveal_s=request.deadlines.reveal_s, minimum_s=policy.minimum_reveal_s)


def _asks_decision(state: ReadyState, context: Context) -> RecordFact:
    """With the bond where the policy does not deposit it unasked."""
    request, data_set = state.request, state.data_set
    if request.payment.bonds is None or policy_of(context).accepts_bond(request):
        return facts.ASKS_DECISION.of(data_set=data_set)
    bond = str(request.payment.bonds.owner)
    return facts.ASKS_DECISION.of(data_set=data_set, bond=bond, token=request.payment.token)


def _matching(request: Request, values: Mapping[str, bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(data sets that serve the request, why the others do not)."""
    names: list[str] = []
    reasons: list[str] = []
    for name, content in private.CARD.items(values):
        card = unpack(DataCard, content)
        faults = noted_mismatches(request, card) or pay_mismatch(request, card)
        if not faults:
            names.append(name)
        reasons.extend(f"{name}: {reason}" for reason in faults)
    return tuple(names), tuple(reasons) or ("there is no data set",)


def _standing(request: Request, opened: Opened, data_set: str, context: Context) -> Standing:
    return standing(policy_of(context).budget, counts_in(context.private), request, opened.buyer, data_set)


def _over_budget(state: ReadyState, data_set: str, context: Context) -> RecordFact:
    figures = _standing(state.request, state.opened, data_set, context).figures()
    return facts.OVER_BUDGET.of(data_set=data_set, **figures)


def on_decision(state: ReadyState, received: Received[OwnerDecision], context: Context) -> Step[OwnerState]:
    """What a person decides. A refusal is a fact: a dead letter would show the reason to the broker."""
    require_sender(received.sender, context.address)
    body = received.body
    if not body.accept:
        answer = message(
            context,
            state.request.aggregator,
            InvitationAnswer(decision="declined", code="declined_by_person"),
        )
        return Step(enter(DeclinedState, state), (answer, timers.JOIN.cancel()))
    data_set = body.data_set or state.data_set
    label = private.CARD.name_of(data_set)
    require(label in context.private, "unknown_data_set")
    faults = noted_mismatches(state.request, unpack(DataCard, context.private[label]))
    if faults:
        refused = facts.DATA_SET_DOES_NOT_MATCH.of(data_set=data_set, reasons=list(faults))
        return Step.unchanged(state, refused)
    is_exhausted = _standing(state.request, state.opened, data_set, context).is_exhausted
    if is_exhausted and not body.beyond_budget:
        return Step.unchanged(state, _over_budget(state, data_set, context))
    return _accept(replace(state, data_set=data_set), context)


def _accept(state: ReadyState, context: Context) -> Step[OwnerState]:
    """Take part, with what is asked of the budget; it asks to be admitted once it has committed."""
    has_seat = context.address in state.parties.seats
    joined = admission.applying(state, context)
    return Step(
        joined,
        effects_of(
            reserve(joined),
            timers.JOIN.cancel(),
            None if has_seat else admission.admission_timer(joined, context),
            stall.joining_timer(joined, context),
        ),
    )


def on_revealed(state: UndecidedState, event: Revealed, _context: Context) -> Step[OwnerState]:
    """Note who keeps its seat."""
    return Step(replace(state, parties=state.parties.with_reveal(event)))


def on_joined(state: UndecidedState, event: Joined, context: Context) -> Step[OwnerState]:
    """Note the seat of an owner that joined; our own is taken up as soon as a data set matches."""
    noted = replace(state, parties=state.parties.with_seat(event))
    if event.owner != context.address:
        return Step(noted)
    step = Step(noted) if noted.request is None else _consider(noted, context)
    return Step(step.state, effects_of(step.effects, admission.note_owner_bond(noted)))


def on_roles_drawn(state: UndecidedState, event: RolesDrawn, context: Context) -> Step[OwnerState]:
    """The training runs without us; where we have a seat, it waits for the decision about its data set."""
    if context.address in state.parties.seats:
        raise EarlyInput
    return left_out(state, event, failure="joined_too_late")


def left_out(state: OwnerState, event: RolesDrawn, *, failure: str) -> Step[OwnerState]:
    """The roles are drawn and the training runs without this owner, which says nothing."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    failed = enter(FailedState, state, failure=failure, parties=parties)
    counted = give_back(state) if isinstance(state, JoinedState) else None
    waits = timers.JOIN.cancel(), timers.ADMISSION.cancel(), timers.DRAW.cancel(), timers.STALLED.cancel()
    return Step(failed, effects_of(counted, waits))


def on_join_over(state: UndecidedState, _about: None, _context: Context) -> Step[OwnerState]:
    """The joining is over without a decision."""
    return Step(enter(FailedState, state, failure="expired"))


def on_join_refused(state: InitiatedState, refusal: Refused[Join], _context: Context) -> Step[OwnerState]:
    """The contract has no seat for this owner."""
    code = "too_late" if refusal.code == "wrong_status" else refusal.code  # the joining is over already
    failed = enter(FailedState, state, failure=f"join_{code}")
    fact = facts.JOIN_REFUSED.of(code=refusal.code)
    return Step(failed, (fact, give_back(state), timers.STALLED.cancel()))
