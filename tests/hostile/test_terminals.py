"""Whatever an output leads to: results are written, what people read degrades, what fails is told."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from protocol.bought_model import BoughtModel
from services.data.model_file import read_model, write_model
from tests.support.daemons.daemon_market import deltaml

FULL = Path("/dev/full")
NOT_UTF8 = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "c": {"LC_ALL": "C"},
    "lang-c": {"LANG": "C", "PYTHONUTF8": "0"},
}


def command(*arguments, **options):
    """A process that runs `deltaml`, like a shell would start it."""
    environment = {key: value for key, value in os.environ.items() if key not in ("LC_ALL", "LANG")}
    environment |= options.pop("environment", {})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*deltaml(), *map(str, arguments)], env=environment, **streams)


def ended(*arguments, **options):
    """(exit status, standard output, standard error)."""
    with command(*arguments, **options) as process:
        output, errors = process.communicate(timeout=300)
    assert b"Traceback" not in (errors or b"")
    return process.returncode, output, errors


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    write_model(
        path, BoughtModel(name="m", features=("größe",), target="año→", weights=(2.0,), intercept=0.5)
    )
    return path


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("größe,año→\n" + "1,1\n2,3\n" * 20_000)
    return path


def test_a_demo_whose_output_is_ascii_and_breaks_off_writes_model_and_report(tmp_path):
    results, rows = (tmp_path / "model.json", tmp_path / "report.json"), tmp_path / "rows.csv"
    rows.write_text("größe,año→\n" + "".join(f"{n % 7},{n % 7 + n % 3}\n" for n in range(80)))
    options = ("--rounds", 1, "--owners", 4, "--key-bits", 1024, "--workers", 0, "--data", rows)
    wanted = ("--model-out", results[0], "--report", results[1])
    with command("demo", *options, *wanted, environment=NOT_UTF8["ascii"]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert next(process.stdout) == rb"features: gr\xf6\xdfe" + b"\n"
        assert next(process.stdout).startswith(rb"target: a\xf1o->")
        for line in process.stdout:
            if b" opened with a deposit of " in line:
                break
        assert not results[0].exists()
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 3
    assert errors.startswith(b"error: standard output cannot be written (Broken pipe): ")
    assert errors.count(b"\n") == 1
    assert read_model(results[0]).target == "año→"
    assert json.loads(results[1].read_text())["rounds"] == 1


@pytest.mark.parametrize("name", ["ascii", "posix"])
def test_what_programs_read_is_the_same_in_every_terminal(model, rows, name):
    status, output, errors = ended("predict", model, rows, environment=NOT_UTF8[name])
    assert (status, output.count(b"\n")) == (0, 40_001)
    assert output.startswith("predicted_año→\n2.5\n".encode())
    assert rb"features: gr\xf6\xdfe; target: a\xf1o->" in errors
    assert b"40000 rows, MSE " in errors
    assert b", R^2 " in errors


def test_a_json_document_is_the_same_in_latin_1(model, rows):
    status, output, errors = ended("predict", model, rows, "--json", environment=NOT_UTF8["latin-1"])
    assert (status, errors) == (0, b"")
    document = json.loads(output)
    assert (document["features"], document["target"]) == (["größe"], "año→")


@pytest.mark.parametrize("environment", NOT_UTF8.values(), ids=NOT_UTF8)
def test_help_is_written_in_every_terminal(environment):
    status, output, errors = ended("--help", environment=environment)
    assert (status, errors) == (0, b"")
    is_utf8 = environment in (NOT_UTF8["c"], NOT_UTF8["lang-c"])  # Python takes these for UTF-8
    assert output.isascii() is not is_utf8
    assert b"chain-listener" in output


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("admin", "messages")])
def test_a_full_disk_behind_standard_output_is_told(arguments):
    with FULL.open("wb") as full:
        status, _, errors = ended(*arguments, stdout=full)
    assert status == 3
    assert errors.startswith(b"error: standard output cannot be written (No space left on device): ")
    assert errors.count(b"\n") == 1


def test_a_reader_that_goes_after_the_first_line_is_told(model, rows):
    with command("predict", model, rows) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "predicted_año→\n".encode()
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 3
    assert errors.startswith(b"error: standard output cannot be written (Broken pipe): ")
    assert errors.count(b"\n") == 1


def test_results_in_files_are_written_though_nothing_can_be_told(model, rows, tmp_path):
    out = tmp_path / "out.csv"
    with FULL.open("wb") as full:
        status, _, errors = ended("predict", model, rows, "--out", out, stdout=full)
        assert status == 3
        assert b"what the command did before stands" in errors
        assert out.read_text().count("\n") == 40_001
        status, output, _ = ended("predict", model, tmp_path / "none.csv", stderr=full)
    assert (status, output) == (2, b"")


def on_terminal(width, *arguments, **environment):
    """(exit status, what a terminal of so many columns was sent)."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with command(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, environment=environment) as process:
        os.close(theirs)
        sent = b""
        while chunk := _read(mine):
            sent += chunk
    os.close(mine)
    return process.returncode, sent.decode()


def _read(descriptor):
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # the other end is closed
        return b""


def test_a_narrow_dumb_terminal_is_sent_no_control_and_every_column(tmp_path, rows):
    catalogue = tmp_path / "catalogue"
    arguments = ("datasets", "add", rows, "--catalogue", catalogue)
    status, sent = on_terminal(20, *arguments, TERM="dumb")
    assert (status, "\x1b" in sent) == (0, False)
    assert "added 'rows': 40000 rows" in sent
    status, sent = on_terminal(20, "datasets", "list", "--catalogue", catalogue, TERM="xterm", NO_COLOR="1")
    assert status == 0
    assert "\x1b[3" not in sent
    for column in ("name", "rows", "colum", "added", "sourc"):
        assert column in sent
