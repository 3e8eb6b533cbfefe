"""The aggregator brings a training together: it checks the request, invites owners and closes the joining."""

from collections import Counter
from collections.abc import Collection, Iterable

from protocol.marketplace import Cancel, Close, Joined, Opened
from protocol.messages import (
    Invitation,
    InvitationAnswer,
    JoiningProgress,
    OwnersByCode,
    RequestAnswer,
    TrainingRequest,
)
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.request_check import refusal_code
from protocol.roles.aggregator.state import (
    EndingState,
    FailedState,
    InvitingState,
    PreparedState,
    RequestedState,
    chain_seconds,
    opened_of,
)
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, SendMessage, SetTimer, SubmitCall, effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import enter, replace
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.deadlines import DAY_SECONDS, REQUEST_SECONDS
from protocol.roles.shared.parties import require_sender

MOST_ANSWERS = 8
"""Of one owner that count. Each takes the place of those before, until it has accepted."""

# ---- the request ----


def on_opened(state: RequestedState, event: Opened, context: Context) -> Step[RequestedState]:
    """The deposit is on chain; the request is due soon, and before the joining is over."""
    require(event.aggregator == context.address, "not_mine")
    require(state.opened is None, "opened_twice")
    request_due = timers.REQUEST.set(min(event.terms.join_seconds + 1.0, REQUEST_SECONDS))
    return Step(replace(state, opened=event), (timers.OPENED.cancel(), request_due))


def on_never_opened(state: RequestedState, _about: None, _context: Context) -> Step[FailedState]:
    """A request that no opening on chain has followed; StaleInput where one has just come."""
    if state.opened is not None:
        raise StaleInput
    return Step(enter(FailedState, state, failure="never_opened"))


def on_request_late(state: RequestedState, _about: None, context: Context) -> Step[EndingState | FailedState]:
    """The buyer has opened a training and says nothing: nobody was invited, so its deposit goes back.

    Where only the buyer may have it back for more than a day, it is left to that: nothing is waited for.
    """
    given_up = give_up(state, "no_request", context)
    if opened_of(state).terms.join_seconds <= DAY_SECONDS:
        return Step(given_up.state, given_up.effects)
    told = tuple(one for one in given_up.effects if not isinstance(one, SetTimer))
    return Step(enter(FailedState, state, failure="no_request"), told)


def on_training_request(
    state: RequestedState, received: Received[TrainingRequest], context: Context
) -> Step[InvitingState | FailedState]:
    """Invite when all that the buyer sent is as the chain says; a fault is answered with its code.

    Before the opening is confirmed anyone could claim to be the buyer: a request that comes early is held.
    """
    opened, body = opened_of(state), received.body
    require_sender(received.sender, opened.buyer)
    require(body.request.aggregator == context.address, "not_mine")
    code = refusal_code(opened, body, context)
    if code is not None:
        answer = message(context, opened.buyer, RequestAnswer(accepted=False, code=code))
        fact = facts.REQUEST_REFUSED.of(code=code)
        return Step(enter(FailedState, state, failure=code), (answer, fact, timers.REQUEST.cancel()))
    inviting = enter(
        InvitingState,
        state,
        request=body.request,
        n=int(body.public_key),
        blinding_seed=context.randomness("blinding base").bytes(32),
    )
    told, progress = tell(inviting, context)
    return Step(told, (*_invite(opened.buyer, body, context), progress))


def _invite(buyer: str, body: TrainingRequest, context: Context) -> tuple[Effect, ...]:
    """Take the request on and invite every admitted owner but the buyer itself."""
    join_seconds = body.request.deadlines.join_s
    invitation = Invitation(
        request=body.request,
        public_key=body.public_key,
        key_proof=body.key_proof,
        join_until=int(context.now) + join_seconds,
    )
    owners = [owner for owner in context.announced if owner != buyer]
    return effects_of(
        message(context, buyer, RequestAnswer(accepted=True, code="accepted")),
        [message(context, owner, invitation) for owner in owners],
        timers.REQUEST.cancel(),
        timers.JOIN.set(float(join_seconds)),
        facts.INVITED.of(owners=len(owners)),
    )


# ---- the owners ----


def note_answer(
    state: PreparedState, received: Received[InvitationAnswer], context: Context
) -> Step[PreparedState]:
    """Note what an admitted owner says, in the place of its last answer; whether it joined the chain shows.

    The buyer is told while joining is open, of what is news about an owner without a seat.
    """
    owner, body = received.sender, received.body
    require(owner in admitted_owners(state, context), "not_admitted")
    fact = facts.OWNER_ANSWERED.of(owner=owner, decision=body.decision, code=body.code)
    if owner in state.parties.seats or not isinstance(state, InvitingState):
        return Step.unchanged(state, fact)
    if body.decision == "accepted" and state.application_of(owner) is not None:
        return Step.unchanged(state)  # it asks again
    noted = _with_answer(state, owner, body)
    if (noted.declined, noted.waiting) == (state.declined, state.waiting):
        return Step.unchanged(state, fact) if noted == state else Step(noted, (fact,))
    told, progress = tell(noted, context)
    step = close_when_all_joined(told, context)
    return Step(step.state, (fact, progress, *step.effects))


