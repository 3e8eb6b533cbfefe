"""Random pairs of an adversary and a fault: a fault changes nothing of what is declared of the adversary.

Whoever notices, who is named, who is left out, what is recorded and what is paid stay as without the fault;
of honest parties no more is said than that they repeated themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from tests.adversaries.arena import prepared
from tests.adversaries.catalogue import ALL
from tests.adversaries.declaration import Adversary
from tests.adversaries.faults import Fault, is_of_a_repetition, suffer
from tests.adversaries.outcome import Outcome
from tests.adversaries.run import Report, differences


@dataclass(frozen=True)
class Pair:
    """An adversary, a fault, and the seed from which the fault follows."""

    adversary: Adversary
    fault: Fault
    seed: str

    def run(self) -> Report:
        """The market to its end, and what differs from the adversary's declaration."""
        found = differences(self.adversary, self._played(), ignored=is_of_a_repetition)
        return Report(self.adversary, tuple(found))

    def _played(self) -> Outcome:
        adversary = self.adversary
        arena = prepared(adversary.rounds, twins=adversary.twins, late=adversary.late, pair=adversary.pair)
        wrapped = adversary.wrapping(arena) if adversary.wrapping else ()
        arena.enter(adversary.who, adversary.deed, wrapped, redraws=adversary.redraws)
        suffer(arena, self.fault, Random(f"{self.seed}/{adversary.who}/{adversary.name}/{self.fault}"))
        arena.finish()
        return Outcome(arena)


def drawn_pairs(seed: int, count: int) -> Sequence[Pair]:
    """So many different pairs of the catalogue's, by one seed; raises ValueError where there are fewer."""
    chosen = Random(seed).sample(list(product(ALL, Fault)), count)
    return [Pair(adversary, fault, str(seed)) for adversary, fault in chosen]
