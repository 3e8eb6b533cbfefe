"""A process is found again by its record; whoever has its number later is let alone."""

import os
import signal
import subprocess
import sys
import time

import pytest

from services.admin.processes import Slot, alone, began, began_by_ps, launch
from services.common.errors import ConfigurationError


@pytest.fixture
def slot(tmp_path):
    return Slot.of(tmp_path, "sleeper")


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_is_launched_found_again_and_ended(tmp_path, slot):
    launch(slot, ["sh", "-c", "pwd; umask; exec sleep 60"], tmp_path, {"PATH": os.environ["PATH"]})
    pid = slot.pid()
    until(lambda: slot.log.read_text() == f"{tmp_path}\n0077\n")
    assert Slot.of(tmp_path, "sleeper").pid() == pid
    assert os.getsid(pid) == pid, "Ctrl-C at the terminal would end it"
    for path in (slot.record, slot.log, slot.record.parent, slot.log.parent):
        assert path.stat().st_mode & 0o077 == 0
    assert slot.terminate()
    until(lambda: slot.pid() is None)
    assert not slot.terminate()
    assert os.waitpid(pid, 0)[1] == signal.SIGTERM


def test_a_number_that_passed_to_another_process_is_not_signalled(slot, sleeper):
    slot.note(sleeper.pid)
    assert slot.pid() == sleeper.pid
    slot.record.write_text(f"{sleeper.pid}\nof another life 17\n")
    assert slot.pid() is None
    assert not slot.terminate()
    assert sleeper.poll() is None


@pytest.mark.parametrize(
    "text", ["", "12", "x\ny\n", "1\n2\n3\n", "0\nNone\n", "-1\nNone\n", "4194999\nNone\n"]
)
def test_a_damaged_record_is_nobody_s(slot, text):
    slot.record.write_text(text)
    assert slot.pid() is None
    assert not slot.terminate()


def test_whoever_is_killed_before_the_record_is_written_leaves_nothing_that_runs(tmp_path):
    """The command that starts a process is killed on the way, just before it records it."""
    code = (
        "import os, pathlib, signal, sys\n"
        "from services.admin import processes\n"
        "class Killed(processes.Slot):\n"
        "    def note(self, pid):\n"
        "        print(pid, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "slot = Killed(folder / 'record', folder / 'log')\n"
        "processes.launch(slot, ['touch', 'made'], folder, dict(os.environ))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    until(lambda: began(int(done.stdout)) is None)
    assert not (tmp_path / "made").exists()


def test_a_dead_process_that_nobody_waited_for_has_ended(sleeper):
    assert began(sleeper.pid) == began(sleeper.pid) is not None
    sleeper.kill()
    until(lambda: began(sleeper.pid) is None)


def test_without_proc_the_system_is_asked(sleeper):
    assert began_by_ps(sleeper.pid) == began_by_ps(sleeper.pid) is not None
    sleeper.kill()
    sleeper.wait()
    assert began_by_ps(sleeper.pid) is None


def test_the_last_words_are_the_last_line_with_something_in_it(slot):
    assert slot.last_words() == ""
    slot.log.write_text("first\nerror: the port is taken\n\n")
    assert slot.last_words() == "error: the port is taken"
    slot.log.write_bytes(b"\xff" * 20_000)
    assert len(slot.last_words()) == 300


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-29T10:00:00Z [info     ] round_recorded   [services.runtime] round=2",
        '{"round": 2, "level": "info", "event": "round_recorded"}',
    ],
)
def test_a_line_that_tells_what_a_daemon_does_says_nothing_of_its_end(slot, line):
    slot.log.write_text(f"error: an earlier one\n{line}\n")
    assert slot.last_words() == ""
    with slot.log.open("a") as log:
        log.write("resource_tracker.py:254: UserWarning: resource_tracker: There appear to be 5 leaked\n")
        log.write("  warnings.warn('resource_tracker: There appear to be %d '\n")
    assert slot.last_words() == ""
    slot.log.write_text(f"{line}\nerror: the port is taken\n")
    assert slot.last_words() == "error: the port is taken"


def test_a_long_log_is_put_aside(tmp_path, slot):
    with slot.log.open("wb") as file:
        file.truncate((16 << 20) + 1)
    launch(slot, ["true"], tmp_path, {"PATH": os.environ["PATH"]})
    assert slot.log.with_suffix(".log.1").stat().st_size > 16 << 20
    until(lambda: slot.pid() is None)


def test_what_a_command_fails_by_is_not_taken_for_another_command(tmp_path):
    with pytest.raises(BlockingIOError, match="the terminal takes no more"), alone(tmp_path):
        raise BlockingIOError("the terminal takes no more")


def test_one_command_at_a_time_changes_a_market(tmp_path):
    refused = pytest.raises(ConfigurationError, match="another command works")
    with alone(tmp_path), refused, alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
