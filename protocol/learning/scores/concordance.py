"""How well predicted hazards order the times of events: Harrell's concordance index.

Harrell, Califf, Pryor, Lee, Rosati, "Evaluating the yield of medical tests", JAMA 247, 1982. A pair of rows
counts whose first has an event, before the other's time or at it while the other has none: it is in order
where the first's hazard is the larger one, and half so where both are the same.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.scores.interface import FigureTree, Scores
from protocol.learning.statistic import Matrix

MOST_ROWS = 100_000
"""That are kept: pairs of rows are of no use to sums over batches."""


@dataclass
class ConcordanceScores(Scores):
    """Keeps time, event and prediction of up to `MOST_ROWS` rows."""

    measured: int = 0
    kept: list[Matrix] = field(default_factory=list, repr=False)

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b times and events (b×2) and the log hazards that were predicted for them (b).

        Raises MisuseError for a time below zero, an event that is neither 0 nor 1, and too many rows.
        """
        strange = np.flatnonzero((truth[:, 0] < 0) | ((truth[:, 1] != 0) & (truth[:, 1] != 1)))
        if len(strange):
            time, event = truth[strange[0]]
            row = self.measured + int(strange[0]) + 1
            raise MisuseError(
                f"row {row}: the time is {time:.6g}, the event {event:.6g}; a time of zero or more and an "
                "event of 0 or 1 needed"
            )
        if self.measured + len(truth) > MOST_ROWS:
            raise MisuseError(f"a concordance is worked out of {MOST_ROWS} rows at most: give a part of them")
        self.kept.append(np.column_stack([truth, predicted]))
        self.measured += len(truth)

    @property
    def concordance(self) -> float | None:
        """Between 0 and 1, ½ by chance; None where no two rows can be compared."""
        if not self.kept:
            return None
        times, events, hazards = np.vstack(self.kept).T
        lower, equal, pairs = _compared(times, events, hazards)
        return (lower + equal / 2) / pairs if pairs else None

    @property
    def events(self) -> int:
        """How many of the rows have an event."""
        return int(sum(part[:, 1].sum() for part in self.kept))

    def figures(self) -> dict[str, FigureTree]:
        """The concordance, and how many events it rests on."""
        return {"concordance": self.concordance, "events": self.events if self.measured else None}


def _compared(times: Matrix, events: Matrix, hazards: Matrix) -> tuple[int, int, int]:
    """(pairs in order, pairs of equal hazards, all pairs), from the last time to the first."""
    order = np.lexsort((events, -times))  # of one time the rows without an event come first
    ranks = np.unique(hazards, return_inverse=True)[1][order].tolist()
    falling, ordered = -times[order], events[order]
    starts = np.flatnonzero(np.diff(falling, prepend=-np.inf)).tolist()
    later = _Counts(max(ranks) + 1)
    lower = equal = pairs = 0
    for first, end in pairwise([*starts, len(ranks)]):
        alive = first + int(np.searchsorted(ordered[first:end], 1.0))
        later.add(ranks[first:alive])
        for rank in ranks[alive:end]:
            below = later.below(rank)
            lower, equal = lower + below, equal + later.below(rank + 1) - below
        pairs += alive * (end - alive)
        later.add(ranks[alive:end])
    return lower, equal, pairs


class _Counts:
    """How many ranks below a number were added, in logarithmic time.

    Fenwick, "A new data structure for cumulative frequency tables", Software 24, 1994.
    """

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)

    def add(self, ranks: list[int]) -> None:
        for rank in ranks:
            place = rank + 1
            while place < len(self._sums):
                self._sums[place] += 1
                place += place & -place

    def below(self, rank: int) -> int:
        total = 0
        while rank:
            total += self._sums[rank]
            rank -= rank & -rank
        return total
