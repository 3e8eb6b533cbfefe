"""Every command that is listed is there, with the help that the list shows of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer._completion_classes import BashComplete
from typer.main import get_command
from typer.testing import CliRunner

from services.cli import Commands, app
from services.cli.admin import AdminCommands
from services.cli.lazy_group import LazyCommand
from tests.support.daemons.command_line import run

ROOT = Path(__file__).parents[3]
PLACES = [(group.__name__, group, name) for group in (Commands, AdminCommands) for name in sorted(group.lazy)]


@pytest.mark.parametrize(("_", "group", "name"), PLACES)
def test_the_list_says_what_the_command_says_of_itself(_, group, name):
    module, told = group.modules.get(name, name), group.lazy[name]
    command = LazyCommand(name, module, told).load()
    assert command.name == name
    assert command.help.partition("\n\n")[0] == told


def shown(*arguments):
    """What a command prints on a terminal of 80 columns."""
    return CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, arguments).output


def test_a_help_breaks_its_lines_where_the_terminal_ends_alone():
    told = shown("admin", "market", "start", "--help").partition("Arguments")[0]
    lines = [line.strip() for line in told.splitlines()]
    assert "it prints in logs/. Exit status 3 when one does not come up." in lines


def commands_below(group, *path):
    """(words, command) of every command, with those that are in groups."""
    for name in group.commands:
        command = (
            group.commands[name].load()
            if isinstance(group.commands[name], LazyCommand)
            else group.commands[name]
        )
        if hasattr(command, "commands"):
            yield from commands_below(command, *path, name)
        else:
            yield (*path, name), command


@pytest.mark.parametrize("columns", ["80", "100"])
def test_no_option_is_cut_off_where_the_terminal_is_narrow(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    found = list(commands_below(get_command(app)))
    assert len(found) > 40
    for words, command in found:
        told = CliRunner(env={"COLUMNS": columns, "NO_COLOR": "1"}).invoke(app, [*words, "--help"]).output
        names = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
        assert [name for name in names if not re.search(f"{name}[ ,/]", told)] == [], words


def test_every_command_is_listed_without_being_imported():
    code = (
        "import sys\n"
        "from services.cli import main\n"
        "sys.argv = ['deltaml', *sys.argv[1:], '--help']\n"
        "try:\n    main()\nfinally:\n    print(sorted(n for n in sys.modules if n.startswith('services.')))"
    )
    for arguments, group in (([], Commands), (["admin"], AdminCommands)):
        output = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in group.lazy:
            assert f"│ {name} " in output
        assert "services.cli.demo" not in output
        assert "services.cli.admin_market" not in output


def test_another_command_than_the_one_that_runs_is_not_imported():
    code = (
        "import sys\n"
        "from services.cli import main\n"
        "sys.argv = ['deltaml', 'health', '--help']\n"
        "try:\n    main()\nfinally:\n    assert not {'numpy', 'sqlalchemy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)


def completed(*words):
    """What a shell is offered behind these words, the last of which is incomplete."""
    completer = BashComplete(get_command(app), {}, "deltaml", "_DELTAML_COMPLETE")
    return [item.value for item in completer.get_completions(list(words[:-1]), words[-1])]


def test_names_and_options_are_completed():
    assert completed("da") == ["data-owner", "datasets"]
    assert completed("admin", "") == list(AdminCommands.lazy)
    assert completed("admin", "broker", "a") == ["apply"]
    assert completed("health", "--co") == ["--config"]


def test_a_name_that_is_nearly_right_is_guessed():
    assert "Did you mean 'health'" in run("helth", status=2).output