def _with_answer(state: InvitingState, owner: str, body: InvitationAnswer) -> InvitingState:
    """With an owner's last answer; one that is no news, or one too many, changes nothing.

    Who has accepted takes nothing back: an answer that comes after it was sent before.
    """
    heard, declined, waiting = dict(state.heard), dict(state.declined), dict(state.waiting)
    said = {"declined": declined, "waiting": waiting}.get(body.decision)
    is_known = said is not None and said.get(owner) == body.code
    if is_known or heard.get(owner, 0) >= MOST_ANSWERS:
        return state
    heard[owner] = MOST_ANSWERS if said is None else heard.get(owner, 0) + 1
    declined.pop(owner, None)
    waiting.pop(owner, None)
    if said is not None:
        said[owner] = body.code
    return replace(
        state,
        heard=tuple(heard.items()),
        declined=tuple(declined.items()),
        waiting=tuple(waiting.items()),
    )


def tell(state: InvitingState, context: Context) -> tuple[InvitingState, SendMessage]:
    """Tell the buyer who is still to be expected; a seat outweighs what its owner said before.

    Where too few are, the buyer will take its deposit back.
    """
    seats = state.parties.seats
    body = JoiningProgress(
        asked=len(admitted_owners(state, context)),
        joined=len(seats),
        declined=_by_code(state.declined, seats),
        waiting=_by_code(state.waiting, (*seats, *dict(state.declined))),
    )
    enough = body.possible >= state.request.owners.minimum
    told = replace(state, failure=None if enough else "not_enough_owners")
    label = f"{len(seats)}:{len(state.declined)}:{len(state.waiting)}"
    return told, message(context, state.opened.buyer, body, label=label)


def _by_code(answers: Iterable[tuple[str, str]], others: Collection[str]) -> tuple[OwnersByCode, ...]:
    """The answers counted, without those of the `others`, for whom something else holds by now."""
    counts = Counter(code for owner, code in answers if owner not in others)
    return tuple(OwnersByCode(code=code, owners=owners) for code, owners in sorted(counts.items()))


def admitted_owners(state: PreparedState, context: Context) -> frozenset[str]:
    """Who may take part: never the buyer, who with ciphertexts in hand would see every model."""
    return frozenset(context.announced) - {state.opened.buyer}


def on_joined(state: InvitingState, event: Joined, context: Context) -> Step[InvitingState]:
    """Note the seat of an owner that joined."""
    joined = replace(state, parties=state.parties.with_seat(event))
    if event.owner not in {**dict(state.declined), **dict(state.waiting)}:
        return close_when_all_joined(joined, context)
    told, progress = tell(joined, context)
    step = close_when_all_joined(told, context)
    return Step(step.state, (*step.effects, progress))


def on_join_over(state: InvitingState, _about: None, _context: Context) -> Step[InvitingState]:
    """Close the joining, or cancel below the minimum, again until the chain shows one or the other."""
    if not state.closing and len(state.parties.seats) < state.request.owners.minimum:
        failed = replace(state, failure="not_enough_owners")
        return Step(failed, (SubmitCall(call=Cancel(training=state.training)), _join_again(state)))
    return _close(state)


def close_when_all_joined(state: InvitingState, context: Context) -> Step[InvitingState]:
    """Close early when nobody is left to wait for.

    The maximum has joined, or every admitted owner but those of whom it is decided that they do not: who is
    refused, and whose person has said no. Who has no data set that serves may have one in time.
    """
    owners, seats = state.request.owners, state.parties.seats
    refused = {one.owner for one in state.applications if one.is_refused}
    refused |= {owner for owner, code in state.declined if code == "declined_by_person"}
    everybody = len(seats) >= owners.maximum or admitted_owners(state, context) - refused <= set(seats)
    if state.closing or len(seats) < owners.minimum or not everybody:
        return Step(state)
    return _close(state)


def _close(state: InvitingState) -> Step[InvitingState]:
    terms = state.opened.terms
    call = Close(training=state.training, bond=terms.aggregator_bond, token=terms.token)
    bond = note_bond(state.training, terms, terms.aggregator_bond)
    return Step(replace(state, closing=True), effects_of(SubmitCall(call=call), _join_again(state), bond))


def _join_again(state: InvitingState) -> SetTimer:
    return timers.JOIN.set(chain_seconds(state))
