"""`make privacy`: what each party of a whole checked training learns, by the best attacks that we know."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from tests.privacy.owners import KINDS, alike
from tests.privacy.published import Schedule
from tests.privacy.straws import bits_with_noise, bits_without_noise, straw_trainer, straw_validator
from tests.privacy.viewers import VIEWERS, Attack

THREATS = Path(__file__).parents[2] / "protocol" / "THREATS.md"
BEGIN, END = "<!-- begin: privacy -->\n", "<!-- end: privacy -->\n"


SIZES = ((10, 20), (5, 7))
"""Features and rounds: what is suggested, and about the least that a default budget allows a buyer."""


def main(
    features: Annotated[int | None, typer.Option(min=2, max=10)] = None,
    owners: Annotated[int, typer.Option(min=4)] = 5,
    rounds: Annotated[int | None, typer.Option(min=1)] = None,
    starts: Annotated[int, typer.Option(min=1)] = 1,
    *,
    write: Annotated[bool, typer.Option(help="Put the figures into protocol/THREATS.md.")] = False,
) -> None:
    """Print errors relative to a guess without the published numbers, and what a straw reads a round.

    Of both standard sizes, or of one with the features and rounds that are given.
    """
    suggested, _ = SIZES
    first = features or suggested[0], rounds or suggested[1]
    sizes = SIZES if features is None and rounds is None else (first,)
    tables = [learnt(columns, owners, length, starts) for columns, length in sizes]
    lines = []
    for line in chain(*(chain(table, [""]) for table in tables), straws(first[0], owners, first[1])):
        typer.echo(line)
        lines.append(line)
    if write:
        content = THREATS.read_text()
        before, after = content.split(BEGIN)[0], content.split(END)[1]
        THREATS.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)


def learnt(features: int, owners: int, rounds: int, starts: int) -> Iterator[str]:
    """A table of all viewers of all kinds of owners: what a search finds, and what no search can."""
    schedule = Schedule(rounds)
    yield f"{owners} owners, {features} features, {rounds} rounds of {schedule.local_steps} local steps:"
    yield ""
    yield "| owners | viewer | XᵀX | Xᵀy | mean of y | rows | models | XᵀX open | Xᵀy open | mean open |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for kind, make in KINDS.items():
        for viewer in VIEWERS:
            attack = Attack(make(features, owners), schedule, viewer)
            found, left = attack.learnt(starts), attack.left_open()
            models = "bought" if found.models is None else f"{found.models:.2f}"
            errors = f"{found.gram:.2f} | {found.target:.2f} | {found.mean:.2f} | {found.rows:.2f}"
            least = f"{left.gram:.2f} | {left.target:.2f} | {left.mean:.2f}"
            yield f"| {kind} | {viewer} | {errors} | {models} | {least} |"


def straws(features: int, owners: int, rounds: int) -> Iterator[str]:
    """A table of what is read of each round's unpaid model by an owner that is bad from the start."""
    yield "| straw | numbers a round | bits of each |"
    yield "| --- | ---: | ---: |"
    dealt, schedule = alike(features, owners), Schedule(rounds)
    for name, read in (("trainer", straw_trainer), ("validator", straw_validator)):
        found = read(dealt, schedule, 2 % features)
        yield f"| {name} | {found.numbers} | {found.bits:.1f} |"
    yield f"| any, of an opened error | 1 | at most {bits_with_noise()} |"
    yield f"| two neighbours in the ring, of the same | 1 | {bits_without_noise()} |"


if __name__ == "__main__":
    typer.run(main)
