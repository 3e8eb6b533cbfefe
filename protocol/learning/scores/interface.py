"""What every judgement of predictions has in common, whichever kind of model made them."""

from typing import Protocol

from protocol.learning.statistic import Matrix

Figure = int | float | None
"""None where the rows do not tell: an R² of a target that does not vary, say."""

FigureTree = Figure | dict[str, "FigureTree"] | list["FigureTree"]
"""Figures by name, as JSON has them."""


class Scores(Protocol):
    """Takes b rows at a time and forgets them."""

    measured: int
    """How many rows were taken."""

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b values of the target and what was predicted for them.

        Raises MisuseError, naming row and value, for a target that this kind of model does not have.
        """
        ...

    def figures(self) -> dict[str, FigureTree]:
        """All scores by name; each is None before the first row."""
        ...
