"""The state tables in protocol/README.md say what the state machines allow, no more and no less."""

import re
from pathlib import Path
from typing import Any

import pytest

from protocol.roles.dispatch import ROLES as MODULES
from protocol.roles.shared.parties import Parties

README = Path(__file__).parents[2] / "protocol" / "README.md"
ROLES = sorted(MODULES)


def section(role: str) -> str:
    heading = "### " + role.replace("_", " ").capitalize()
    _, _, rest = README.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    return rest.partition("\n#")[0]


def table(role: str) -> dict[str, tuple[str, set[str]]]:
    """Phase → (what people see, inputs), in the order of the rows."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", section(role), flags=re.MULTILINE)
    return {phase: (shown, set(re.findall(r"`([^`]+)`", inputs))) for phase, shown, inputs in rows}


def shown_in(module: Any, phase: str) -> str:
    state = module.MACHINE.kinds[phase].model_construct(phase=phase, failure="code", parties=Parties())
    return str(module.display_status(state))


@pytest.mark.parametrize("role", ROLES)
def test_every_phase_stands_in_the_table_in_its_order(role: str) -> None:
    assert list(table(role)) == list(MODULES[role].MACHINE.phases)


@pytest.mark.parametrize("role", ROLES)
def test_every_phase_allows_exactly_the_inputs_of_its_row(role: str) -> None:
    written = table(role)
    for phase, allowed in MODULES[role].MACHINE.table.items():
        row = " ".join(f"`{name}`" for name in allowed) or "none"
        assert written[phase][1] == set(allowed), f"in protocol/README.md, `{phase}` of {role} allows: {row}"


@pytest.mark.parametrize("role", ROLES)
def test_every_phase_is_shown_as_its_row_says(role: str) -> None:
    for phase, (shown, _) in table(role).items():
        assert shown_in(MODULES[role], phase) in shown.split(", then ")


@pytest.mark.parametrize("role", ROLES)
def test_final_phases_await_nothing_that_would_restart_a_training(role: str) -> None:
    module = MODULES[role]
    late_questions = {"model_request", "trained_model", "training_failed", "timer:retention"}
    # An owner that had given up may have a role: it claims its part of what leaving costs, no more.
    late_pay = {"Cancelled"} if role == "data_owner" else set()
    standard_errors = {"information_share", "information_sum", "timer:information"}
    for phase in module.FINAL:
        assert table(role)[phase][1] <= late_questions | late_pay | standard_errors
