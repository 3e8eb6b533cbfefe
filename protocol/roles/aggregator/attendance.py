"""Who is asked in a round: whoever was silent is left out of that round and may return for the next.

Silence costs everybody a deadline, so each further one in a row is answered by twice as many rounds out: for
a party that has died a training of n rounds waits about log₂ n times. Any word from it ends that.
"""

from protocol.messages import (
    ParticipantDropped,
)
from protocol.roles.aggregator.state import (
    Absence,
    AggregatorState,
)
from protocol.roles.engine.context import Context, message
from protocol.roles.engine.effects import Effect, RecordFact
from protocol.roles.engine.state import replace
from protocol.types import RoundNumber, mask_of, seats_of

_LONGEST = 16


def asked_trainers(state: AggregatorState, round_number: RoundNumber) -> int:
    """The trainers to send the round's model to, as a mask."""
    drawn = state.parties.trainers & ~state.dropped
    return _enough(drawn & ~_away(state, round_number), drawn)


def asked_validators(state: AggregatorState, round_number: RoundNumber) -> int:
    """The validators to measure the round, as a mask.

    One that returns goes on from the last recorded round, which it knows from the chain only: before all
    signed rounds are confirmed it could not answer.
    """
    drawn = state.parties.validators & ~state.dropped
    signed = 0 if state.link is None else state.link.round
    behind = mask_of([one.seat for one in state.absences]) if state.recorded < signed else 0
    return _enough(drawn & ~_away(state, round_number) & ~behind, drawn)


def mark_absent(state: AggregatorState, seats: int, round_number: RoundNumber) -> AggregatorState:
    """These seats were silent in this round."""
    before = {one.seat: one for one in state.absences}
    for seat in seats_of(seats):
        misses = before[seat].misses + 1 if seat in before else 1
        back_in = round_number + 2 ** min(misses - 1, _LONGEST)
        before[seat] = Absence(seat=seat, misses=misses, back_in=back_in)
    return replace(state, absences=tuple(before.values()))


def mark_present(state: AggregatorState, seat: int) -> AggregatorState:
    """This seat is there."""
    if all(one.seat != seat for one in state.absences):
        return state
    return replace(state, absences=tuple(one for one in state.absences if one.seat != seat))


def _away(state: AggregatorState, round_number: RoundNumber) -> int:
    return mask_of([one.seat for one in state.absences if one.back_in > round_number])


def _enough(asked: int, drawn: int) -> int:
    return asked if asked.bit_count() >= 2 else drawn


def drop_notices(
    state: AggregatorState, seats: int, round_number: int, code: str, context: Context
) -> tuple[Effect, ...]:
    """Tell everybody who is dropped from which round on, and keep it as a fact."""
    assert state.opened is not None
    everybody = (state.opened.buyer, *state.parties.seats)
    told: list[Effect] = []
    for seat in seats_of(seats):
        gone = state.parties.seats[seat]
        body = ParticipantDropped(participant=gone, from_round=round_number, code=code)
        told.extend(message(context, one, body, (round_number, 0), label=gone) for one in everybody)
        told.append(
            RecordFact(name="dropped", data={"participant": gone, "round": round_number, "code": code})
        )
    return tuple(told)
