"""`deltaml admin store`: a daemon's database, checked, upgraded, backed up and restored."""

from contextlib import closing
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated

import typer

from services.admin import store_backup, store_integrity
from services.admin.store_integrity import Damage
from services.cli.options import Json
from services.cli.output import print_result
from services.cli.store_option import ConfigOption, StoreOption, store_address
from services.cli.tables import print_table
from services.common.errors import StoreDamaged
from services.config.daemons import ROLES, load
from services.store.database import Database
from services.store.schema import bring_up_to_date, require_current

DAMAGED = 1
"""Exit status of `check` when something is wrong."""

store = typer.Typer(name="store", help="A daemon's database.", no_args_is_help=True)


@store.command()
def check(store: StoreOption = None, config: ConfigOption = None, json: Json = False) -> None:
    """Look for damage, also while the daemon runs; the exit status is 1 if there is any."""
    role = None if config is None else ROLES.get(load(config).daemon)
    try:
        with _database(store, config, existing=True) as database:
            require_current(database)
            damage = store_integrity.check(database, role)
    except StoreDamaged as error:
        damage = [Damage("unreadable", str(error))]
    if damage and not json:
        print_table(("what", "where"), map(astuple, damage))
    else:
        document = {"sound": not damage, "damage": [asdict(finding) for finding in damage]}
        print_result(document, "the store is sound", json=json)
    if damage:
        raise typer.Exit(DAMAGED)


@store.command()
def upgrade(store: StoreOption = None, config: ConfigOption = None, json: Json = False) -> None:
    """Bring a store of an older version up to date, as its daemon would at its start; back it up first."""
    with _database(store, config, exclusive=True, existing=True) as database:
        before, after = bring_up_to_date(database)
    text = f"schema version {after}" + ("" if before == after else f", it was {before or 'none'}")
    print_result({"before": before, "after": after}, text, json=json)


@store.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; only its owner can read it.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Write everything into one file, also while the daemon runs."""
    with _database(store, config, existing=True) as database:
        require_current(database)
        store_backup.backup(database, file)
    typer.echo(f"{file} is written and checked")


@store.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` wrote.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    resume: Annotated[
        bool,
        typer.Option(help="Go on with trainings: only if the daemon has not run since the backup was made."),
    ] = False,
) -> None:
    """Fill an empty store, of either database, from a backup.

    Trainings that were under way are given up unless --resume says that nothing was answered since: a
    question answered twice gives away what one answer does not.
    """
    with _database(store, config, exclusive=True) as database:
        given_up = store_backup.restore(file, database, resume=resume)
        typer.echo(f"{database.place} is restored; {given_up} trainings were given up")


def _database(
    store: str | None, config: Path | None, *, exclusive: bool = False, existing: bool = False
) -> closing[Database]:
    url, password = store_address(store, config)
    return closing(Database(url, password=password, exclusive=exclusive, existing=existing))
