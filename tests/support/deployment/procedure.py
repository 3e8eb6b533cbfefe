"""The commands of a procedure in an operators' page, run as they stand there."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.daemons.command_line import run
from tests.support.deployment.explained import section

DAEMONS = ("data-owner", "aggregator", "model-buyer", "chain-listener")


def procedures(page: str) -> list[str]:
    """The headings of all procedures of a page."""
    return re.findall(r"^### (.+)$", section(page, "## Procedures"), re.MULTILINE)


def commands(page: str, heading: str) -> Iterator[str]:
    """The commands under a heading, each a line of the shell."""
    for block in re.findall(r"^```sh\n(.*?)^```$", section(page, heading), re.MULTILINE | re.DOTALL):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()


class Operator:
    """Who follows a page in a folder. `deltaml` runs in this process, all else in a shell."""

    def __init__(self, folder: Path, start_daemon: Callable[[str, Path], None]) -> None:
        """`start_daemon` starts a daemon of this kind by its configuration, and returns."""
        self.folder, self._start_daemon = folder, start_daemon
        self.variables: dict[str, str] = {}
        self.printed: dict[str, str] = {}
        """What each command of ours has printed, by its first words."""

    def follow(self, page: str, heading: str) -> None:
        """Run every command; raises AssertionError where one fails."""
        for command in commands(page, heading):
            self.run(command)

    def run(self, command: str) -> None:
        """One line."""
        environment = {**os.environ, **self.variables, "PWD": str(self.folder)}
        if not command.startswith("deltaml "):
            subprocess.run(["sh", "-ec", command], cwd=self.folder, env=environment, check=True)
            return
        given = [re.sub(r"\$(\w+)", lambda name: environment[name[1]], word) for word in shlex.split(command)]
        words = given[1:]
        if words[0] in DAEMONS:
            self._start_daemon(words[0], self.folder / words[2])
            return
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            told = self.printed[" ".join(words[:2])] = run(*words).stdout
        finally:
            os.chdir(before)
        if words[:2] == ["keys", "create"]:
            self.variables["ADDRESS"] = re.findall(r"0x[0-9a-f]{40}\b", told)[0]
