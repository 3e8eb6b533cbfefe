"""All figures of one run, and the tables that people read."""

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from tests.benchmarks.machine import MachineReport
from tests.benchmarks.ours import OursReport
from tests.benchmarks.primitives import PrimitiveReport
from tests.benchmarks.results import ResultReport
from tests.benchmarks.thesis import ThesisReport


class Ratio(BaseModel):
    """How many times faster one schedule of ours is than the thesis' way, same key size and gradient steps.

    `clock`: ours on all cores and with everything from start to payment, the thesis' arithmetic in one
    process. `processor`: seconds of all cores together. `clock_without_randomising`: by the clock, against a
    thesis' way that sends its ciphertexts without fresh randomness.
    """

    rounds: int
    local_steps: int
    clock: float
    processor: float
    clock_without_randomising: float

    @classmethod
    def of(cls, thesis: ThesisReport, ours: OursReport) -> "Ratio":
        """From the two reports."""
        return cls(
            rounds=ours.rounds,
            local_steps=ours.local_steps,
            clock=thesis.seconds_total / ours.seconds_total,
            processor=thesis.processor_seconds_total / ours.processor_seconds,
            clock_without_randomising=thesis.seconds_without_randomising / ours.seconds_total,
        )


class Report(BaseModel):
    """What `--json` writes."""

    machine: MachineReport
    thesis: ThesisReport
    ours: list[OursReport]
    ratios: list[Ratio]
    primitives: list[PrimitiveReport]
    results: ResultReport


def show(report: Report, console: Console) -> None:
    """Print every table."""
    machine = report.machine
    arithmetic = "on gmpy2" if machine.phe_uses_gmpy2 else "WITHOUT gmpy2"
    console.print(
        f"{machine.processor}, {machine.cores} cores; Python {machine.python}, gmpy2 {machine.gmpy2} "
        f"({machine.gmp}), phe {machine.phe} {arithmetic}, numpy {machine.numpy}"
    )
    if machine.load_before > machine.cores / 4:
        console.print(
            f"Other programs are running (load {machine.load_before:.1f} on {machine.cores} cores): times "
            "by the clock are too long; compare processor seconds."
        )
    for table in (
        _whole(report),
        _thesis_phases(report.thesis),
        _our_phases(report.ours),
        _primitives(report),
        _results(report.results),
    ):
        console.print()
        console.print(table)


def _table(title: str, *columns: str, caption: str = "") -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _whole(report: Report) -> Table:
    thesis, ours, ratios = report.thesis, report.ours, report.ratios
    table = _table(
        f"The whole training: {thesis.iterations} gradient steps with metrics, {thesis.key_bits} bits",
        "",
        "thesis' way\n(scaled)",
        *(f"DeltaML\n{one.rounds} × {one.local_steps}" for one in ours),
        caption=(
            f"Scaled from {thesis.iterations_timed} iterations and {thesis.metrics_timed} metrics of "
            f"{thesis.seconds_measured:.1f} s in all, by medians; one process, arithmetic only, a metric "
            "every second step.\n"
            "DeltaML (rounds × local steps) is measured whole: processes, keys, bus, chain, store, payment; "
            "an average and a metric every round. Errors are against the same steps in numpy."
        ),
    )
    table.add_row("seconds", f"{thesis.seconds_total:.0f}", *(f"{one.seconds_total:.1f}" for one in ours))
    table.add_row(
        "  sending without fresh randomness",
        f"{thesis.seconds_without_randomising:.0f}",
        *("—" for _ in ours),
    )
    table.add_row(
        "processor seconds, all cores",
        f"{thesis.processor_seconds_total:.0f}",
        *(f"{one.processor_seconds:.1f}" for one in ours),
    )
    table.add_row("times faster", "1", *(f"{ratio.clock:.1f}" for ratio in ratios))
    table.add_row(
        "  than without fresh randomness", "", *(f"{ratio.clock_without_randomising:.1f}" for ratio in ratios)
    )
    table.add_row("  in processor seconds", "1", *(f"{ratio.processor:.1f}" for ratio in ratios))
    table.add_row(
        "MB on the bus",
        f"{thesis.bytes_on_bus / 1e6:.1f}",
        *(f"{one.bytes_on_bus / 1e6:.1f}" for one in ours),
    )
    table.add_row(
        "largest error of a weight",
        f"{thesis.weights_max_abs_error:.0e}",
        *(f"{one.weights_max_abs_error:.0e}" for one in ours),
    )
    table.add_row(
        "relative error of the MSE",
        f"{thesis.metric_max_relative_error:.0e}",
        *(f"{one.mse_relative_error:.0e}" for one in ours),
    )
    return table


def _thesis_phases(thesis: ThesisReport) -> Table:
    table = _table(
        f"Thesis' way by phase, scaled to {thesis.iterations} iterations", "phase", "seconds", "share"
    )
    for phase, seconds in thesis.seconds_by_phase.items():
        table.add_row(phase, f"{seconds:.1f}", f"{seconds / thesis.seconds_total:.0%}")
    return table


def _our_phases(ours: list[OursReport]) -> Table:
    names = [f"{one.rounds} rounds of {one.local_steps}" for one in ours]
    table = _table("DeltaML by phase, seconds of all cores, measured", "phase", *names)
    for phase in dict.fromkeys(phase for one in ours for phase in one.seconds_by_phase):
        table.add_row(phase, *(f"{one.seconds_by_phase.get(phase, 0.0):.2f}" for one in ours))
    return table


def _primitives(report: Report) -> Table:
    runs = report.primitives[0].runs
    table = _table(
        f"Primitives at {report.thesis.key_bits} bits, one core, median of {runs}", "primitive", "ms"
    )
    for primitive in report.primitives:
        table.add_row(primitive.name, f"{primitive.milliseconds:.2f}")
    return table


def _results(results: ResultReport) -> Table:
    table = _table(
        "Mean squared error on the thesis' data and split (seed 39)",
        "",
        "untrained",
        "federated",
        "local linear regression",
        caption=(
            f"Federated: {results.rounds} rounds of {results.local_steps} through all roles, 3 trainers and "
            f"2 validators, a {results.market_key_bits}-bit key (no figure depends on its size); weights "
            f"within {results.weights_max_abs_error:.1e} of numpy, MSEs within "
            f"{results.mse_max_relative_error:.1e} (signed metrics carry noise below 2e-6).\n"
            f"Each trainer alone: {_numbers(results.owners_same_steps)} with as many steps, "
            f"{_numbers(results.owners_least_squares)} by least squares."
        ),
    )
    table.add_row(
        "thesis (2019)",
        f"≈ {results.thesis_initial:.0f}",
        f"{results.thesis_federated:.2f}",
        f"{results.thesis_local:.2f}",
    )
    table.add_row("DeltaML", f"{results.market_initial:.2f}", f"{results.market_federated:.2f}", "")
    table.add_row(
        "numpy",
        f"{results.numpy_initial:.2f}",
        f"{results.numpy_federated:.2f}",
        f"{results.numpy_local:.2f}",
    )
    return table


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)
