"""`deltaml keys`: a daemon's key store."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Json, ask_secret
from services.cli.output import print_fields
from services.identity.keystore import Keystore, public_identity

keys = typer.Typer(name="keys", help="Signing, exchange and Paillier keys of a daemon.", no_args_is_help=True)

_Keystore = Annotated[Path, typer.Option("--keystore", help="Folder of the key store.")]
_Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with the passphrase; asked for when left out.")
]


@keys.command()
def create(keystore: _Keystore, passphrase_file: _Passphrase = None, json: Json = False) -> None:
    """Make a folder with new keys."""
    Keystore.create(keystore, ask_secret(passphrase_file, "New passphrase", confirm=True))
    _show(keystore, json=json)


@keys.command()
def show(keystore: _Keystore, json: Json = False) -> None:
    """Show address and exchange key; no passphrase is needed."""
    _show(keystore, json=json)


@keys.command()
def rotate(keystore: _Keystore, passphrase_file: _Passphrase = None, json: Json = False) -> None:
    """Make a new exchange key. Trainings under way keep the old one; register the new one on chain."""
    Keystore.open(keystore, ask_secret(passphrase_file, "Passphrase")).rotate_exchange_key()
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
    opened = Keystore.open(keystore, ask_secret(passphrase_file, "Passphrase"))
    opened.change_passphrase(ask_secret(new_passphrase_file, "New passphrase", confirm=True))
    _show(keystore, json=json)


def _show(keystore: Path, *, json: bool) -> None:
    identity = public_identity(keystore)
    fields = {
        "keystore": str(keystore),
        "address": identity.address,
        "exchange_key": f"0x{identity.exchange_key.hex()}",
        "paillier_keys": identity.paillier_keys,
    }
    print_fields(fields, json=json)
