"""Holds every transition that a test's roles make against the roles' tables, and keeps which were made."""

from collections import defaultdict
from collections.abc import Iterator

from protocol.codec import pack, unpack
from protocol.roles.dispatch import ROLES
from protocol.roles.engine.context import Step
from protocol.roles.engine.state import PhaseState
from protocol.roles.engine.table import Row

TAKEN: dict[tuple[Row, str], set[str]] = defaultdict(set)
"""By row and phase: the phases that it has led to."""
CAUSED: dict[Row, set[type]] = defaultdict(set)
"""The effects that a row has had."""


def observe(row: Row, before: PhaseState, step: Step[PhaseState]) -> None:
    """An `Observer`: the table must know where the transition leads and what comes of it."""
    place = f"{row.input} in {before.phase}"
    effects = {type(effect) for effect in step.effects}
    assert step.state.phase in row.next_phases(before.phase), f"{place} leads to {step.state.phase}"
    assert effects <= set(row.effects), f"{place} has {effects - set(row.effects)}"
    assert step.progressed or step.state == before, f"{place} changes the state and says that it does not"
    if step.state.phase not in TAKEN[row, before.phase]:
        assert unpack(type(step.state), pack(step.state)) == step.state, (
            f"{place} makes what cannot be stored"
        )
    TAKEN[row, before.phase].add(step.state.phase)
    CAUSED[row] |= effects


def untaken() -> Iterator[str]:
    """What the tables allow and no test of this process has seen."""
    for role, module in ROLES.items():
        for row in module.MACHINE.rows:
            for phase in row.phases:
                missing = set(row.next_phases(phase)) - TAKEN.get((row, phase), set())
                if missing:
                    yield f"{role}: {row.input} in {phase} never led to {', '.join(sorted(missing))}"
            unseen = {kind.__name__ for kind in row.effects} - {kind.__name__ for kind in CAUSED[row]}
            if unseen:
                yield f"{role}: {row.input} in {', '.join(row.phases)} never had {', '.join(sorted(unseen))}"
