"""From the close of the joining to the draw: until when nonces may come, and who has the contract draw.

Anybody may have the roles drawn once every owner has revealed its nonce, or the time for it is over; where
fewer have than the training needs, anybody may have it cancelled instead. Every party sees to it, so that
none can hold the draw up: the aggregator first, then the buyer, then owners in turn. Of many calls at once
all but one would pay gas for nothing.
"""

from protocol.marketplace import Cancel, Draw
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import SetTimer
from protocol.roles.shared.parties import Parties
from protocol.terms import Terms
from protocol.types import TrainingId


def reveal_until(terms: Terms, context: Context) -> float:
    """Until when owners may reveal, by our own clock, where the chain has just shown the close."""
    return context.now + terms.reveal_seconds


def draw_timer(parties: Parties, terms: Terms, until: float, context: Context, turn: float) -> SetTimer:
    """Fires when nobody can reveal any more, and `turn` seconds later, when those before us had theirs."""
    left = min(max(until - context.now, 0.0), float(terms.reveal_seconds))  # a clock may have been set back
    return timers.DRAW.set(turn if parties.all_revealed else left + 1.0 + turn)


def draw_call(training: TrainingId, parties: Parties, terms: Terms) -> Draw | Cancel:
    """What follows once nobody can reveal any more."""
    if has_too_few_revealed(parties, terms):
        return Cancel(training=training)
    return Draw(training=training)


def has_too_few_revealed(parties: Parties, terms: Terms) -> bool:
    """Whether a training whose joining is closed has no draw with what was revealed so far."""
    return not parties.drawn and parties.revealed.bit_count() < terms.min_owners
