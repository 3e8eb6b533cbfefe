"""Groups of commands whose modules are imported when a command runs: help and completion stay quick."""

from collections.abc import Mapping
from importlib import import_module
from inspect import cleandoc
from shutil import get_terminal_size
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

_BOXES_COLUMNS = 100
"""From here on there is room for boxes with the longest option."""


class LazyCommand(TyperCommand):
    """Stands for a command, or a group of commands, in lists."""

    def __init__(self, name: str, module: str, help_text: str) -> None:
        """`module` of `services.cli` has a function or a Typer that is called like the command."""
        super().__init__(name, help=help_text)
        self._module, self._attribute = f"services.cli.{module}", name.replace("-", "_")

    def load(self) -> Any:
        """The command itself."""
        target = getattr(import_module(self._module), self._attribute)
        if isinstance(target, typer.Typer):
            return _flowing(typer.main.get_group(target))
        single = typer.Typer(add_completion=False)
        single.command(self.name)(target)
        return _flowing(typer.main.get_command(single))


def _flowing(command: Any) -> Any:
    """The command, its help without the line ends of the source, which a terminal would add to its own.

    On a narrow terminal without boxes: their columns cut long options off, which nobody could type then.
    """
    paragraphs = cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(one.split()) for one in paragraphs)
    if get_terminal_size().columns < _BOXES_COLUMNS and not isinstance(command, TyperGroup):
        command.rich_markup_mode = None
    for one in getattr(command, "commands", {}).values():
        _flowing(one)
    return command


class LazyGroup(TyperGroup):
    """A group that knows where each command is, and the first paragraph of its help."""

    lazy: ClassVar[Mapping[str, str]]
    """Help by the command's name, in the order of the list."""

    modules: ClassVar[Mapping[str, str]]
    """Where a command is that is not in the module of its own name."""

    def __init__(self, **options: Any) -> None:
        """`options` are TyperGroup's."""
        super().__init__(**options)
        self.commands = {
            name: LazyCommand(name, self.modules.get(name, name), text) for name, text in self.lazy.items()
        }

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that runs, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest
