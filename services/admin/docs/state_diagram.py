"""A role's phases as a diagram, from its transition table: an arrow wherever inputs lead to another phase."""

from collections import defaultdict
from collections.abc import Iterator

from protocol.roles.dispatch import ROLES


def state_diagram(role: str) -> str:
    """The diagram in Mermaid's notation, one line for each pair of phases."""
    return "\n".join(_lines(role)) + "\n"


def _lines(role: str) -> Iterator[str]:
    module = ROLES[role]
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
