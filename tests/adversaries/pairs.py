"""Random pairs of an adversary and a fault: a fault changes nothing of what is declared of the adversary.

Whoever notices, who is named, who is left out, what is recorded and what is paid stay as without the fault;
of honest parties no more is said than that they repeated themselves. Everybody has deposited a bond, in
ether or in a token: it comes home, but from whoever has done what the contract can judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from tests.adversaries.arena import prepared
from tests.adversaries.bonds import bond_differences
from tests.adversaries.catalogue import ALL
from tests.adversaries.declaration import Adversary
from tests.adversaries.faults import Fault, is_of_a_repetition, suffer
from tests.adversaries.outcome import Outcome
from tests.adversaries.run import Report, differences
from tests.support.roles.depositors import COINS


@dataclass(frozen=True)
class Pair:
    """An adversary, a fault, and the seed from which the fault follows."""

    adversary: Adversary
    fault: Fault
    seed: str

    def run(self) -> Report:
        """The market to its end, and what differs from the adversary's declaration."""
        outcome = self._played()
        found = differences(self.adversary, outcome, ignored=is_of_a_repetition)
        found += bond_differences(outcome, self.adversary.bond)
        return Report(self.adversary, tuple(found))

    @property
    def coin(self) -> str:
        """What the training pays in."""
        return self._chance("coin").choice(COINS)

    def _chance(self, *what: object) -> Random:
        return Random("/".join(map(str, (self.seed, self.adversary.who, self.adversary.name, *what))))

    def _played(self) -> Outcome:
        adversary = self.adversary
        arena = prepared(
            adversary.rounds,
            twins=adversary.twins,
            late=adversary.late,
            pair=adversary.pair,
            coin=self.coin,
        )
        wrapped = adversary.wrapping(arena) if adversary.wrapping else ()
        arena.enter(adversary.who, adversary.deed, wrapped, redraws=adversary.redraws)
        suffer(arena, self.fault, self._chance(self.fault))
        arena.finish()
        return Outcome(arena)


def drawn_pairs(seed: int, count: int) -> Sequence[Pair]:
    """So many different pairs of the catalogue's, by one seed; raises ValueError where there are fewer."""
    chosen = Random(seed).sample(list(product(ALL, Fault)), count)
    return [Pair(adversary, fault, str(seed)) for adversary, fault in chosen]
