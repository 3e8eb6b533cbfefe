"""Who is asked in a round: whoever was silent is left out of that round and may return for the next.

Silence costs everybody a deadline, so each further one in a row is answered by twice as many rounds out: for
a party that has died a training of n rounds waits about log₂ n times. Any word from it ends that.
"""

from typing import TypeVar

from protocol.messages import ParticipantDropped
from protocol.roles.aggregator.lanes import Absence
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, message
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.state import replace
from protocol.types import RoundNumber, mask_of, seats_of

_LONGEST = 16

T = TypeVar("T", bound=TrainingState)


def asked_trainers(state: TrainingState, round_number: RoundNumber) -> int:
    """The trainers to send the round's model to, as a mask."""
    drawn = state.parties.trainers & ~state.dropped
    return _enough(drawn & ~_away(state, round_number), drawn, 2)


def mark_absent(state: T, seats: int, round_number: RoundNumber) -> T:
    """These seats were silent in this round."""
    by_seat = {absence.seat: absence for absence in state.absences}
    for seat in seats_of(seats):
        misses = by_seat[seat].misses + 1 if seat in by_seat else 1
        back_in = round_number + 2 ** min(misses - 1, _LONGEST)
        by_seat[seat] = Absence(seat=seat, misses=misses, back_in=back_in)
    return replace(state, absences=tuple(by_seat.values()))


def mark_present(state: T, seat: int) -> T:
    """This seat is there."""
    absences = tuple(absence for absence in state.absences if absence.seat != seat)
    return state if absences == state.absences else replace(state, absences=absences)


def _away(state: TrainingState, round_number: RoundNumber) -> int:
    return mask_of([absence.seat for absence in state.absences if absence.back_in > round_number])


def _enough(asked: int, drawn: int, least: int) -> int:
    return asked if asked.bit_count() >= least else drawn


def drop_notices(
    state: TrainingState, seats: int, at: tuple[int, int], code: str, context: Context
) -> tuple[Effect, ...]:
    """Tell everybody who is dropped from which round on, after which attempt, and keep it as a fact."""
    round_number, attempt = at
    effects: list[Effect] = []
    for seat in seats_of(seats):
        owner = state.parties.seats[seat]
        body = ParticipantDropped(participant=owner, from_round=round_number, code=code)
        effects += [message(context, recipient, body, at, label=owner) for recipient in state.everybody()]
        effects.append(facts.DROPPED.of(participant=owner, round=round_number, attempt=attempt, code=code))
    return tuple(effects)
