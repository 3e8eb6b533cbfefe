"""A few scenarios of `make faults`: all end in the right model and pay or cleanly.

They run in a process of their own, one after another, from the first test of this file on; a test waits for
the result of its own.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.plan import CLASSES, IN_MAKE_TEST, SCENARIOS, SHORT, scenario
from tests.support.broker.rabbitmq import Server, naming
from tests.support.late_collection import Late


class Results:
    """What the other process tells, a line for each scenario in the order they end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._known: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, seed: int) -> dict[str, Any]:
        assert self._process.stdout is not None
        while seed not in self._known:
            line = self._process.stdout.readline()
            assert line, f"the scenarios ended with {self._process.wait(300)} before that of seed {seed}"
            result = json.loads(line)
            self._known[result["seed"]] = result
        return self._known[seed]


def _chosen(request: pytest.FixtureRequest) -> Sequence[int]:
    """The seeds of this run's tests: all, if this process makes a file's tests when their turn comes."""
    if any(isinstance(plugin, Late) for plugin in request.config.pluginmanager.get_plugins()):
        return IN_MAKE_TEST
    return [
        item.callspec.params["seed"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, rabbitmq: Server) -> Iterator[Results]:
    chosen = _chosen(request)
    # One market on the run's broker, which none of these kills: by hand it is several, on brokers of theirs.
    options = ["--json", "--markets=1", *(f"--seed={seed}" for seed in chosen)]
    if urlsplit(rabbitmq.amqp_url).hostname == "127.0.0.1":  # the markets' links lead to this machine
        options.append("--named-broker")
    command = [sys.executable, "-m", "tests.faults", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, **naming(rabbitmq)}
    with subprocess.Popen(command, **pipes, env=environment) as process:
        told = Results(process)
        try:
            yield told
        finally:
            if len(told) < len(chosen):
                process.terminate()
            try:
                process.wait(300)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.mark.parametrize(
    "seed", IN_MAKE_TEST, ids=lambda seed: f"{seed}-{scenario(seed)[0]}".replace(" ", "-")
)
def test_nothing_is_lost_doubled_or_stuck(results: Results, seed: int) -> None:
    result = results.of(seed)
    assert not result["error"], result["error"]
    assert result["evidence"]


def test_every_class_has_its_part() -> None:
    assert len(SCENARIOS) >= 300
    assert all(count >= 15 for _fault, count in CLASSES.values())
    chosen = Counter(scenario(seed)[0] for seed in range(SHORT))
    assert set(chosen) == set(CLASSES)
    assert len({scenario(seed)[0] for seed in IN_MAKE_TEST}) == len(IN_MAKE_TEST) == 3
