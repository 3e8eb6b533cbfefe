"""GROWTH.md: a part for each series that was run, from its kept figures, with its plot."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.growth.fit import fit_of
from tests.benchmarks.growth.plot import plot
from tests.benchmarks.growth.series import Series
from tests.benchmarks.machine import MachineReport

PAGE = "GROWTH.md"
HEAD = """# How costs grow

Written by `make bench-growth`, one series by `make bench-growth ARGS=rows`; sizes are options. A figure's
*power* is the exponent of the line through its logarithms by least squares: cost ≈ size^power, with no point
further away than by the factor beside it. Processor seconds are those of the machine that each part names,
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
    yield from (f"## {series.title}", "", series.how, "")
    sizes = [one.size for one in series.points]
    yield f"| {series.axis} | " + " | ".join(f"{size:,}" for size in sizes) + " | power | within |"
    yield "| --- |" + " ---: |" * (len(sizes) + 2)
    for name in series.names:
        yield _row(series, name)
    yield from ("", f"![{series.title}](figures/{series.name}.svg)", "")
    yield f"- *Takes most:* {series.bottleneck}."
    yield f"- *Moved by:* {series.moved_by}."
    if series.left_out:
        yield f"- *Not run:* {', '.join(f'{size:,}' for size in series.left_out)} {series.axis}."
    yield f"- *Machine:* {_machine(series.machine)}."


def _row(series: Series, name: str) -> str:
    values = dict(series.figure(name))
    cells = [_number(values[one.size]) if one.size in values else "" for one in series.points]
    fit = fit_of(series.figure(name))
    power, within = ("", "") if fit is None else (f"{fit.exponent:.2f}", f"× {fit.off:.2f}")
    return f"| {name} | " + " | ".join([*cells, power, within]) + " |"


def _number(value: float) -> str:
    """Three digits of what is small, all before the point of what is large."""
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def _machine(machine: MachineReport) -> str:
    return (
        f"{machine.processor}, {machine.cores} cores, load {machine.load_before:.1f} before the run; Python "
        f"{machine.python}, gmpy2 {machine.gmpy2} ({machine.gmp}), numpy {machine.numpy}"
    )
