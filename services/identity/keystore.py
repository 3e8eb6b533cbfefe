"""A daemon's secrets in a folder, under one passphrase.

`keystore.json` holds the signing key as an Ethereum keystore (Web3 Secret Storage version 3, scrypt), a
random data key sealed under an argon2id key of the same passphrase, and the exchange secrets sealed under the
data key. It is the only file that depends on the passphrase, so changing that is one rename. Each Paillier
key is a file of its own, sealed under the data key. Sealing is libsodium's secretbox (XSalsa20-Poly1305),
which detects changes.
"""

import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgpack  # type: ignore[import-untyped]
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from protocol.crypto.cipher import PrivateKey, generate_private_key
from protocol.errors import DeltaMLError
from services.common.errors import ConfigurationError
from services.common.files import private_folder, read_private, require_private, write_private
from services.identity.keys import Identity
from services.identity.sealing import exchange_key_of
from services.identity.signed_rounds import SignedRounds

LEAST_PASSPHRASE = 8
_VERSION = 1
_FILE = "keystore.json"
_SIGNED = "signed-rounds"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs an attacker: scrypt's n, argon2id's passes and bytes."""

    scrypt_n: int = 1 << 18
    argon_passes: int = argon2id.OPSLIMIT_MODERATE
    argon_bytes: int = argon2id.MEMLIMIT_MODERATE


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """What a key store shows without its passphrase."""

    address: str
    exchange_key: bytes
    paillier_keys: int


class Keystore:
    """An opened key store; no secret shows in its repr. Its methods may be called from several threads."""

    def __init__(self, folder: Path, document: dict[str, Any], signing_key: bytes, data_key: bytes) -> None:
        """Use `create` or `open`."""
        self._folder, self._document = folder, document
        self._signing_key, self._box = signing_key, SecretBox(data_key)
        self._lock = threading.Lock()

    @classmethod
    def create(cls, folder: Path | str, passphrase: str, cost: Cost | None = None) -> Self:
        """Make the folder with a new signing key and exchange secret.

        Raises ConfigurationError for a passphrase under 8 characters, a folder that others can enter, or one
        that holds a key store already.
        """
        directory = private_folder(Path(folder))
        if (directory / _FILE).exists():
            raise ConfigurationError(f"there is a key store in {directory} already; choose another folder")
        signing_key, data_key = _new_signing_key(), os.urandom(SecretBox.KEY_SIZE)
        document = _protected(signing_key, data_key, passphrase, cost or Cost())
        document.update(_sealed_exchange([os.urandom(32)], SecretBox(data_key)))
        write_private(directory / _FILE, _json(document), replace=False)
        return cls(directory, document, signing_key, data_key)

    @classmethod
    def open(cls, folder: Path | str, passphrase: str) -> Self:
        """Raises ConfigurationError for a wrong passphrase and a missing, damaged or too open file."""
        directory = Path(folder)
        document = _read(directory)
        opened = cls(directory, document, *_open_keys(document, passphrase, directory))
        if opened.identity.address != _address(document):
            raise _damaged(directory)
        return opened

    def __repr__(self) -> str:
        return f"Keystore({str(self._folder)!r}, {_address(self._document)!r})"

    def signed_rounds(self) -> SignedRounds:
        """What was signed with its key; raises ConfigurationError where that cannot be read."""
        return SignedRounds(self._folder / _SIGNED)

    @property
    def identity(self) -> Identity:
        """The signing key and the newest exchange secret."""
        newest, *older = self.exchange_secrets()
        return Identity(self._signing_key, newest, tuple(older))

    def exchange_secrets(self) -> tuple[bytes, ...]:
        """The newest first; a training joined before a rotation is still sealed to an older key."""
        content = self._unseal(_octets(self._document, "exchange_secrets", self._folder), _FILE)
        return tuple(msgpack.unpackb(content))

    def rotate_exchange_key(self) -> bytes:
        """Make a new exchange secret and keep the old ones; returns the public key to register on chain."""
        with self._lock:
            secrets = [os.urandom(32), *self.exchange_secrets()]
            self._replace({**self._document, **_sealed_exchange(secrets, self._box)})
        return exchange_key_of(secrets[0])

    def change_passphrase(self, passphrase: str, cost: Cost | None = None) -> None:
        """Let this passphrase open the store; raises ConfigurationError for one that is too short."""
        with self._lock:
            data_key = self._box.encode()
            protected = _protected(self._signing_key, data_key, passphrase, cost or Cost())
            self._replace({**self._document, **protected})

    def paillier(self, label: str, bits: int, *, create: bool = True) -> bytes:
        """The Paillier key of this label as `PrivateKey.to_bytes`, made on first use; one for each training.

        Raises ConfigurationError when there is none and `create` is false, when the one there is has another
        length, and when its file is damaged or another label's.
        """
        path = self._folder / f"paillier-{hashlib.sha256(label.encode()).hexdigest()[:40]}.sealed"
        with self._lock:
            if not path.exists():
                if not create:
                    raise ConfigurationError(f"{self._folder} has no Paillier key for {label!r}")
                key = generate_private_key(bits).to_bytes()
                write_private(path, bytes(self._box.encrypt(msgpack.packb([label, key]))), replace=False)
        stored_label, key = msgpack.unpackb(self._unseal(read_private(path), path.name))
        if stored_label != label:
            raise ConfigurationError(f"{path} is another label's key; put the original file back")
        length = PrivateKey.from_bytes(key).public_key.bits
        if length != bits:
            raise ConfigurationError(f"the Paillier key for {label!r} has {length} bits; {bits} asked")
        return bytes(key)

    def _unseal(self, sealed: bytes, name: str) -> bytes:
        try:
            return self._box.decrypt(sealed)
        except (CryptoError, ValueError, TypeError):
            raise ConfigurationError(f"{self._folder / name} is damaged; put a backup in its place") from None

    def _replace(self, document: dict[str, Any]) -> None:
        write_private(self._folder / _FILE, _json(document))
        self._document = document


def public_identity(folder: Path | str) -> PublicIdentity:
    """What can be known without the passphrase; raises ConfigurationError as `Keystore.open` does."""
    directory = Path(folder)
    document = _read(directory)
    return PublicIdentity(
        _address(document),
        _octets(document, "exchange_key", directory),
        len(list(directory.glob("paillier-*.sealed"))),
    )


def _new_signing_key() -> bytes:
    from coincurve import PrivateKey as SigningKey  # noqa: PLC0415

    return SigningKey().secret


def _protected(signing_key: bytes, data_key: bytes, passphrase: str, cost: Cost) -> dict[str, Any]:
    """The parts of the document that depend on the passphrase."""
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415  a second to import

    if len(passphrase) < LEAST_PASSPHRASE:
        raise ConfigurationError(f"the passphrase is too short; use {LEAST_PASSPHRASE} characters or more")
    salt = os.urandom(argon2id.SALTBYTES)
    outer = _argon_box(passphrase, salt, cost.argon_passes, cost.argon_bytes)
    return {
        "version": _VERSION,
        "signing_key": create_keyfile_json(
            signing_key, passphrase.encode(), kdf="scrypt", iterations=cost.scrypt_n
        ),
        "data_key": {
            "kdf": "argon2id",
            "passes": cost.argon_passes,
            "bytes": cost.argon_bytes,
            "salt": salt.hex(),
            "sealed": bytes(outer.encrypt(data_key)).hex(),
        },
    }


def _sealed_exchange(secrets: list[bytes], box: SecretBox) -> dict[str, Any]:
    return {
        "exchange_key": exchange_key_of(secrets[0]).hex(),
        "exchange_secrets": bytes(box.encrypt(msgpack.packb(secrets))).hex(),
    }


def _argon_box(passphrase: str, salt: bytes, passes: int, memory: int) -> SecretBox:
    return SecretBox(
        argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=passes, memlimit=memory)
    )


def _open_keys(document: dict[str, Any], passphrase: str, directory: Path) -> tuple[bytes, bytes]:
    """(signing key, data key)."""
    from eth_keyfile.exceptions import EthKeyfileException  # noqa: PLC0415
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415

    try:
        signing_key = bytes(decode_keyfile_json(document["signing_key"], passphrase.encode()))
        parts = document["data_key"]
        box = _argon_box(passphrase, bytes.fromhex(parts["salt"]), parts["passes"], parts["bytes"])
        return signing_key, box.decrypt(bytes.fromhex(parts["sealed"]))
    except (KeyError, TypeError, ValueError, CryptoError, EthKeyfileException) as error:
        if "MAC mismatch" in str(error):
            raise ConfigurationError(f"the passphrase does not open the key store in {directory}") from None
        raise _damaged(directory) from None


def _read(directory: Path) -> dict[str, Any]:
    if not (directory / _FILE).is_file():
        raise ConfigurationError(f"there is no key store in {directory}; make one with: deltaml keys create")
    require_private(directory)
    try:
        document = json.loads(read_private(directory / _FILE))
    except ValueError:
        raise _damaged(directory) from None
    if not isinstance(document, dict) or not re.fullmatch(r"0x[0-9a-f]{40}", _address(document)):
        raise _damaged(directory)
    if document.get("version") != _VERSION:
        raise ConfigurationError(
            f"{directory / _FILE} was written by another version; use that one to open it"
        )
    return document


def _address(document: dict[str, Any]) -> str:
    try:
        return f"0x{document['signing_key']['address'].lower()}"
    except (KeyError, TypeError, AttributeError):
        return ""


def _octets(document: dict[str, Any], name: str, directory: Path) -> bytes:
    try:
        return bytes.fromhex(document[name])
    except (KeyError, TypeError, ValueError):
        raise _damaged(directory) from None


def _damaged(directory: Path) -> DeltaMLError:
    return ConfigurationError(f"{directory / _FILE} is damaged; put a backup in its place")


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"
