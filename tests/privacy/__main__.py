"""`make privacy`: what each party of a whole checked training learns, by the best attacks that we know."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.privacy.owners import KINDS, alike
from tests.privacy.published import Schedule
from tests.privacy.straws import bits_with_noise, bits_without_noise, straw_trainer, straw_validator
from tests.privacy.viewers import VIEWERS, Attack


def main(
    features: Annotated[int, typer.Option(min=2, max=10)] = 10,
    owners: Annotated[int, typer.Option(min=4)] = 5,
    rounds: Annotated[int, typer.Option(min=1)] = 20,
    starts: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Print errors relative to a guess without the published numbers, and what a straw reads a round."""
    schedule, terminal = Schedule(rounds), Console(width=110)
    table = Table("owners", "viewer", "XᵀX", "Xᵀy, yᵀy", "rows", "models")
    for kind, make in KINDS.items():
        for viewer in VIEWERS:
            found = Attack(make(features, owners), schedule, viewer).learnt(starts)
            models = "bought" if found.models is None else f"{found.models:.2f}"
            table.add_row(
                kind, viewer, f"{found.gram:.2f}", f"{found.target:.2f}", f"{found.rows:.2f}", models
            )
    terminal.print(table)
    straws = Table("straw", "numbers a round", "bits of each")
    dealt = alike(features, owners)
    for name, read in (("trainer", straw_trainer), ("validator", straw_validator)):
        found_by = read(dealt, schedule, 2 % features)
        straws.add_row(name, str(found_by.numbers), f"{found_by.bits:.1f}")
    terminal.print(straws)
    terminal.print(
        f"an opened error: {bits_with_noise()} bits below the square of the target's range; "
        f"{bits_without_noise()} for two neighbours in the ring"
    )


if __name__ == "__main__":
    typer.run(main)
