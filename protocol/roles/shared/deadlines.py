"""The waits that no request names, and how a party waits again.

Every wait of a role ends by a timer. What a peer owes is bounded by the request's `step_s`, what the chain
owes by `chain_s`, what the contract allows by its own clock; the rest is here.
"""

from protocol.marketplace import Cancel, Settle
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall
from protocol.roles.engine.inputs import Refused
from protocol.roles.engine.state import PhaseState
from protocol.terms import Terms

DAY_SECONDS = 86_400.0
OPENED_SECONDS = DAY_SECONDS
"""For how long a message may be ahead of the opening on chain that it speaks of; then there is none."""
REQUEST_SECONDS = 3600.0
"""In which a buyer's request follows its opening, however long owners may join: it is sent at once."""
INVITATION_SECONDS = DAY_SECONDS
"""As long an owner waits to be invited after an opening."""
RETENTION_SECONDS = 30 * DAY_SECONDS
"""For how long after settlement the model can be had from those who hold its ciphertexts."""
CHAIN_SECONDS = 300.0
"""What stands for `chain_s` while the request is unknown."""

_TURNS = 8


def backed_off(seconds: float, attempts: int) -> float:
    """The wait before another attempt: twice as long each time, a day at most."""
    return min(seconds * 2.0 ** min(attempts, 20), DAY_SECONDS)


def ending_seconds(terms: Terms) -> float:
    """After how long without progress on chain the contract lets anybody end a running training.

    A quarter of a round's time after the round was late: what was signed in time is recorded until then.
    """
    return float(terms.round_seconds + terms.round_seconds // 4 + 1)


def seconds_to_the_end(terms: Terms, progressed_at: float, now: float) -> float:
    """As `ending_seconds`, where the contract's clock runs from `progressed_at`, which may be to come."""
    ahead = min(max(progressed_at - now, 0.0), float(terms.reveal_seconds))  # a clock may have been set back
    return ahead + ending_seconds(terms)


def owner_stall_timer(seconds: float, chain_seconds: float, seat: int) -> SetTimer:
    """Fires when an owner should end a training that buyer and aggregator have left alone for so long.

    These two come first. Owners follow in turn: of many calls at once all but one would pay gas for nothing.
    """
    return timers.STALLED.set(seconds + owner_turn(chain_seconds, seat))


def owner_turn(chain_seconds: float, seat: int) -> float:
    """How long after aggregator and buyer an owner does what either of them has left undone."""
    return chain_seconds * (1 + seat % _TURNS)


def accuser_turn(terms: Terms, chain_seconds: float, validator: int | None) -> float:
    """How long after the aggregator a buyer, or the validator at this place, shows the contract a fault.

    All may hold the same proof, and of many accusations at once all but one would pay gas for nothing. A bond
    can be released a quarter of a round's time after the end: the last turn comes within half of that.
    """
    unit = min(chain_seconds, terms.round_seconds / 8 / _TURNS)
    return unit / 2 if validator is None else owner_turn(unit, validator)


def on_settle_refused(state: PhaseState, refusal: Refused[Settle], _context: Context) -> Step[PhaseState]:
    """Cancel a training that cannot be settled: perhaps no round that we know is recorded any more.

    The contract lets anybody cancel only where nothing is recorded and the time is over. Where the settlement
    was refused for another reason, this is refused as well, and costs nothing.
    """
    return Step.unchanged(state, SubmitCall(call=Cancel(training=refusal.call.training)))
