"""`deltaml admin`: what an administrator of a market sets up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.admin_contract import contract
from services.cli.admin_market import market
from services.cli.admin_store import store
from services.cli.dead_letters import dead_letters
from services.cli.messages import messages
from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from services.bus.broker.drift import Difference

DIFFERENT = 1
"""Exit status of `plan` when applying would change something."""

admin = typer.Typer(name="admin", help="Set up what a market runs on.", no_args_is_help=True)
broker = typer.Typer(
    name="broker", help="Exchanges, queues, users and rights on RabbitMQ.", no_args_is_help=True
)
admin.add_typer(broker)
admin.add_typer(contract)
admin.add_typer(market)
admin.add_typer(store)
admin.add_typer(dead_letters)
admin.command()(messages)

_File = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Participants and the management API.")]


@broker.command()
def plan(file: _File, json: Json = False) -> None:
    """Show what `apply` would do; the exit status is 1 if that is anything."""
    import asyncio  # noqa: PLC0415

    from services.bus.broker.provisioning import load_plan, plan_broker  # noqa: PLC0415

    found = asyncio.run(plan_broker(load_plan(file)))
    _show(found, done=False, json=json)
    if any(one.action != "look" for one in found):
        raise typer.Exit(DIFFERENT)


@broker.command()
def apply(file: _File, json: Json = False) -> None:
    """Create and correct what the file's participants need; what is right already is left alone."""
    import asyncio  # noqa: PLC0415

    from services.bus.broker.provisioning import apply_broker, load_plan  # noqa: PLC0415

    _show(asyncio.run(apply_broker(load_plan(file))), done=True, json=json)


def _show(found: "list[Difference]", *, done: bool, json: bool) -> None:
    if json:
        fields = ("action", "kind", "name", "detail")
        print_json([{name: getattr(one, name) for name in fields} for one in found])
        return
    if found:
        rows = [(one.action, one.kind, one.name, one.detail) for one in found]
        print_table(("what", "of which kind", "name", "detail"), rows)
    changes = sum(one.action != "look" for one in found)
    if not changes:
        print_line("the broker is as planned")
    else:
        print_line(f"{changes} changes made" if done else f"{changes} changes to make")
