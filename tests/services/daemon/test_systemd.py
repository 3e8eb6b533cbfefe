"""What systemd hears of a daemon, on a socket of ours."""

import os
import socket

import pytest

from services.daemon.systemd import Supervisor


@pytest.fixture
def hears(tmp_path):
    """systemd's end: everything that has been said so far."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ear:
        ear.bind(str(tmp_path / "notify"))

        def heard():
            said = []
            while True:
                try:
                    said.append(ear.recv(1000).decode())
                except BlockingIOError:
                    return said

        yield heard


@pytest.fixture
def environment(tmp_path):
    return {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "20000",
        "WATCHDOG_PID": str(os.getpid()),
    }


def test_a_start_a_status_and_a_stop_are_told(hears, environment):
    supervisor = Supervisor(environment)
    supervisor.ready()
    supervisor.status("works")
    supervisor.stopping()
    assert hears() == ["READY=1", "STATUS=works", "STOPPING=1"]


def test_the_watchdog_hears_a_daemon_twice_in_its_period(hears, environment):
    clock = [1000.0]
    supervisor = Supervisor(environment, lambda: clock[0])
    for _ in range(6):
        supervisor.alive()
        clock[0] += 0.005
    assert hears() == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize("changes", [{"WATCHDOG_USEC": ""}, {"WATCHDOG_PID": "1"}])
def test_a_watchdog_that_is_not_for_us_hears_nothing(hears, environment, changes):
    Supervisor({**environment, **changes}).alive()
    assert hears() == []


def test_an_abstract_socket_is_found():
    name = f"deltaml-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{name}")
        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert ear.recv(100) == b"READY=1"


def test_nobody_there_is_no_error(tmp_path):
    Supervisor({}).ready()
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "soon"}).ready()
