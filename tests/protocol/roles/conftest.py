"""At the end of a run of all these tests in one process: the transitions that none of them took."""

from pathlib import Path

from tests.support.roles.transitions import TAKEN, untaken

FOLDER = Path(__file__).parent


def pytest_terminal_summary(terminalreporter, config):
    wanted = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if TAKEN and any(FOLDER.is_relative_to(path) for path in wanted):
        terminalreporter.section("transitions that no test has taken")
        for line in untaken():
            terminalreporter.line(line)
