"""Every command of deltaml that the first page and the operators' pages show is one that deltaml takes."""

import re
from pathlib import Path

import pytest
from typer import Context
from typer.main import get_command

from services.cli import app

FOLDER = Path(__file__).parents[2] / "deploy"
PAGES = ("README.md", "RUNBOOK.md", "../README.md")


def commands_in(text):
    """What stands behind `deltaml` in code, up to where another command or a remark begins."""
    joined = re.sub(r"\\\n\s*", " ", text)
    blocks = re.findall(r"```sh\n(.*?)```", joined, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", joined)]
    for line in lines:
        for found in re.findall(r"(?:^|[ /])deltaml ((?!deltaml)[a-z][a-z-]+(?: [^#&;…\n]*)?)", line):
            yield found.strip()


def mistake(words):
    """What deltaml would not take of a command, or nothing."""
    command = get_command(app)
    names = words.split()
    while hasattr(command, "commands") and names and re.fullmatch(r"[a-z-]+(\|[a-z-]+)*,?", names[0]):
        by_default = getattr(command, "default", None)
        if by_default is not None and names[0] not in command.commands:
            command = command.commands[by_default]
            break
        choices = names.pop(0).rstrip(",").split("|")
        unknown = [one for one in choices if one not in command.commands]
        if unknown:
            return f"no command {unknown[0]!r} in: deltaml {words}"
        _, command, _ = command.resolve_command(Context(command), choices[:1])
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    given = {name.split("=")[0] for name in names if name.startswith("--")}
    return f"{sorted(given - options)} in: deltaml {words}" if given - options else None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_deltaml_takes(page):
    found = list(commands_in((FOLDER / page).read_text(encoding="utf-8")))
    assert len(found) > 10
    assert [wrong for one in found if (wrong := mistake(one))] == []


def test_a_mistake_would_be_told():
    assert mistake("admin broker aply broker.yaml")
    assert mistake("keys create --keystor keys")
    assert mistake("admin dead-letters list|sow")
    assert mistake("keys create --keystore keys") is None
