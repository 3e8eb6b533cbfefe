"""`deltaml admin`: what an administrator of a market sets up."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from services.cli.lazy_group import LazyGroup


class AdminCommands(LazyGroup):
    """All commands of `deltaml admin`."""

    lazy: ClassVar[Mapping[str, tuple[str, str]]] = {
        "messages": (
            "messages",
            "Print the messages' documentation, as this version has them.",
        ),
        "broker": (
            "admin_broker",
            "Exchanges, queues, users and rights on RabbitMQ.",
        ),
        "contract": ("admin_contract", "The marketplace contract."),
        "market": ("admin_market", "A whole market in a folder."),
        "store": ("admin_store", "A daemon's database."),
        "dead-letters": (
            "dead_letters",
            "Messages that were refused, with the reason.",
        ),
    }


admin = typer.Typer(
    name="admin", cls=AdminCommands, help="Set up what a market runs on.", no_args_is_help=True
)
