"""Lines about what was wrong in a training's rounds: who is held to blame, and how it was given up."""

from collections.abc import Iterator, Mapping

from services.cli.output import named
from services.records.round_checks import Blamed, Checks


def checks_lines(checks: Checks, names: Mapping[str, str]) -> Iterator[str]:
    """A line for each party that is held to blame, and one for the end; parties have their `names` first."""
    for one in checks.blamed:
        yield _blamed_line(one, names)
    if checks.silent:
        yield f"the aggregator waited in vain for {', '.join(named(one, names) for one in checks.silent)}"
    if checks.gave_up is not None:
        nobody = "" if checks.blamed else "; nothing that was signed shows whose fault it was"
        yield f"given up after round {checks.last_round}: {checks.gave_up.replace('_', ' ')}{nobody}"


def _blamed_line(one: Blamed, names: Mapping[str, str]) -> str:
    where = "" if one.round is None else f" in round {one.round}"
    seen = "seen by this party itself" if one.seen else "as the aggregator says"
    return f"held to blame{where}: {named(one.accused, names)}: {one.code.replace('_', ' ')}, {seen}"
