"""After the settlement of a training with `inference`: trainers share their information, two checkers add.

Nobody's pay depends on it, and the model is delivered without it. A trainer seals one share of its matrix to
each checker, so neither learns anything of it, nor does the buyer, which gets the two sums alone.
"""

from protocol.learning.inference.sharing import added, blurred, share_bytes, split
from protocol.messages.inference import InformationShare, InformationSum
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage, SetTimer
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.committing import OwnerSecrets
from protocol.roles.owner.state import FinishedState, OwnerState, Pooling, RunningState
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.pooling import Pool, pool_of
from protocol.types import seats_of


def pool_after(state: RunningState, context: Context) -> Pool | None:
    """Who adds up whose information, of a training that came to its last round; None where nobody does."""
    if not (state.request.inference and state.last_recorded):
        return None
    recorded, trained, measured = state.recorded, state.trained_by, state.measured_by
    return pool_of(state.parties, context.market, state.training, recorded, trained, measured)


def shares_for(pool: Pool, state: RunningState, context: Context) -> tuple[SendMessage, ...]:
    """A trainer's shares, one for each checker; nothing of other owners."""
    if context.address not in pool.trainers:
        return ()
    information = state.secrets.load(OwnerSecrets, context).information
    chance = context.randomness(Label.INFORMATION)
    rows = state.parties.rows_by_owner()[context.address]
    shares = split(blurred(information, rows, chance), chance)
    return tuple(
        message(context, checker, InformationShare(share=share))
        for checker, share in zip(pool.checkers, shares, strict=True)
    )


def pooling_for(pool: Pool, state: RunningState, context: Context) -> Pooling | None:
    """What a checker remembers of the shares that it waits for."""
    if context.address not in pool.checkers:
        return None
    return Pooling(awaited=state.trained_by)


def pooling_timer(state: RunningState) -> SetTimer:
    """Every trainer sees the settlement within `chain_s`, and its shares are here `step_s` after that."""
    deadlines = state.request.deadlines
    return timers.INFORMATION.set(float(deadlines.chain_s + deadlines.step_s))


def on_information_share(
    state: FinishedState, received: Received[InformationShare], context: Context
) -> Step[OwnerState]:
    """Add a trainer's share, once; with the last one the buyer gets the sum, and no share is kept.

    Raises ProtocolViolation: "not_a_trainer" for anybody else's, "wrong_count" for another number of entries.
    """
    pooling = state.pooling
    if pooling is None:
        raise StaleInput
    seat = 1 << state.parties.seat_of(received.sender)
    require(bool(pooling.awaited & seat), "not_a_trainer")
    if pooling.shared & seat:
        raise StaleInput
    expected = share_bytes(state.request.estimated)
    share = received.body.share
    require(len(share) == expected, "wrong_count", f"a share of {len(share)} bytes; {expected} expected")
    total = share if pooling.total is None else added(pooling.total.raw(context), share)
    shared = pooling.shared | seat
    if shared == pooling.awaited:
        told = message(context, state.opened.buyer, InformationSum(total=total))
        return Step(replace(state, pooling=None), (told, timers.INFORMATION.cancel()))
    kept, blob = store(total)
    return Step(replace(state, pooling=replace(pooling, shared=shared, total=kept)), (blob,))


def on_information_late(state: FinishedState, _about: None, context: Context) -> Step[OwnerState]:
    """Tell the buyer whose shares are missing, and add those that come still: a sum of some is never told.

    Two checkers that each had other shares would add up sums that hide nothing of whom one of them lacks.
    """
    if state.pooling is None:
        return Step.unchanged(state)
    missing = seats_of(state.pooling.awaited & ~state.pooling.shared)
    silent = tuple(state.parties.seats[seat] for seat in missing)
    return Step(state, (message(context, state.opened.buyer, InformationSum(silent=silent)),))
