import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from protocol.errors import MisuseError, ProtocolViolation, TrainingFailure
from services.cli import app
from services.cli.error_group import ErrorGroup
from services.common.errors import ConfigurationError, DataSetError, ServiceError
from tests.support.daemons.command_line import run

ROOT = Path(__file__).parents[3]
HELP = "import sys; sys.argv = ['deltaml', '--help']; from services.cli import main; main()"
HEAVY = ("numpy", "pyarrow", "sklearn", "sqlalchemy", "pydantic", "web3", "eth_keyfile", "nacl", "gmpy2")


def raising(error):
    """A command line whose one command raises this."""
    program = typer.Typer(cls=ErrorGroup, pretty_exceptions_enable=False)

    @program.callback()
    def options():
        pass

    @program.command()
    def fail():
        raise error

    return CliRunner().invoke(program, ["fail"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MisuseError("reason"), 2),
        (ConfigurationError("reason"), 2),
        (DataSetError("reason"), 2),
        (ServiceError("reason"), 3),
        (TrainingFailure("reason"), 3),
        (ProtocolViolation("reason"), 3),
        (ExceptionGroup("", [ServiceError("reason"), ExceptionGroup("", [ServiceError("reason")])]), 3),
        (ExceptionGroup("", [MisuseError("reason")]), 2),
    ],
)
def test_our_errors_are_a_line_and_an_exit_status(error, status):
    result = raising(error)
    assert result.exit_code == status
    assert result.stderr == "error: reason\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError("bug"), ExceptionGroup("", [ServiceError("x"), ZeroDivisionError("bug")])]
)
def test_bugs_are_not_dressed_up_as_errors(bug):
    result = raising(bug)
    assert result.exception is bug
    assert result.exit_code == 1


def test_what_is_misspelt_is_told_with_status_2():
    for arguments in (["datasets", "ad"], ["--nope"], ["predict"]):
        assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize(("given", "rule"), [("0", "must be 1 or more"), ("x", "must be a whole number")])
def test_a_value_that_does_not_fit_its_option_is_told_with_the_bound(given, rule):
    result = CliRunner().invoke(app, ["demo", "--rounds", given], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert f"(given: '{given}')" in result.output
    assert rule in result.output


def test_every_command_explains_itself():
    commands = [[], ["demo"], ["predict"], ["show"]]
    commands += [["datasets", name] for name in ("add", "list", "show", "remove", "match")]
    commands += [["keys", name] for name in ("create", "show", "rotate", "passphrase")]
    for command in commands:
        output = run(*command, "--help").stdout
        assert "Usage:" in output
        assert not command or "--json" in output, command


def test_the_version_is_told():
    assert run("--version").stdout.startswith("deltaml")


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        f"{HELP[:-6]}\ntry:\n main()\nfinally:\n print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert output.stdout.splitlines()[-1] == "[]"

    def seconds_of_processor():
        before = os.times()
        subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    assert min(seconds_of_processor() for _ in range(3)) < 1.0


def test_a_command_that_meets_no_broker_prints_its_error_and_no_log():
    code = (
        "import asyncio, services.cli\nfrom services.bus.amqp.amqp_bus import AmqpBus\n"
        "from services.config.daemons import Broker\n"
        "services.cli.app = lambda prog_name: asyncio.run(AmqpBus(Broker(url='amqp://127.0.0.1:9')).connect())\n"
        "services.cli.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout == ""
    assert "BusUnavailable: the broker at 127.0.0.1:9 does not answer" in ended.stderr.splitlines()[-1]
    assert "broker_away" not in ended.stderr
    assert "creating transport" not in ended.stderr.partition("Traceback")[0]


def test_what_was_imported_is_seldom_looked_through_for_garbage():
    """A market's imports are some 230,000 objects, which all stay."""
    program = f"import gc; gc.set_threshold = lambda *counts: print('every', counts[0]); {HELP}"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ((_, objects),) = (line.split() for line in told.stdout.splitlines() if line.startswith("every"))
    assert int(objects) >= 20_000
