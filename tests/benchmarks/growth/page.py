"""GROWTH.md: a part for each series that was run, from its kept figures, with its plot."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from tests.benchmarks.growth.fit import Fit, fit_of
from tests.benchmarks.growth.plot import plot
from tests.benchmarks.growth.series import Series
from tests.benchmarks.machine import MachineReport

PAGE = "GROWTH.md"
_WIDTH = 110
HEAD = """# How costs grow

Written by `make bench-growth`, one series by `make bench-growth ARGS=rows`; sizes are options. A figure's
*power* is the exponent of the line through its logarithms by least squares: cost ≈ size^power, with no point
further away than by the factor beside it; *at the end* it is that of the two largest sizes alone, where fixed
costs matter least. Processor seconds are those of the machine that each part names,
longer where others use it too (its load before the run is told); products, bytes and gas are counted, and are
the same anywhere."""


def keep(folder: Path, series: Series) -> None:
    """Write a series' figures and plot, in the place of those of an earlier run."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "figures" / f"{series.name}.json").write_text(series.model_dump_json(indent=1) + "\n")
    (folder / "figures" / f"{series.name}.svg").write_text(plot(series))


def write(folder: Path, names: Sequence[str]) -> None:
    """Write the page from what is kept of these series, in this order; of others it says so."""
    (folder / PAGE).write_text("\n".join([HEAD, *_parts(folder, names)]) + "\n")


def _parts(folder: Path, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        kept = folder / "figures" / f"{name}.json"
        yield ""
        if kept.exists():
            yield from part(Series.model_validate_json(kept.read_bytes()))
        else:
            yield from (f"## {name}", "", "Not run.")


def part(series: Series) -> Iterator[str]:
    """The lines of a series: what was measured, figures and powers, what takes most and what moves it."""
    yield from (f"## {series.title}", "", *wrap(series.how, _WIDTH), "")
    sizes = [f"{one.size:,}" for one in series.points]
    yield f"| {series.axis} | " + " | ".join(sizes) + " | power | within | at the end |"
    yield "| --- |" + " ---: |" * (len(sizes) + 3)
    for name in series.names:
        yield _row(series, name)
    yield from ("", f"![{series.title}](figures/{series.name}.svg)", "")
    yield from _item("Takes most", series.bottleneck)
    yield from _item("Grows steepest", steepest(series))
    yield from _item("Moved by", series.moved_by)
    if series.left_out:
        left_out = ", ".join(f"{size:,}" for size in series.left_out)
        yield from _item("Not run", f"{left_out} {series.axis}")
    yield from _item("Machine", _machine(series.machine))


def steepest(series: Series) -> str:
    """The figure with the largest power at the end, and that power; without two sizes nothing is known."""
    fits = {name: fit_of(series.figure(name)[-2:]) for name in series.names}
    powers = {name: fit.exponent for name, fit in fits.items() if fit is not None}
    if not powers:
        return "not known from one size"
    name = max(powers, key=lambda one: powers[one])
    return f"{name}, by the power {powers[name]:.2f} at the end"


def _item(what: str, text: str) -> list[str]:
    return wrap(f"- *{what}:* {text}.", _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _row(series: Series, name: str) -> str:
    values = dict(series.figure(name))
    cells = [_number(values[one.size]) if one.size in values else "" for one in series.points]
    fit, last = fit_of(series.figure(name)), fit_of(series.figure(name)[-2:])
    within = "" if fit is None else f"× {fit.off:.2f}"
    return f"| {name} | " + " | ".join([*cells, _power(fit), within, _power(last)]) + " |"


def _power(fit: Fit | None) -> str:
    """With two digits, and no sign where these are zeros."""
    return "" if fit is None else f"{round(fit.exponent, 2) + 0.0:.2f}"


def _number(value: float) -> str:
    """Three digits of what is small, all before the point of what is large."""
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def _machine(machine: MachineReport) -> str:
    return (
        f"{machine.processor}, {machine.cores} cores, load {machine.load_before:.1f} before the run; Python "
        f"{machine.python}, gmpy2 {machine.gmpy2} ({machine.gmp}), numpy {machine.numpy}"
    )
