"""Runs `deltaml` in the test's process."""

import json

from typer.testing import CliRunner

from services.cli import app


def ask(*arguments, text=None):
    """The result of a command, whatever its exit status; `text` goes to standard input."""
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(
        app, [str(one) for one in arguments], input=text
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run(*arguments, status=0, text=None):
    """The result of a command, which must end with this exit status; `text` goes to standard input."""
    result = ask(*arguments, text=text)
    assert result.exit_code == status, result.output
    return result


def run_json(*arguments, status=0):
    """What a command prints with --json, and only that."""
    result = run(*arguments, "--json", status=status)
    assert result.stderr == ""
    return json.loads(result.stdout)


def refused(*arguments, status=2, text=None):
    """The error text of a command that must be refused, having printed nothing else."""
    result = run(*arguments, status=status, text=text)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    return result.stderr
