"""`deltaml console user`: who may sign in to a daemon's web console."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from services.console.auth.accounts import Accounts

console = typer.Typer(name="console", help="The web console of a daemon.", no_args_is_help=True)
user = typer.Typer(name="user", help="Accounts that may sign in to the web console.", no_args_is_help=True)
console.add_typer(user)

_Config = Annotated[Path, typer.Option(help="The daemon's YAML file, with a section console.")]
_Name = Annotated[str, typer.Argument(help="The account's name.")]
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
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    accounts = _accounts(config)
    if role not in ("viewer", "operator"):
        raise ConfigurationError(f"there is no role {role!r}; give --role viewer or --role operator")
    accounts.add(name, _password(password_file), "operator" if role == "operator" else "viewer")
    _told({"account": name, "role": role, "done": "added"}, json=json)


@user.command("list")
def list_accounts(config: _Config, json: Json = False) -> None:
    """List the accounts and their roles."""
    known = _accounts(config).all()
    if json:
        print_json([{"account": name, "role": account.role} for name, account in known.items()])
        return
    print_table(("account", "role"), [(name, account.role) for name, account in known.items()])


@user.command()
def passwd(name: _Name, config: _Config, password_file: _Password = None, json: Json = False) -> None:
    """Change a password; all sessions of the account end."""
    _accounts(config).change_password(name, _password(password_file))
    _told({"account": name, "done": "password changed"}, json=json)


@user.command()
def remove(name: _Name, config: _Config, json: Json = False) -> None:
    """Remove an account; its sessions end."""
    _accounts(config).remove(name)
    _told({"account": name, "done": "removed"}, json=json)


def _accounts(config: Path) -> "Accounts":
    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.config.daemons import Participant, load  # noqa: PLC0415
    from services.console.auth.accounts import Accounts  # noqa: PLC0415

    settings = load(config)
    if not isinstance(settings, Participant) or settings.console is None:
        raise ConfigurationError(f"{config} has no section console; add one with its port")
    return Accounts(settings.console.users_file)


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    from services.common.files import read_passphrase  # noqa: PLC0415

    return read_passphrase(file)


def _told(what: dict[str, str], *, json: bool) -> None:
    if json:
        print_json(what)
    else:
        print_line(", ".join(f"{name}: {value}" for name, value in what.items()))
