"""The figures of a model card, as SVG in the card's own page: no script, no file beside it.

Widths are chosen so that the texts can be read on a phone of 390 pixels, where a figure is as wide as the
screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 360
_LEFT, _RIGHT, _TOP, _HEIGHT, _BOTTOM = 58.0, 12.0, 12.0, 180.0, 34.0
_MOST_LABELS = 6
_BAR, _GAP, _NAME = 16.0, 8.0, 132.0
_PERCENT = 52.0
_LEAST_SPAN = 1e-6


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through `points` (SVG's own syntax), with the values at its axes; `text` says it in words."""

    text: str
    points: str
    dots: tuple[tuple[float, float], ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    width: int = WIDTH
    height: float = _TOP + _HEIGHT + _BOTTOM
    left: float = _LEFT
    bottom: float = _TOP + _HEIGHT
    kind: str = "curve"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: from `x` on, so wide, with its name on the left and its figure on the right."""

    name: Mark
    figure: Mark
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars under one another, from a common zero; those below zero reach to its left."""

    text: str
    bars: tuple[Bar, ...]
    height: float
    zero: float
    width: int = WIDTH
    thickness: float = _BAR
    kind: str = "bars"


def curve(errors: Sequence[tuple[int, float]], labels: tuple[str, str], text: str) -> Curve:
    """Errors by round, from zero up to the largest; `labels` are those of zero and of the largest."""
    most = max(error for _round, error in errors) or 1.0
    last = errors[-1][0] or 1
    inner = WIDTH - _LEFT - _RIGHT
    dots = tuple(
        (round(_LEFT + inner * number / last, 1), round(_TOP + _HEIGHT * (1 - error / most), 1))
        for number, error in errors
    )
    every = -(-len(errors) // _MOST_LABELS)
    shown = [(number, dot) for (number, _error), dot in zip(errors, dots, strict=True)]
    across = tuple(Mark(dot[0], _TOP + _HEIGHT + 16, str(number)) for number, dot in shown[::every])
    low, high = labels
    up = (Mark(_LEFT - 6, _TOP + _HEIGHT, low), Mark(_LEFT - 6, _TOP + 8, high))
    points = " ".join(f"{x},{y}" for x, y in dots)
    return Curve(text, points, dots if len(dots) <= 40 else (), across, up)


def bars(parts: Sequence[tuple[str, float, str]], text: str) -> Bars:
    """Bars of (name, share, its figure)."""
    low = min(0.0, *(share for _name, share, _figure in parts))
    high = max(0.0, *(share for _name, share, _figure in parts))
    unit = (WIDTH - _NAME - _PERCENT) / max(high - low, _LEAST_SPAN)
    zero = _NAME - low * unit
    drawn = []
    for index, (name, share, figure) in enumerate(parts):
        y = index * (_BAR + _GAP)
        drawn.append(
            Bar(
                Mark(0, y + 12, name),
                Mark(WIDTH, y + 12, figure),
                round(zero + min(share, 0.0) * unit, 1),
                y,
                round(abs(share) * unit, 1),
            )
        )
    return Bars(text, tuple(drawn), len(parts) * (_BAR + _GAP), round(zero, 1))
