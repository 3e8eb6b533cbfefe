"""`deltaml keys`: a daemon's key store."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import Json, print_json, print_line

keys = typer.Typer(name="keys", help="Signing, exchange and Paillier keys of a daemon.", no_args_is_help=True)

_Keystore = Annotated[Path, typer.Option("--keystore", help="Folder of the key store.")]
_Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with the passphrase; asked for when left out.")
]


@keys.command()
def create(keystore: _Keystore, passphrase_file: _Passphrase = None, json: Json = False) -> None:
    """Make a folder with new keys."""
    from services.identity.keystore import Keystore  # noqa: PLC0415

    Keystore.create(keystore, _passphrase(passphrase_file, "New passphrase", confirm=True))
    _show(keystore, json=json)


@keys.command()
def show(keystore: _Keystore, json: Json = False) -> None:
    """Show address and exchange key; no passphrase is needed."""
    _show(keystore, json=json)


@keys.command()
def rotate(keystore: _Keystore, passphrase_file: _Passphrase = None, json: Json = False) -> None:
    """Make a new exchange key. Trainings under way keep the old one; register the new one on chain."""
    from services.identity.keystore import Keystore  # noqa: PLC0415

    Keystore.open(keystore, _passphrase(passphrase_file, "Passphrase")).rotate_exchange_key()
    _show(keystore, json=json)


@keys.command()
def passphrase(
    keystore: _Keystore,
    passphrase_file: _Passphrase = None,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the new passphrase; asked for when left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Change the passphrase; the keys stay."""
    from services.identity.keystore import Keystore  # noqa: PLC0415

    opened = Keystore.open(keystore, _passphrase(passphrase_file, "Passphrase"))
    opened.change_passphrase(_passphrase(new_passphrase_file, "New passphrase", confirm=True))
    _show(keystore, json=json)


def _passphrase(file: Path | None, question: str, *, confirm: bool = False) -> str:
    if file is None:
        return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))
    from services.common.files import read_passphrase  # noqa: PLC0415

    return read_passphrase(file)


def _show(keystore: Path, *, json: bool) -> None:
    from services.identity.keystore import public_identity  # noqa: PLC0415

    identity = public_identity(keystore)
    shown = {
        "keystore": str(keystore),
        "address": identity.address,
        "exchange_key": f"0x{identity.exchange_key.hex()}",
        "paillier_keys": identity.paillier_keys,
    }
    if json:
        print_json(shown)
        return
    for name, value in shown.items():
        print_line(f"{name.replace('_', ' '):<14}{value}")
