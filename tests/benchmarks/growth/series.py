"""What a series of measurements is: figures by size, and what was found in them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pydantic import BaseModel

from tests.benchmarks.machine import MachineReport

Told = Callable[[str], None]
"""Called with what is measured next, for people who wait."""


class Point(BaseModel):
    """Figures of one size, by what they are and their unit; one that was not taken is left out."""

    size: int
    figures: dict[str, float]


class Series(BaseModel):
    """Points by size. `left_out` are sizes of a whole series that were not run.

    `how` says what was measured and how, `bottleneck` what takes most at the largest size that was run, and
    `moved_by` what makes it less.
    """

    name: str
    title: str
    axis: str
    how: str
    points: list[Point]
    left_out: list[int]
    bottleneck: str
    moved_by: str
    machine: MachineReport

    def figure(self, name: str) -> list[tuple[int, float]]:
        """(size, value) of each point that has this figure."""
        return [(one.size, one.figures[name]) for one in self.points if name in one.figures]

    @property
    def names(self) -> list[str]:
        """Of all figures, in the order in which they first appear."""
        return list(dict.fromkeys(name for one in self.points for name in one.figures))


class Measure(Protocol):
    """Measures a series of these sizes."""

    def __call__(self, sizes: Sequence[int], key_bits: int, told: Told) -> Series:
        """Raises RuntimeError where a run did not come to its end."""


def missing(whole: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Sizes of a whole series that are not among those that were run."""
    return [size for size in whole if size not in sizes]
