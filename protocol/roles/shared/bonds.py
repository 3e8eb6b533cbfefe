"""A party's own bond in a training: its daemon sees to the release, whatever becomes of the role."""

from protocol.roles.engine import private
from protocol.roles.engine.effects import PutValue
from protocol.terms import Terms
from protocol.types import TrainingId


def note_bond(training: TrainingId, terms: Terms, amount: int) -> PutValue | None:
    """Have the daemon remember, until it has it back, that it deposits a bond; None where none is asked."""
    return private.BOND.put(training, terms.token.encode()) if amount else None
