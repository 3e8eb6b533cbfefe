"""`deltaml admin market`: a whole market in a folder, to try on one machine or to hand out from."""

import asyncio
import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import Json, print_json, print_line

market = typer.Typer(name="market", help="A whole market in a folder.", no_args_is_help=True)


@market.command("init")
def init_market(
    folder: Annotated[Path, typer.Argument(help="Everything goes here; nothing that exists is overwritten.")],
    chain: Annotated[str, typer.Option(help="The node's JSON-RPC URL.")],
    broker: Annotated[str, typer.Option(help="RabbitMQ: amqp://host:port, without user and path.")],
    broker_management: Annotated[str, typer.Option(help="Its management API: http://host:15672.")],
    administrator_password_file: Annotated[
        Path, typer.Option(help="File with the password of the broker's administrator.")
    ],
    administrator: Annotated[str, typer.Option(help="The broker's administrator.")] = "administrator",
    vhost: Annotated[str, typer.Option(help="The market's virtual host on the broker.")] = "deltaml",
    owners: Annotated[int, typer.Option(help="How many data owners.")] = 5,
    data: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file to deal to them; default: diabetes.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict; default: the last.")] = None,
    seed: Annotated[int, typer.Option(help="Deals the rows to the owners.", min=0)] = 39,
    confirmations: Annotated[int, typer.Option(help="Blocks that make a block final.", min=0, max=1000)] = 2,
    workers: Annotated[int, typer.Option(help="Each daemon's processes for arithmetic.", min=0)] = 1,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            help="First port of /metrics and /health, one a daemon from here on.", min=1024, max=65000
        ),
    ] = None,
    metrics_host: Annotated[
        str | None, typer.Option(help="Address that these ports are opened on; default: loopback.")
    ] = None,
    postgresql: Annotated[
        str | None,
        typer.Option(
            help="Stores in PostgreSQL instead of SQLite: postgresql://administrator@host:5432; every daemon "
            "gets a user and a database of its own."
        ),
    ] = None,
    postgresql_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of PostgreSQL's administrator.")
    ] = None,
    console_port: Annotated[
        int | None,
        typer.Option(help="First port of the web consoles, one a party from here on.", min=1024, max=65000),
    ] = None,
    console_host: Annotated[
        str,
        typer.Option(help="Address that they listen on; beyond loopback each gets a certificate of its own."),
    ] = "127.0.0.1",
    json: Json = False,
) -> None:
    """Make keys and configurations, create the contract, provision the broker, deal rows to the owners.

    Run it again to finish one that was interrupted. On a development node (anvil) it gives the accounts
    ether; on another it says which accounts need some.
    """
    from services.admin.market_documents import MarketPlan  # noqa: PLC0415
    from services.admin.market_setup import set_up  # noqa: PLC0415

    plan = MarketPlan(
        folder=folder,
        chain_url=chain,
        broker_url=broker.rstrip("/"),
        management_url=broker_management.rstrip("/"),
        administrator=administrator,
        administrator_password_file=administrator_password_file,
        virtual_host=vhost,
        owners=owners,
        data=data,
        target=target,
        seed=seed,
        confirmations=confirmations,
        workers=workers,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        postgresql_url=None if postgresql is None else postgresql.rstrip("/"),
        postgresql_password_file=postgresql_password_file,
        console_port=console_port,
        console_host=console_host,
    )
    made = asyncio.run(set_up(plan, (lambda _text: None) if json else print_line))
    parties = {party.name: party.address for party in made.folder.participants}
    if json:
        print_json(
            {
                "folder": str(made.folder.path),
                "contract": made.deployment.market.contract,
                "chain_id": made.deployment.market.chain_id,
                "first_block": made.deployment.block,
                "parties": parties,
                "written": [str(path) for path in made.written],
                "kept": [str(path) for path in made.kept],
            }
        )
        return
    for path in made.kept:
        print_line(f"kept as it was: {path}")
    print_line("\nStart the daemons, each in a terminal or under a supervisor:")
    print_line(f"  deltaml chain-listener --config {made.folder.listener / 'config.yaml'}")
    for party in made.folder.participants:
        kind = {"buyer": "model-buyer", "aggregator": "aggregator"}.get(party.name, "data-owner")
        print_line(f"  deltaml {kind} --config {party.folder / 'config.yaml'}")
    buyer = made.folder.buyer.folder
    print_line("Then order the sample training, and watch it:")
    print_line(f"  deltaml train {buyer / 'request.yaml'} --config {buyer / 'config.yaml'}")
    print_line(f"  deltaml trainings --config {buyer / 'config.yaml'}")


@market.command("administrator")
def make_administrator(
    folder: Annotated[Path, typer.Argument(help="Existing folder for the two files.")],
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
    from services.admin.market_folder import ensure_secret  # noqa: PLC0415
    from services.bus.broker.passwords import HASHING_ALGORITHM, password_hash  # noqa: PLC0415
    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.common.files import read_passphrase  # noqa: PLC0415

    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}; create it first")
    password, definitions = folder / "password", folder / "definitions.json"
    ensure_secret(password)
    for name in also or ():
        ensure_secret(folder / f"{name}-password")
    if not definitions.exists():
        known = {
            "name": user,
            "password_hash": password_hash(read_passphrase(password)),
            "hashing_algorithm": HASHING_ALGORITHM,
            "tags": ["administrator"],
        }
        # Another user of the system, the broker, reads this. The password is long and random: its hash is
        # of no use to guess it.
        definitions.write_text(json_module.dumps({"users": [known]}, indent=2) + "\n")
        definitions.chmod(0o644)
    if json:
        print_json({"user": user, "password_file": str(password), "definitions": str(definitions)})
    else:
        print_line(f"password of {user!r}: {password}\nload into the broker: {definitions}")
