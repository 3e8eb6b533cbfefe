"""Starting, watching and stopping: only what is to be done is done, whatever an earlier command left."""

import os
import signal
import subprocess
import time

import pytest

from protocol.errors import MisuseError
from services.admin.market_control import MarketControl
from services.admin.market_documents import MarketPlan
from services.admin.market_process import Condition, MarketProcess
from services.admin.market_record import MarketRecord
from services.common.errors import ConfigurationError

SLEEP = ("sleep", "60")
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")


class Scripted(MarketControl):
    """A market whose processes are a test's own."""

    scripted: tuple[MarketProcess, ...] = ()

    @property
    def daemons(self):
        return list(self.scripted)


class World:
    """A market's folder and what was told."""

    def __init__(self, folder):
        self.folder, self.told = folder, []
        self.save()

    def save(self, **changes):
        MarketRecord(plan=MarketPlan(self.folder, chain_url="http://127.0.0.1:1"), **changes).save()

    def process(self, name, command=SLEEP, state="healthy"):
        probe = lambda: Condition(state)  # noqa: E731
        return MarketProcess(name, "data_owner", command, self.folder, probe, environment=dict(os.environ))

    def control(self, *daemons, servers=()):
        control = Scripted(self.folder, look_seconds=0.01)
        control.scripted, control.servers = daemons, list(servers)
        return control


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    for record in (tmp_path / "run").glob("*.pid"):
        pid = made.control().slot(record.stem).pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def states(found):
    return {one.name: one.state for one in found}


def test_only_what_is_down_is_started(world):
    control = world.control(world.process("first"), world.process("second"))
    assert states(control.status()) == {"first": "down", "second": "down"}
    first = control.start((), 20, world.told.append)
    assert states(first) == {"first": "healthy", "second": "healthy"}
    control.stop(["second"], 20, world.told.append)
    world.told.clear()
    again = control.start((), 20, world.told.append)
    assert again[0].pid == first[0].pid
    assert again[1].pid != first[1].pid
    assert world.told == [
        "starting second",
        f"first runs already (process {first[0].pid})",
        f"second runs (process {again[1].pid})",
    ]
    assert control.stop((), 20, world.told.append) == []
    assert states(control.status()) == {"first": "down", "second": "down"}


def test_one_that_ends_by_itself_is_told_with_its_last_words_and_the_others_run(world):
    ends = world.process("ends", ("sh", "-c", "echo error: the port is taken; exit 2"), state="starting")
    found = world.control(ends, world.process("other")).start((), 20, world.told.append)
    assert states(found) == {"ends": "down", "other": "healthy"}
    assert "error: the port is taken" in found[0].detail
    assert any("the port is taken" in line for line in world.told)


def test_of_one_that_was_killed_it_is_said_that_it_told_no_fault(world):
    line = "2026-11-29T10:00:00Z [info     ] round_recorded"
    daemon = world.process("daemon", ("sh", "-c", f"echo '{line}'; exec sleep 60"))
    control = world.control(daemon)
    [begun] = control.start((), 20, world.told.append)
    log, until = control.slot("daemon").log, time.monotonic() + 60
    while not log.read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(begun.pid, signal.SIGKILL)
    while control.slot("daemon").pid() is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    [found] = control.status()
    assert found.state == "down"
    assert "killed" in found.detail
    assert str(log) in found.detail
    assert "round_recorded" not in found.detail


def test_one_that_does_not_get_well_is_waited_for_so_long_and_no_longer(world):
    slow, ill = world.process("slow", state="starting"), world.process("ill", state="unhealthy")
    found = world.control(slow, ill).start((), 0.05, world.told.append)
    assert states(found) == {"slow": "starting", "ill": "unhealthy"}
    assert not any(one.is_well for one in found)


def test_one_that_does_not_end_is_told_and_the_servers_stay(world):
    stubborn, server = world.process("stubborn", STUBBORN), world.process("server")
    control = world.control(stubborn, world.process("other"), servers=[server])
    control.start((), 20, world.told.append)
    log, until = control.slot("stubborn").log, time.monotonic() + 60
    while log.read_text() != "ready\n":
        assert time.monotonic() < until
        time.sleep(0.01)
    assert control.stop(("other",), 20, world.told.append) == []
    left = control.stop((), 0.3, world.told.append)
    assert states(left) == {"stubborn": "healthy"}
    assert states(control.status()) == {"server": "healthy", "stubborn": "healthy", "other": "down"}
    os.kill(left[0].pid, signal.SIGKILL)
    assert control.stop((), 20, world.told.append) == []
    assert states(control.status())["server"] == "down"


def test_a_number_that_another_process_has_now_is_neither_stopped_nor_taken_for_ours(world):
    stranger = subprocess.Popen(SLEEP)
    try:
        control = world.control(world.process("ours"))
        control.slot("ours").record.write_text(f"{stranger.pid}\nanother boot 1\n")
        assert states(control.status()) == {"ours": "down"}
        (found,) = control.start((), 20, world.told.append)
        assert found.pid != stranger.pid
        control.slot("ours").terminate()
        control.slot("ours").record.write_text(f"{stranger.pid}\nanother boot 1\n")
        assert control.stop((), 20, world.told.append) == []
        assert stranger.poll() is None
        assert world.told[-1] == "ours did not run"
    finally:
        stranger.kill()
        stranger.wait()


def test_no_daemon_is_started_where_a_server_does_not_start(world):
    server = world.process("server", ("sh", "-c", "echo no room; exit 1"), state="starting")
    control = world.control(world.process("daemon"), servers=[server])
    with pytest.raises(ConfigurationError, match="no room"):
        control.start((), 20, world.told.append)
    assert states(control.status())["daemon"] == "down"


def test_a_replaced_one_is_not_started_unless_it_is_named(world):
    world.save(replaced=("old",))
    control = world.control(world.process("old"), world.process("new"))
    assert states(control.start((), 20, world.told.append)) == {"new": "healthy"}
    found = control.status()
    assert states(found) == {"old": "replaced", "new": "healthy"}
    assert all(one.is_well for one in found)
    assert states(control.start(["old"], 20, world.told.append)) == {"old": "healthy"}


def test_an_unknown_name_is_refused_before_anything_is_done(world):
    control = world.control(world.process("first"))
    for command in (control.start, control.stop):
        with pytest.raises(MisuseError, match="there are first"):
            command(["frist"], 20, world.told.append)
    assert states(control.status()) == {"first": "down"}
