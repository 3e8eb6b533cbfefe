"""A role's phases as a diagram, from its transition table: an arrow wherever inputs lead to another phase."""

from collections import defaultdict
from collections.abc import Iterator

from protocol.roles.dispatch import ROLES_OF
from protocol.types import Rounds


def state_diagram(role: str, rounds: Rounds = "checked") -> str:
    """The diagram in Mermaid's notation, one line for each pair of phases; of a market with such `rounds`."""
    return "\n".join(_lines(role, rounds)) + "\n"


def _lines(role: str, rounds: Rounds) -> Iterator[str]:
    module = ROLES_OF[rounds][role]
    machine = module.MACHINE
    inputs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for phase, allowed in machine.table.items():
        for name, row in allowed.items():
            for target in row.next_phases(phase):
                inputs[phase, target].append(name.replace(":", " "))  # a colon would end the label
    yield "stateDiagram-v2"
    yield f"    [*] --> {machine.phases[0]}"
    for phase in machine.phases:
        for target in machine.phases:
            if target != phase and (phase, target) in inputs:
                yield f"    {phase} --> {target}: {', '.join(inputs[phase, target])}"
        if phase in module.FINAL:
            yield f"    {phase} --> [*]"
