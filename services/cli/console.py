"""`deltaml console user`: who may sign in to a daemon's web console."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Json, ask_secret
from services.cli.output import print_outcome, print_records
from services.common.errors import ConfigurationError
from services.config.daemons import Participant, load
from services.console.auth.accounts import Accounts

console = typer.Typer(name="console", help="The web console of a daemon.", no_args_is_help=True)
user = typer.Typer(name="user", help="Accounts that may sign in to the web console.", no_args_is_help=True)
console.add_typer(user)

_Config = Annotated[Path, typer.Option(help="The daemon's YAML file, with a section console.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]
_Password = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; asked for when left out.")
]


@user.command()
def add(
    name: _Name,
    config: _Config,
    role: Annotated[str, typer.Option(help="viewer reads, operator acts too.")] = "viewer",
    password_file: _Password = None,
    json: Json = False,
) -> None:
    """Make an account."""
    accounts = _accounts(config)
    if role not in ("viewer", "operator"):
        raise ConfigurationError(f"there is no role {role!r}; give --role viewer or --role operator")
    accounts.add(
        name,
        ask_secret(password_file, "Password", confirm=True),
        "operator" if role == "operator" else "viewer",
    )
    print_outcome({"account": name, "role": role, "done": "added"}, json=json)


@user.command("list")
def list_accounts(config: _Config, json: Json = False) -> None:
    """List the accounts and their roles."""
    accounts = [{"account": name, "role": account.role} for name, account in _accounts(config).all().items()]
    nothing = f"no account yet: deltaml console user add NAME --role operator --config {config}"
    print_records(accounts, {"account": "account", "role": "role"}, json=json, empty=nothing)


@user.command()
def passwd(name: _Name, config: _Config, password_file: _Password = None, json: Json = False) -> None:
    """Change a password; all sessions of the account end."""
    _accounts(config).change_password(name, ask_secret(password_file, "Password", confirm=True))
    print_outcome({"account": name, "done": "password changed"}, json=json)


@user.command()
def remove(name: _Name, config: _Config, json: Json = False) -> None:
    """Remove an account; its sessions end."""
    _accounts(config).remove(name)
    print_outcome({"account": name, "done": "removed"}, json=json)


def _accounts(config: Path) -> Accounts:
    settings = load(config)
    if not isinstance(settings, Participant) or settings.console is None:
        raise ConfigurationError(f"{config} has no console section; add one with its port")
    return Accounts(settings.console.users_file)
