from io import StringIO

from rich.console import Console

from services.cli.waiting import waiting


def shown(*, on_a_terminal):
    """What is written while something is waited for."""
    console = Console(file=StringIO(), force_terminal=on_a_terminal, width=80)
    with waiting("waiting for the daemon's answer, at most 30 s", console):
        pass
    return console.file.getvalue()


def test_a_terminal_shows_what_is_waited_for():
    assert "waiting for the daemon's answer, at most 30 s" in shown(on_a_terminal=True)


def test_a_file_holds_nothing_of_it():
    assert shown(on_a_terminal=False) == ""
