"""`deltaml admin market`: a whole market in a folder, to try on one machine or to hand out from."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.admin.broker_administrator import provide_administrator
from services.admin.market_documents import MarketPlan
from services.admin.market_folder import CONFIG, KINDS
from services.admin.market_setup import SetUp, set_up
from services.cli.market_adding import add_aggregator, add_owner
from services.cli.market_running import start, status, stop
from services.cli.options import KIND, ROWS, Json, options_of
from services.cli.output import print_json, print_result
from services.cli.standard_streams import visible

market = typer.Typer(name="market", help="A whole market in a folder.", no_args_is_help=True)


def _without_slash(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/")


_OPTIONS = {
    "folder": typer.Argument(
        metavar="FOLDER", help="Everything goes here; nothing that exists is overwritten."
    ),
    "chain_url": typer.Option(
        "--chain", help="The node's JSON-RPC URL; default: a test chain (anvil) of the market's own."
    ),
    "broker_url": typer.Option(
        "--broker",
        help="RabbitMQ: amqp://host:port, without user and path; default: a broker of the market's own.",
        callback=_without_slash,
    ),
    "management_url": typer.Option(
        "--broker-management", help="Its management API: http://host:15672.", callback=_without_slash
    ),
    "administrator_password_file": typer.Option(help="File with the password of the broker's administrator."),
    "administrator": typer.Option(help="The broker's administrator."),
    "virtual_host": typer.Option(
        "--vhost", help="A virtual host on the broker, which no other market uses; default: a new one."
    ),
    "owners": typer.Option(help="How many data owners."),
    "kind": KIND,
    **ROWS,
    "confirmations": typer.Option(help="Confirmations that make a block final.", min=0, max=1000),
    "workers": typer.Option(help="Each daemon's processes for arithmetic.", min=0),
    "metrics_port": typer.Option(
        help="First port of /metrics and /health; each daemon takes the next. Default: free ones.",
        min=1024,
        max=65000,
    ),
    "metrics_host": typer.Option(help="Address that these ports are opened on; default: loopback."),
    "postgresql_url": typer.Option(
        "--postgresql",
        help="Stores in PostgreSQL instead of SQLite: postgresql://user@host, of an administrator; every "
        "daemon gets a user and a database of its own.",
        callback=_without_slash,
    ),
    "postgresql_password_file": typer.Option(help="File with the password of PostgreSQL's administrator."),
    "console_port": typer.Option(
        help="First port of the web consoles; each party takes the next. Default: free ones.",
        min=1024,
        max=65000,
    ),
    "console_host": typer.Option(
        help="Address that they listen on; beyond loopback each gets a certificate of its own."
    ),
    "block_seconds": typer.Option(
        "--block-time", help="Seconds between two blocks of an own test chain.", min=0.1, max=60
    ),
}


@market.command("init")
@options_of(MarketPlan, _OPTIONS)
def init_market(plan: MarketPlan, *, json: Json = False) -> None:
    """Make keys and configurations, create the contract, provision the broker, deal rows to the owners.

    Servers that are not named are started here, the market's own. Run it again to finish one that was
    interrupted. On a development node (anvil) it gives the accounts ether; on another it says which accounts
    need some.
    """
    made = asyncio.run(set_up(plan, lambda text: None if json else typer.echo(visible(text))))
    _show_set_up(made, json=json)


for _command in (start, status, stop, add_owner, add_aggregator):
    market.command()(_command)


def _show_set_up(made: SetUp, *, json: bool) -> None:
    if json:
        document = {
            "folder": str(made.folder.path),
            "contract": made.deployment.market.contract,
            "chain_id": made.deployment.market.chain_id,
            "first_block": made.deployment.block,
            "parties": {party.name: party.address for party in made.folder.participants},
            "written": [str(path) for path in made.written],
            "kept": [str(path) for path in made.kept],
        }
        print_json(document)
        return
    for path in made.kept:
        typer.echo(f"kept as it was: {path}")
    typer.echo(f"\nStart the daemons: deltaml admin market start {made.folder.path}")
    typer.echo("or each in a terminal or under a supervisor:")
    typer.echo(f"  deltaml chain-listener --config {made.folder.listener / CONFIG}")
    for party in made.folder.participants:
        assert party.role is not None
        typer.echo(f"  deltaml {KINDS[party.role]} --config {party.folder / CONFIG}")
    typer.echo(f"What runs: deltaml admin market status {made.folder.path}; stop ends it.")


@market.command("administrator")
def make_administrator(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Existing folder for the two files.")],
    user: Annotated[str, typer.Option(help="Name of the administrator.")] = "administrator",
    also: Annotated[
        list[str] | None,
        typer.Option(help="Make NAME-password too, for another server's administrator; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a new broker's administrator: `password`, and `definitions.json` for the broker to load.

    A broker that loads these definitions at its first start has this user and no `guest`. Files that exist
    stay.
    """
    password, definitions = provide_administrator(folder, user, also or ())
    document = {"user": user, "password_file": str(password), "definitions": str(definitions)}
    text = f"password of {user!r}: {password}\nload into the broker: {definitions}"
    print_result(document, text, json=json)
