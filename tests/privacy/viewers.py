"""Who sees what of a whole checked training, and how near that brings it to what it must not learn.

Every message is sealed, every number on the wire is under the buyer's key, and whatever the buyer can decrypt
is masked over its whole width (`tests/protocol/roles/rounds/privacy.py` reads all of it and finds nothing).
So what is left to each are the published numbers, and what is its own.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.privacy.owners import Owners
from tests.privacy.published import Schedule, course, noise, noise_deviation, noise_width
from tests.privacy.solving import Problem, likeliest

Matrix = NDArray[np.float64]
Viewer = Literal["public", "buyer", "trainer", "validator"]
VIEWERS: tuple[Viewer, ...] = ("public", "buyer", "trainer", "validator")
"""Those who see different things. "public" is whoever has the published numbers alone, as no plaintext of a
message tells it more: strangers, the broker's operator, the aggregator, the buyer before it has the model."""

_DEVIATION = 0.3
"""Of a correlation between two columns, as who has no rows expects it."""

_NEAR = 0.15
"""Of the same between owners, as who has rows expects it of others' after its own."""


@dataclass(frozen=True)
class Learnt:
    """Errors relative to a guess without the published numbers: 1 where nothing was learnt, 0 where all was.

    Who has no rows guesses by the columns' means, or what the model that it has bought says; an owner takes
    others' rows to be like its own. Above 1 what was seen has led the viewer astray.

    `gram` and `target` are of XᵀX and Xᵀy of the owners that the viewer is not, without the intercept's entry
    of Xᵀy, the target's mean, which is `mean`. `rows` is of their rows, `models` of the models of all rounds;
    None where the viewer has bought the last one.
    """

    gram: float
    target: float
    mean: float
    rows: float
    models: float | None


@dataclass(frozen=True)
class LeftOpen:
    """Deviations of what the published numbers leave open to first order, relative to those of before.

    The mean over the entries of all owners that the viewer is not, as in `Learnt`: the least error that any
    attack can come to on average, of a viewer to whom no sign is open.
    """

    gram: float
    target: float
    mean: float


