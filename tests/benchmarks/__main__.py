"""`python -m tests.benchmarks`: one run that measures the product, the thesis' way and the primitives."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.benchmarks import machine, ours, primitives, results, thesis
from tests.benchmarks.data import STEPS, Split, thesis_split
from tests.benchmarks.report import Ratio, Report, show

SCHEDULES = ((20, 5), (100, 1))
"""(rounds, local steps): the default of the demo, and the thesis' own, which averages after every step."""
RESULT_KEY_BITS = 512
PRIMITIVE_RUNS = 9


def measure(
    console: Console,
    split: Split,
    *,
    key_bits: int,
    iterations: int,
    schedules: tuple[tuple[int, int], ...] = SCHEDULES,
    result_rounds: int = STEPS,
    primitive_runs: int = PRIMITIVE_RUNS,
) -> Report:
    """Everything, one after the other, so that nothing measured shares the cores with anything else.

    `split` is dealt to the thesis' way; the demo deals the same rows itself.
    """
    described, runs = machine.describe(), []
    for rounds, local_steps in schedules:
        with console.status(f"DeltaML, {rounds} rounds of {local_steps} at {key_bits} bits"):
            runs.append(ours.measure(key_bits=key_bits, rounds=rounds, local_steps=local_steps))
    with console.status(f"The thesis' way, {iterations} iterations at {key_bits} bits"):
        yardstick = thesis.measure(split, key_bits=key_bits, iterations=iterations)
    with console.status("Primitives"):
        table = primitives.measure(split, key_bits=key_bits, runs=primitive_runs)
    with console.status("The thesis' results"):
        errors = results.measure(split, key_bits=RESULT_KEY_BITS, rounds=result_rounds, local_steps=1)
    return Report(
        machine=described,
        thesis=yardstick,
        ours=runs,
        ratios=[Ratio.of(yardstick, run) for run in runs],
        primitives=table,
        results=errors,
    )


def main(
    key_bits: Annotated[int, typer.Option(min=1024, help="Paillier key of both ways.")] = 3072,
    iterations: Annotated[int, typer.Option(min=2, help="Iterations of the thesis' way to time.")] = 5,
    json: Annotated[Path | None, typer.Option(help="Also write every figure to this file.")] = None,
) -> None:
    """Compare 100 gradient steps by DeltaML with the thesis' way, in speed and in results."""
    console = Console()
    report = measure(console, thesis_split(), key_bits=key_bits, iterations=iterations)
    show(report, console)
    if json is not None:
        json.write_text(report.model_dump_json(indent=2))
        console.print(f"\nAll figures are in {json}.")


if __name__ == "__main__":
    typer.run(main)
