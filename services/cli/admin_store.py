"""`deltaml admin store`: a daemon's database, checked, upgraded, backed up and restored."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from services.store.database import Database

DAMAGED = 1
"""Exit status of `check` when something is wrong."""

store = typer.Typer(name="store", help="A daemon's database.", no_args_is_help=True)

_Store = Annotated[str | None, typer.Option("--store", help="The daemon's SQLite file or PostgreSQL URL.")]
_Config = Annotated[Path | None, typer.Option("--config", help="Use the store of this daemon's file.")]
_ROLES = {"model-buyer": "model_buyer", "data-owner": "data_owner", "aggregator": "federated_aggregator"}


@store.command()
def check(store: _Store = None, config: _Config = None, json: Json = False) -> None:
    """Look for damage, also while the daemon runs; the exit status is 1 if there is any."""
    from services.admin.store_integrity import Damage  # noqa: PLC0415
    from services.admin.store_integrity import check as checked  # noqa: PLC0415
    from services.common.errors import StoreDamaged  # noqa: PLC0415
    from services.config.daemons import load  # noqa: PLC0415
    from services.store.schema import require_current  # noqa: PLC0415

    role = None if config is None else _ROLES.get(load(config).daemon)
    try:
        with _database(store, config, existing=True) as database:
            require_current(database)
            damage = checked(database, role)
    except StoreDamaged as error:
        damage = [Damage("unreadable", str(error))]
    if json:
        print_json(
            {"sound": not damage, "damage": [{"code": one.code, "place": one.place} for one in damage]}
        )
    elif damage:
        print_table(("what", "where"), [(one.code, one.place) for one in damage])
    else:
        print_line("the store is sound")
    if damage:
        raise typer.Exit(DAMAGED)


@store.command()
def upgrade(store: _Store = None, config: _Config = None, json: Json = False) -> None:
    """Bring a store of an older version up to date, as its daemon would at its start; back it up first."""
    from services.store.schema import bring_up_to_date  # noqa: PLC0415

    with _database(store, config, exclusive=True, existing=True) as database:
        before, after = bring_up_to_date(database)
    if json:
        print_json({"before": before, "after": after})
    else:
        print_line(f"schema version {after}" + ("" if before == after else f", it was {before or 'none'}"))


@store.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; only its owner can read it.")],
    store: _Store = None,
    config: _Config = None,
) -> None:
    """Write everything into one file, also while the daemon runs."""
    from services.admin.store_backup import backup as copied  # noqa: PLC0415
    from services.store.schema import require_current  # noqa: PLC0415

    with _database(store, config, existing=True) as database:
        require_current(database)
        copied(database, file)
    print_line(f"{file} is written and checked")


@store.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    store: _Store = None,
    config: _Config = None,
    resume: Annotated[
        bool,
        typer.Option(help="Go on with trainings: only if the daemon has not run since the backup was made."),
    ] = False,
) -> None:
    """Fill an empty store, of either database, from a backup.

    Trainings that were under way are given up unless --resume says that nothing was answered since: a
    question answered twice gives away what one answer does not.
    """
    from services.admin.store_backup import restore as restored  # noqa: PLC0415

    with _database(store, config, exclusive=True) as database:
        given_up = restored(file, database, resume=resume)
        print_line(f"{database.place} is restored; {given_up} trainings were given up")


@contextmanager
def _database(
    store: str | None, config: Path | None, *, exclusive: bool = False, existing: bool = False
) -> "Iterator[Database]":
    from services.cli.store_option import place_of  # noqa: PLC0415
    from services.store.database import Database  # noqa: PLC0415

    url, password = place_of(store, config)
    database = Database(url, password=password, exclusive=exclusive, existing=existing)
    try:
        yield database
    finally:
        database.close()
