"""`deltaml admin broker`: what the participants need on RabbitMQ."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.bus.broker.drift import Difference
from services.bus.broker.message_size import message_size_differences
from services.bus.broker.provisioning import BrokerPlan, apply_broker, load_plan, plan_broker
from services.cli.options import Json
from services.cli.output import print_records

DIFFERENT = 1
"""Exit status of `plan` when applying would change something."""

broker = typer.Typer(
    name="broker", help="Exchanges, queues, users and rights on RabbitMQ.", no_args_is_help=True
)

_File = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Participants and the management API.")]


@broker.command()
def plan(file: _File, json: Json = False) -> None:
    """Show what `apply` would do; the exit status is 1 if that is anything.

    If FILE.yaml has a section amqp, the broker's limit of messages is tried
    out: a user deltaml-admin-… is made, publishes one message that goes to no
    queue, and is removed, as are those that killed commands left behind.
    """
    differences = asyncio.run(_planned(load_plan(file)))
    _show(differences, done=False, json=json)
    if _count_changes(differences):
        raise typer.Exit(DIFFERENT)


@broker.command()
def apply(file: _File, json: Json = False) -> None:
    """Create and correct what the file's participants need; what is right already is left alone."""
    _show(asyncio.run(apply_broker(load_plan(file))), done=True, json=json)


async def _planned(document: BrokerPlan) -> list[Difference]:
    differences = await plan_broker(document)
    if any((item.action, item.kind) == ("create", "virtual host") for item in differences):
        return differences  # there is nowhere to try a message out yet
    return differences + await message_size_differences(document)


def _show(differences: Sequence[Difference], *, done: bool, json: bool) -> None:
    columns = {name: name for name in ("action", "kind", "name", "detail")}
    if differences or json:
        print_records(
            [{name: getattr(item, name) for name in columns} for item in differences], columns, json=json
        )
    if not json:
        changes = _count_changes(differences)
        outcome = f"{changes} changes made" if done else f"{changes} changes to make"
        typer.echo(outcome if changes else "the broker is as planned")


def _count_changes(differences: Sequence[Difference]) -> int:
    return sum(item.action != "look" for item in differences)
