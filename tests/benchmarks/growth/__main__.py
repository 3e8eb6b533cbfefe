"""`python -m tests.benchmarks.growth [SERIES…]`: measure how costs grow, write GROWTH.md; see `--help`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.benchmarks.growth import gas, owners, page, parameters, rows, trainings, validators
from tests.benchmarks.growth.market import SMALL_KEY_BITS
from tests.benchmarks.growth.series import Measure

FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True)
class Known:
    """A series that can be asked for, and the sizes of a run that nobody says more of."""

    measure: Measure
    usual: tuple[int, ...]


SERIES: Mapping[str, Known] = {
    "parameters": Known(parameters.measure, (11, 31, 101, 301)),
    "owners": Known(owners.measure, (5, 20, 64)),
    "validators": Known(validators.measure, (2, 4, 8, 16)),
    "rows": Known(rows.measure, rows.WHOLE[:-1]),
    "trainings": Known(trainings.measure, trainings.WHOLE),
    "gas": Known(gas.measure, gas.WHOLE),
}
"""In the order of the page."""


def sizes_of(text: str | None, usual: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers between commas; the usual ones where nothing is said. Raises BadParameter for anything else."""
    if text is None:
        return usual
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text}: give whole numbers between commas, as in 11,31,101") from None
    if min(found) < 1:
        raise typer.BadParameter(f"{text}: a size is 1 at least")
    return found


def main(
    series: Annotated[list[str] | None, typer.Argument(help="Which; all of them unless named.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Of the one series named, as in 11,31,101.")] = None,
    key_bits: Annotated[int, typer.Option(min=1024, help="Of rounds; counts grow alike.")] = SMALL_KEY_BITS,
    folder: Annotated[Path, typer.Option(help="Where the page and its figures are kept.")] = FOLDER,
) -> None:
    """Measure series of growth, keep their figures, and write the page of all that were ever kept."""
    names = series or list(SERIES)
    unknown = [name for name in names if name not in SERIES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is no series; there are {', '.join(SERIES)}")
    if sizes is not None and len(names) > 1:
        raise typer.BadParameter("sizes are those of one series: name it")
    console = Console()
    told: Callable[[str], None] = console.print
    for name in names:
        known = SERIES[name]
        page.keep(folder, known.measure(sizes_of(sizes, known.usual), key_bits, told))
        page.write(folder, list(SERIES))
    console.print(f"written: {folder / page.PAGE}")


if __name__ == "__main__":
    typer.run(main)