class Attack:
    """One viewer's attack on one training."""

    def __init__(self, owners: Owners, schedule: Schedule, viewer: Viewer) -> None:
        """A trainer is the first of them, a validator the last of the two."""
        self.owners, self.schedule, self.viewer = owners, schedule, viewer
        self.size = len(owners.trained[0])
        self.upper = np.triu_indices(self.size)
        others = owners.measured[-2] if viewer == "validator" else np.mean(owners.measured[-2:], axis=0)
        self.truth = np.array([*owners.trained[: owners.trainers], others])
        self.known = [0] if viewer == "trainer" else []
        self.seen = self._seen()

    @property
    def believed(self) -> Matrix:
        """All matrices as the viewer guesses them before: like its own, or those of uncorrelated columns.

        What trains and what measures are two matrices of the same rows, of which an owner knows both.
        """
        if self.viewer in ("public", "buyer"):
            return np.tile(np.diag(self.owners.units**2), (len(self.truth), 1, 1))
        own = 0 if self.viewer == "trainer" else -1
        trained, measured = self.owners.trained[own], self.owners.measured[own]
        return np.array([trained] * self.owners.trainers + [measured])

    def learnt(self, starts: int = 3) -> Learnt:
        """What the viewer finds."""
        hidden = [place for place in range(len(self.truth)) if place not in self.known]
        guessed = self.believed
        if self.viewer == "buyer":
            guessed = self._likeliest(hidden, starts, shown=slice(self.numbers, None))
        return self._compared(self._likeliest(hidden, starts), guessed, hidden)

    def left_open(self) -> LeftOpen:
        """What no attack of the viewer's can find, to first order."""
        hidden, p = [place for place in range(len(self.truth)) if place not in self.known], self.size - 1
        truth = self.truth[hidden][:, self.upper[0], self.upper[1]].ravel()
        found = self._problem(hidden, slice(None)).left_open(truth, noise_deviation())
        entries = found.reshape(len(hidden), -1)
        row, column = self.upper
        gram, target = column < p, (column == p) & (row < p - 1)
        mean = (column == p) & (row == p - 1)
        return LeftOpen(*(float(entries[:, one].mean()) for one in (gram, target, mean)))

    def _likeliest(self, hidden: list[int], starts: int, shown: slice = slice(None)) -> Matrix:
        """All matrices as the viewer finds them from what it sees, or from a part of that."""
        return self._grams(hidden, likeliest(self._problem(hidden, shown), starts))

    def _problem(self, hidden: list[int], shown: slice) -> Problem:
        """What it knows: before it looks, matrices like its own, or with columns of their known lengths."""
        blind = self.viewer in ("public", "buyer")
        pairs = np.outer(self.owners.units, self.owners.units)[self.upper]
        return Problem(
            expected=lambda unknown: self._expected(self._grams(hidden, unknown))[..., shown],
            seen=self.seen[shown],
            prior=self.believed[hidden][:, self.upper[0], self.upper[1]].ravel(),
            deviation=np.tile((_DEVIATION if blind else _NEAR) * pairs, len(hidden)),
            precision=noise_deviation(),
            is_saddle=blind,
        )

    @property
    def numbers(self) -> int:
        """How many numbers are published."""
        return 1 + 2 * self.owners.trainers * self.schedule.rounds

    def _grams(self, hidden: list[int], unknown: Matrix) -> Matrix:
        """All matrices: the known ones, and the unknown ones out of their upper entries (…×n)."""
        parts = unknown.reshape(*unknown.shape[:-1], len(hidden), -1)
        matrices = np.zeros((*parts.shape[:-1], self.size, self.size))
        matrices[..., self.upper[0], self.upper[1]] = parts
        matrices[..., self.upper[1], self.upper[0]] = parts
        found = np.broadcast_to(self.truth, (*unknown.shape[:-1], *self.truth.shape)).copy()
        found[..., hidden, :, :] = matrices
        return found

    def _expected(self, grams: Matrix) -> Matrix:
        """The numbers of the trainings of these matrices; a validator's own is half of what measures."""
        measured = grams[..., -1, :, :]
        if self.viewer == "validator":
            measured = (measured + self.owners.measured[-1]) / 2
        with np.errstate(all="ignore"):
            made = course(grams[..., :-1, :, :], measured, self.schedule)
        bought = [made.models[..., -1, :]] if self.viewer == "buyer" else []
        return np.concatenate([made.numbers, *bought], axis=-1)

    def _seen(self) -> Matrix:
        """The published numbers, moved by their noise, and a buyer's model."""
        exact = self._expected(self.truth)
        moved = noise(self.numbers, seed=1) - noise_width() / 2
        return exact + np.append(moved, np.zeros(len(exact) - self.numbers))

    def _compared(self, found: Matrix, guessed: Matrix, hidden: list[int]) -> Learnt:
        p = self.size - 1
        models, expected, true_models = (
            course(one[:-1], one[-1], self.schedule).models for one in (found, guessed, self.truth)
        )
        turned = self._turned()
        grams = [one[hidden][:, :p, :p] for one in (found, guessed, self.truth)]
        targets = [one[hidden][:, : p - 1, p] for one in (found, guessed, self.truth)]
        means = [one[hidden][:, p - 1 : p, p] for one in (found, guessed, self.truth)]
        return Learnt(
            gram=_relative(*grams, turned[:p, :p]),
            target=_relative(*targets, turned[: p - 1, p]),
            mean=_relative(*means, turned[p - 1 : p, p]),
            rows=self._rows(found, hidden),
            models=None
            if self.viewer == "buyer"
            else _relative(models, expected, true_models, turned[:p, p]),
        )

    def _turned(self) -> Matrix:
        """Where an entry's sign is anybody's guess: 1 there, else 0, (p+1)×(p+1).

        From a start of zero the published numbers are the same for rows of which any feature, or the target,
        has its sign turned. So to who has nothing else all of these are as likely.
        """
        unknown = self.viewer == "public"
        return np.where(np.eye(self.size, dtype=bool), 0.0, 1.0 if unknown else 0.0)

    def _rows(self, found: Matrix, hidden: list[int]) -> float:
        """A statistic's nearest guess of any of its rows is the mean that its intercept column shows."""
        p, wrong, blind = self.size - 1, 0.0, 0.0
        for place in hidden[:-1] if len(self.truth) - 1 in hidden else hidden:
            rows = np.delete(self.owners.rows[place], p - 1, axis=1)
            mean = np.delete(found[place][:, p - 1] / self.owners.units / self.owners.units[p - 1], p - 1)
            wrong += float(((rows - mean) ** 2).sum())
            blind += float((rows**2).sum())
        return float(np.sqrt(wrong / blind))


def _relative(found: Matrix, guessed: Matrix, truth: Matrix, turned: Matrix) -> float:
    """The error of what was found against the guess's: the mean over both signs where `turned` is 1."""

    def error(of: Matrix) -> float:
        squares = np.where(turned > 0, of**2 + truth**2, (of - truth) ** 2)
        return float(squares.sum())

    return float(np.sqrt(error(found) / error(guessed)))
