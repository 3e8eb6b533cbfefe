"""The diagrams of the phases follow from the tables, and those in protocol/README.md are these."""

from pathlib import Path

import pytest

from protocol.roles.dispatch import ROLES
from services.admin.docs.state_diagram import state_diagram

README = Path(__file__).parents[4] / "protocol" / "README.md"


@pytest.mark.parametrize("role", sorted(ROLES))
def test_the_diagram_in_the_readme_is_current(role):
    _, _, rest = README.read_text(encoding="utf-8").partition(f"<!-- begin: {role} -->\n")
    block, _, _ = rest.partition(f"<!-- end: {role} -->")
    assert block == f"```mermaid\n{state_diagram(role)}```\n", "run `make docs`"


def test_an_arrow_names_every_input_that_leads_there():
    lines = state_diagram("model_buyer").splitlines()
    assert "    running --> failed: Settled, Cancelled, training_gone" in lines
    assert "    ordered --> failed: refused open" in lines


def test_a_training_begins_in_the_first_phase_and_ends_in_the_final_ones():
    for role, module in ROLES.items():
        lines = state_diagram(role).splitlines()
        assert lines[1] == f"    [*] --> {module.MACHINE.phases[0]}"
        ends = {line.split()[0] for line in lines if line.endswith("--> [*]")}
        assert ends == module.FINAL
