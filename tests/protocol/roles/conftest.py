"""Which steps tests of the roles share; at the end of a run of all in one process, what none of them took."""

from pathlib import Path

import pytest

from tests.support.roles.remembered_steps import forget
from tests.support.roles.transitions import TAKEN, untaken

FOLDER = Path(__file__).parent


@pytest.fixture(autouse=True)
def _steps_of_its_own(request):
    """A test that replaces a part of the protocol gets no step of others, and they get none of its."""
    replaces = "monkeypatch" in request.fixturenames
    if replaces:
        forget()
    yield
    if replaces:
        forget()


def pytest_terminal_summary(terminalreporter, config):
    wanted = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if TAKEN and any(FOLDER.is_relative_to(path) for path in wanted):
        terminalreporter.section("transitions that no test has taken")
        for line in untaken():
            terminalreporter.line(line)
