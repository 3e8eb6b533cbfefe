"""`deltaml admin market start | status | stop`: the processes of a market on this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.admin.market_admission import not_admitted, not_admitted_text
from services.admin.market_control import START_SECONDS, STOP_SECONDS, MarketControl, Standing
from services.admin.market_folder import CONFIG
from services.cli.options import Json
from services.cli.output import print_json
from services.cli.standard_streams import FAILURE, visible

MarketPlace = Annotated[Path, typer.Argument(metavar="FOLDER", help="The market's folder, as init made it.")]
_Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="These processes only; all by default.")
]


def _seconds(done: str) -> Any:
    """The option of how long to wait until all processes are as they are wanted."""
    return typer.Option(help=f"Seconds until all must {done}.", min=1, max=3600)


_COLUMNS = ("role", "name", "address", "process", "state", "console")


def start(
    folder: MarketPlace,
    names: _Names = None,
    wait: Annotated[float, _seconds("be in good health")] = START_SECONDS,
    json: Json = False,
) -> None:
    """Start what does not run: the market's own chain and broker, then its daemons; wait until all are well.

    They run on when the command has ended, each with its number in run/ and what it prints in logs/. Exit
    status 3 when one does not come up.

    Owners are then waited for until their aggregators have admitted them: no order reaches them before.
    """
    control = MarketControl(folder)
    found = control.start(names or (), wait, narrator(json=json))
    is_well = all(one.is_well for one in found)
    waited_for = not_admitted(control) if is_well else ()
    _show(found, json=json)
    if not json and is_well:
        _next_steps(control)
    for name in waited_for:
        typer.echo(visible(not_admitted_text(name)), err=True)
    for one in found if not json else ():
        if one.pid is not None and not one.is_well:
            typer.echo(visible(advice(one, control.slot(one.name).log, wait)), err=True)
    _fail_unless(is_well)


def status(folder: MarketPlace, json: Json = False) -> None:
    """Show every process of the market; exit status 3 when one is down or not in good health."""
    found = MarketControl(folder).status()
    _show(found, json=json)
    _fail_unless(all(one.is_well for one in found))


def stop(
    folder: MarketPlace,
    names: _Names = None,
    wait: Annotated[float, _seconds("have ended")] = STOP_SECONDS,
    json: Json = False,
) -> None:
    """Have the market's processes end (SIGTERM), daemons first; exit status 3 when one does not.

    Trainings under way go on at the next start, as far as their deadlines allow.
    """
    left = MarketControl(folder).stop(names or (), wait, narrator(json=json))
    if json:
        print_json([_record(one) for one in left])
    for one in left if not json else ():
        typer.echo(
            f"{one.name} has not ended in {wait:g} s: run stop again, or end process {one.pid} by kill -9; "
            "what it had in hand it takes up at its next start",
            err=True,
        )
    _fail_unless(not left)


def advice(one: Standing, log: Path, seconds: float) -> str:
    """What to do about a process that runs and has not become well in time."""
    return (
        f"{one.name} is {one.state} after {seconds:g} s, and runs on: {log} tells what it waits for; status "
        "shows how it goes on, and start, run again, waits once more, longer with --wait"
    )


def narrator(*, json: bool) -> Callable[[str], None]:
    """Tells people what happens; programs read the document at the end."""
    return lambda text: None if json else typer.echo(visible(text))


def _show(found: Sequence[Standing], *, json: bool) -> None:
    if json:
        print_json([_record(one) for one in found])
        return
    rows = [
        (
            one.role.replace("_", " "),
            one.name,
            one.address or one.url,
            str(one.pid or ""),
            one.state,
            one.console,
        )
        for one in found
    ]
    # No table of rich's: an address that is broken at the terminal's width cannot be copied.
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(visible("  ".join(cells).rstrip()))
    for one in found:
        if one.detail:
            typer.echo(visible(f"{one.name}: {one.detail}"))


def _record(one: Standing) -> dict[str, object]:
    names = ("role", "name", "address", "pid", "state", "detail", "console", "url")
    return {name: getattr(one, name) for name in names}


def _next_steps(control: MarketControl) -> None:
    buyers = [one for one in control.members if one.config.daemon == "model-buyer"]
    for buyer in buyers[:1]:
        typer.echo("Sign in to a console as operator; the password is in its party's folder, such as")
        typer.echo(f"  {buyer.folder / 'console-password'}")
        typer.echo("Order the newest sample training, and watch it:")
        order = buyer.folder / control.record.order
        typer.echo(f"  deltaml train {order} --config {buyer.folder / CONFIG} --follow")


def _fail_unless(is_well: bool) -> None:
    if not is_well:
        raise typer.Exit(FAILURE)
