"""`deltaml admin store`: a daemon's database, checked, upgraded, backed up and restored."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.admin import store_backup, store_integrity
from services.admin.store_integrity import Damage
from services.cli.options import Json
from services.cli.output import print_json, print_line, print_table
from services.cli.store_option import ConfigOption, StoreOption, store_address
from services.common.errors import StoreDamaged
from services.config.daemons import load
from services.store.database import Database
from services.store.schema import bring_up_to_date, require_current

DAMAGED = 1
"""Exit status of `check` when something is wrong."""

store = typer.Typer(name="store", help="A daemon's database.", no_args_is_help=True)

_ROLES = {"model-buyer": "model_buyer", "data-owner": "data_owner", "aggregator": "federated_aggregator"}


@store.command()
def check(store: StoreOption = None, config: ConfigOption = None, json: Json = False) -> None:
    """Look for damage, also while the daemon runs; the exit status is 1 if there is any."""
    role = None if config is None else _ROLES.get(load(config).daemon)
    try:
        with _existing_database(store, config) as database:
            damage = store_integrity.check(database, role)
    except StoreDamaged as error:
        damage = [Damage("unreadable", str(error))]
    rows = [(finding.code, finding.place) for finding in damage]
    if json:
        print_json({"sound": not rows, "damage": [{"code": code, "place": place} for code, place in rows]})
    elif rows:
        print_table(("what", "where"), rows)
    else:
        print_line("the store is sound")
    if damage:
        raise typer.Exit(DAMAGED)


@store.command()
def upgrade(store: StoreOption = None, config: ConfigOption = None, json: Json = False) -> None:
    """Bring a store of an older version up to date, as its daemon would at its start; back it up first."""
    with _database(store, config, exclusive=True, existing=True) as database:
        before, after = bring_up_to_date(database)
    if json:
        print_json({"before": before, "after": after})
    else:
        print_line(f"schema version {after}" + ("" if before == after else f", it was {before or 'none'}"))


@store.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; only its owner can read it.")],
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Write everything into one file, also while the daemon runs."""
    with _existing_database(store, config) as database:
        store_backup.backup(database, file)
    print_line(f"{file} is written and checked")


@store.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
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
        print_line(f"{database.place} is restored; {given_up} trainings were given up")


@contextmanager
def _existing_database(store: str | None, config: Path | None) -> Iterator[Database]:
    with _database(store, config, existing=True) as database:
        require_current(database)
        yield database


@contextmanager
def _database(
    store: str | None, config: Path | None, *, exclusive: bool = False, existing: bool = False
) -> Iterator[Database]:
    url, password = store_address(store, config)
    with closing(Database(url, password=password, exclusive=exclusive, existing=existing)) as database:
        yield database
