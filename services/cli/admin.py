"""`deltaml admin`: what an administrator of a market sets up."""

import typer

from services.cli.lazy_group import LazyGroup

_COMMANDS = {
    "messages": "Print the messages' documentation, as this version has them.",
    "broker": "Exchanges, queues, users and rights on RabbitMQ.",
    "contract": "The marketplace contract.",
    "market": "A whole market in a folder.",
    "native": "The compiled kernel that multiplies eight numbers at once.",
    "store": "A daemon's database.",
    "dead-letters": "Messages that were refused, with the reason.",
}
_OWN = ("broker", "contract", "market", "native", "store")


class AdminCommands(LazyGroup):
    """All commands of `deltaml admin`."""

    lazy = _COMMANDS
    modules = {"dead-letters": "dead_letters"} | {name: f"admin_{name}" for name in _OWN}


admin = typer.Typer(
    name="admin", cls=AdminCommands, help="Set up what a market runs on.", no_args_is_help=True
)
