"""Joining a training whose rounds are checked: an owner that accepts commits to what it would do, first.

What decides whether it joins is what it was: cards, policy and budget. So the steps are those of
`protocol.roles.owner.joining`, and what comes of an acceptance is completed here.
"""

from protocol.errors import MisuseError
from protocol.join_digests import checked_commitment, nonce_digest
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.marketplace import Joined, RolesDrawn
from protocol.messages import Invitation, OwnerDecision
from protocol.messages.rounds import CheckedReady, CheckedStarted
from protocol.messages.rounds.values import CommittedOwner
from protocol.roles.engine import facts, private, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import StoreBlob, effects_of
from protocol.roles.engine.inputs import CatalogueChanged, PolicyChanged, Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import enter, replace, store
from protocol.roles.owner import admission, joining, progress
from protocol.roles.owner.committing import commit_to
from protocol.roles.owner.state import (
    FailedState,
    InitiatedState,
    OwnerState,
    ReadyState,
    RunningState,
    UndecidedState,
)
from protocol.roles.rounds.attempt import identity_of
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.requests import require_checkable
from protocol.roles.rounds.started import checked_start
from protocol.roles.shared.parties import public_key_of, require_sender


def on_invitation(
    state: UndecidedState, received: Received[Invitation], context: Context
) -> Step[OwnerState]:
    """Take an invitation up, and commit where that joins at once.

    Raises ProtocolViolation for a request whose rounds cannot be checked, or whose start reads rows.
    """
    require_checkable(received.body.request)
    return _committing(joining.on_invitation(state, received, context), context)


def on_reconsidered(
    state: UndecidedState, change: CatalogueChanged | PolicyChanged, context: Context
) -> Step[OwnerState]:
    """Commit where other data sets or another policy join now."""
    return _committing(joining.on_reconsidered(state, change, context), context)


def on_decision(state: ReadyState, received: Received[OwnerDecision], context: Context) -> Step[OwnerState]:
    """Commit where a person decides to join."""
    return _committing(joining.on_decision(state, received, context), context)


def on_seat_before_decision(state: UndecidedState, event: Joined, context: Context) -> Step[OwnerState]:
    """Note a seat; with one of our own it was decided in a state that was lost."""
    return _committing(joining.on_joined(state, event, context), context)


def on_joined(state: InitiatedState, event: Joined, context: Context) -> Step[OwnerState]:
    """Note the seat of an owner; in our own we are bound to the rows that were committed to."""
    noted = replace(state, parties=state.parties.with_seat(event))
    if event.owner != context.address or noted.rows:
        return Step(noted)
    if nonce_digest(event.training, event.owner, noted.nonce) != event.nonce_digest:
        noted = replace(noted, nonce=b"")  # the seat was taken with another one: this one is of no use
    taken = admission.seated(noted, context), admission.note_owner_bond(noted)
    if noted.committed is None or noted.commitment != event.commitment:
        # What opens the seat's commitments is lost with the state in which it was taken.
        lost = _unserved(noted, "our seat was taken with commitments that are lost")
        return Step(lost.state, effects_of(lost.effects, *taken))
    return Step(replace(noted, rows=noted.committed.rows), effects_of(*taken))


def on_roles_drawn(state: InitiatedState, event: RolesDrawn, context: Context) -> Step[OwnerState]:
    """Train or validate; only now the aggregator is shown what was committed to, the number of rows too."""
    step = progress.on_roles_drawn(state, event, context)
    if not isinstance(step.state, RunningState):
        return step
    assert state.committed is not None  # or there are no rows, and the training goes on without us
    assert state.card is not None
    ready = CheckedReady(card=state.card, committed=state.committed)
    return Step(step.state, (message(context, state.request.aggregator, ready), *step.effects))


def on_checked_started(
    state: RunningState, received: Received[CheckedStarted], context: Context
) -> Step[OwnerState]:
    """Keep everybody's commitments, if they are those that the chain has the digests of."""
    require_sender(received.sender, state.request.aggregator)
    require(not state.parties.has_started(), "already_started")
    key = public_key_of(state.n)
    identity = identity_of(context, state.training, key)
    parties, owners = checked_start(state.request, state.parties, received.body, identity, key)
    if parties.rows_by_owner()[context.address] == 0:
        return Step.unchanged(state, facts.LEFT_OUT.of())  # what we have shown came too late
    kept, blob = store(owners)
    return Step(replace(state, parties=parties, owners=kept), (blob,))


# ---- committing ----


def _committing(step: Step[OwnerState], context: Context) -> Step[OwnerState]:
    """The step with commitments, where it asks to be admitted."""
    state = step.state
    if not isinstance(state, InitiatedState):
        return step
    if context.address in state.parties.seats:
        why = _unserved(state, "our seat was taken with commitments that are lost")
        return Step(state, (*step.effects, *why.effects), step.progressed)
    content = context.private.get(private.DATA_SET.name_of(state.data_set))
    if content is None:
        return _not_joining(state, "there is no such data set any more")
    statistic = Statistic.from_bytes(content)
    if kind_of(state.request).reads_rows and statistic.fitted is None:
        return _not_joining(state, "its rows could not be read again as they were added: add the file again")
    try:
        committed, kept = _commit(state, statistic, context)
    except MisuseError:
        return _not_joining(state, "its rows are beyond what can be committed to")
    asking = admission.acceptance(committed, context)
    return Step(committed, (kept, asking, *step.effects), step.progressed)


def _commit(
    state: InitiatedState, statistic: Statistic, context: Context
) -> tuple[InitiatedState, StoreBlob]:
    """Secrets are stored with the step: nothing that was told is ever without what opens it."""
    key = public_key_of(state.n)
    identity = identity_of(context, state.training, key)
    chance = context.randomness(Label.COMMITMENTS)
    commitments, secrets = commit_to(state.request, statistic, key, identity, context.address, chance)
    kept, blob = store(secrets)
    assert state.card is not None
    committed = replace(
        state,
        commitment=checked_commitment(state.card, commitments.digest(identity, key)),
        committed=CommittedOwner.of(commitments),
        secrets=kept,
    )
    return committed, blob


def _unserved(state: InitiatedState, reason: str) -> Step[OwnerState]:
    """No data set is taken, and it is said why not."""
    fact = facts.DATA_SET_DOES_NOT_MATCH.of(data_set=state.data_set, reasons=[reason])
    return Step(state, (fact,))


def _not_joining(state: InitiatedState, reason: str) -> Step[OwnerState]:
    """Nothing is told: it would tell of rows."""
    fact = facts.DATA_SET_DOES_NOT_MATCH.of(data_set=state.data_set, reasons=[reason])
    failed = enter(FailedState, state, failure="data_set_gone")
    return Step(failed, (fact, timers.JOIN.cancel()))
