"""`deltaml admin market add-owner | add-aggregator`: parties that come to a market that is there."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import MisuseError
from services.admin.market_folder import BROKER_PASSWORD, CONFIG
from services.admin.market_growth import Arrival, Newcomer, add_party
from services.cli.market_running import MarketPlace, narrator
from services.cli.options import ROWS_FILE, Json
from services.cli.output import print_json
from services.common.addresses import is_address, plain_address

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name and its folder's: letters, digits, hyphens.")
]
_Address = Annotated[
    str | None,
    typer.Option(help="The account of a party whose keys and daemon are on a machine of its own."),
]
_Chain = Annotated[str, typer.Option("--chain", help="How that machine reaches the node.")]
_Broker = Annotated[
    str, typer.Option("--broker", help="How that machine reaches the broker: amqps://host:5671.")
]


def add_owner(
    folder: MarketPlace,
    name: _Name,
    data: Annotated[Path | None, typer.Option(help=f"Its rows: {ROWS_FILE}.")] = None,
    address: _Address = None,
    chain: _Chain = "",
    broker: _Broker = "",
    json: Json = False,
) -> None:
    """Have another data owner take part: keys, ether, broker, configuration, admission; start its daemon.

    A daemon is started where others of the market run. Run it again to finish one that was interrupted.
    """
    newcomer = Newcomer(folder, name, "data_owner", data, _account(address), chain, broker)
    _add(newcomer, json=json)


def add_aggregator(
    folder: MarketPlace,
    name: _Name,
    replaces: Annotated[
        str | None, typer.Option(help="An aggregator that takes no new trainings from then on.")
    ] = None,
    address: _Address = None,
    chain: _Chain = "",
    broker: _Broker = "",
    json: Json = False,
) -> None:
    """Have another aggregator take part, as add-owner does; owners and buyer work with it from then on."""
    newcomer = Newcomer(
        folder, name, "federated_aggregator", None, _account(address), chain, broker, replaces
    )
    _add(newcomer, json=json)


def _account(address: str | None) -> str | None:
    if address is not None and not is_address(address):
        raise MisuseError(f"--address {address!r} is not an address: 0x and 40 hexadecimal digits")
    return None if address is None else plain_address(address)


def _add(newcomer: Newcomer, *, json: bool) -> None:
    made = asyncio.run(add_party(newcomer, narrator(json=json)))
    if json:
        order = None if made.order is None else str(made.order)
        document = {"name": made.name, "address": made.address, "folder": str(made.folder)}
        print_json({**document, "started": made.started, "order": order, "note": made.note})
    else:
        _show(newcomer, made)


def _show(newcomer: Newcomer, made: Arrival) -> None:
    if made.note:
        typer.echo(made.note)
    if newcomer.address is not None:
        typer.echo(
            f"Give its people {made.folder} over a channel that both trust ({CONFIG}, {BROKER_PASSWORD});"
        )
        typer.echo(
            "beside it they put their key store as keys/ and its passphrase, add rows if it is an owner,"
        )
        typer.echo("and start its daemon there.")
    elif not made.started:
        typer.echo(
            f"Nothing runs here; it starts with the others: deltaml admin market start {newcomer.folder}"
        )
    if newcomer.role == "data_owner" and newcomer.data is None and newcomer.address is None:
        typer.echo(f"Add its rows: deltaml datasets add FILE --config {made.folder / CONFIG}")
    if made.order is not None:
        typer.echo("Order a training with it:")
        typer.echo(f"  deltaml train {made.order} --config {made.order.parent / CONFIG} --follow")
    if newcomer.replaces is not None:
        typer.echo(
            f"When its trainings are over: deltaml admin market stop {newcomer.folder} {newcomer.replaces}"
        )
