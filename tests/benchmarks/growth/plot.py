"""A plot of a series as SVG: each figure relative to its first point, both axes by logarithms."""

import math
from collections.abc import Sequence
from html import escape

from tests.benchmarks.growth.fit import fit_of
from tests.benchmarks.growth.series import Series

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 920, 420, 90, 360, 40, 50
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00", "#555555")
"""Colours that people who see few of them tell apart (Okabe and Ito), the yellow darker."""
Line = list[tuple[int, float]]


class _Scale:
    """Places of sizes and ratios on the picture; there is room for a factor of ten at least."""

    def __init__(self, lines: Sequence[Line]) -> None:
        points = [point for line in lines for point in line]
        self.sizes = _decades([size for size, _ in points])
        self.ratios = _decades([ratio for _, ratio in points])

    def x(self, size: float) -> float:
        return LEFT + _part(size, self.sizes) * (WIDTH - LEFT - RIGHT)

    def y(self, ratio: float) -> float:
        return HEIGHT - BOTTOM - _part(ratio, self.ratios) * (HEIGHT - TOP - BOTTOM)


def plot(series: Series) -> str:
    """The picture, with each figure's exponent in its legend; raises ValueError without a single point."""
    lines = {name: _relative(series.figure(name)) for name in series.names}
    lines = {name: line for name, line in lines.items() if line}
    if not lines:
        raise ValueError(f"the series {series.name} has no points above zero")
    scale = _Scale(list(lines.values()))
    parts = [*_frame(series, scale)]
    for index, (name, line) in enumerate(lines.items()):
        parts += _line(name, line, scale, index)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
    return "\n".join([f'{head} font-size="12">', *parts, "</svg>", ""])


def _relative(line: Line) -> Line:
    """Nothing where a value has no logarithm."""
    if any(value <= 0 for _, value in line):
        return []
    return [(size, value / line[0][1]) for size, value in line]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _part(value: float, decades: tuple[int, int]) -> float:
    low, high = decades
    return (math.log10(value) - low) / (high - low)


def _frame(series: Series, scale: _Scale) -> list[str]:
    """Background, title, axes with a line at each power of ten."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    inside = f'<rect x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}"/>'
    parts.append(f'<clipPath id="axes">{inside}</clipPath>')
    parts.append(f'<text x="{LEFT}" y="22" font-size="15">{escape(series.title)}</text>')
    for power in range(scale.sizes[0], scale.sizes[1] + 1):
        x = scale.x(10.0**power)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_power_of_ten(power)}</text>'
        )
    for power in range(scale.ratios[0], scale.ratios[1] + 1):
        y = scale.y(10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_power_of_ten(power)}</text>')
    middle = (LEFT + right) / 2
    axis = f"{escape(series.axis)}; each figure relative to its first"
    parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{axis}</text>')
    return parts


def _power_of_ten(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _line(name: str, line: Line, scale: _Scale, index: int) -> list[str]:
    """Points, the fitted line between the first and the last, and the legend."""
    colour, fit = COLOURS[index % len(COLOURS)], fit_of(line)
    parts = [
        f'<circle cx="{scale.x(size):.1f}" cy="{scale.y(ratio):.1f}" r="4" fill="{colour}"/>'
        for size, ratio in line
    ]
    text = escape(name)
    if fit is not None:
        ends = " ".join(f"{scale.x(size):.1f},{scale.y(fit.at(size)):.1f}" for size, _ in (line[0], line[-1]))
        parts.append(f'<polyline points="{ends}" stroke="{colour}" fill="none" clip-path="url(#axes)"/>')
        text = f"{text}: power {round(fit.exponent, 2) + 0.0:.2f}"
    x, y = WIDTH - RIGHT + 16, TOP + 16 + 20 * index
    parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
    parts.append(f'<text x="{x + 16}" y="{y}">{text}</text>')
    return parts
