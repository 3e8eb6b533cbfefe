"""A market's folder: one folder for each party with its keys, passwords and configuration.

Each party's folder holds all that its daemon needs and nothing of another party's, so that it can be handed
over, or mounted alone into a container. Paths in its configuration are relative to it.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from protocol.marketplace import PartyRole
from services.chain.contract.registry import REGISTRY, ContractRegistry, Deployment
from services.common.errors import ConfigurationError
from services.common.files import private_folder, read_passphrase, write_private
from services.config.daemons import Kind
from services.identity.keystore import Cost, Keystore, public_identity

CONFIG, PASSPHRASE, BROKER_PASSWORD = "config.yaml", "passphrase", "broker-password"
STORE_PASSWORD = "store-password"  # noqa: S105  a file's name
DATA_SETS, REQUEST, KEYS, BROKER_PLAN = "datasets", "request.yaml", "keys", "broker.yaml"
_PASSWORD_BYTES = 24

KINDS: Mapping[PartyRole, Kind] = {
    "model_buyer": "model-buyer",
    "federated_aggregator": "aggregator",
    "data_owner": "data-owner",
}


@dataclass(frozen=True, slots=True)
class Party:
    """A party of the market; `role` is None for the account that creates the contract."""

    name: str
    folder: Path
    role: PartyRole | None

    @property
    def address(self) -> str:
        """Its account; its user on the broker too."""
        return public_identity(self.folder / KEYS).address

    def ensure_keys(self, cost: Cost | None = None) -> None:
        """Make passphrase and key store unless they are there; `cost` is for tests."""
        private_folder(self.folder)
        ensure_secret(self.folder / PASSPHRASE)
        if not (self.folder / KEYS / "keystore.json").exists():
            Keystore.create(self.folder / KEYS, read_passphrase(self.folder / PASSPHRASE), cost)

    def open_keys(self) -> Keystore:
        """The opened key store."""
        return Keystore.open(self.folder / KEYS, read_passphrase(self.folder / PASSPHRASE))


@dataclass(frozen=True, slots=True)
class MarketFolder:
    """Where everything of a market lies; nothing is made yet."""

    path: Path
    buyer: Party
    aggregator: Party
    owners: tuple[Party, ...]
    deployer: Party

    @classmethod
    def of(cls, path: Path, owners: int, added: Collection[str] = ()) -> "MarketFolder":
        """The layout for so many owners, besides those that were `added` later.

        Raises ConfigurationError when the folder holds another number.
        """
        names = [f"owner-{number}" for number in range(1, owners + 1)]
        there = {folder.name for folder in path.glob("owner-*") if folder.is_dir()}.difference(added)
        admitted = (path / "aggregator" / CONFIG).exists()
        if there - set(names) or (admitted and there != set(names)):
            # The aggregator's list and the broker's would stay as they are: a new owner could do nothing.
            raise ConfigurationError(
                f"{path} was made for {len(there)} owners: give --owners {len(there)}, or another folder"
            )
        return cls(
            path,
            Party("buyer", path / "buyer", "model_buyer"),
            Party("aggregator", path / "aggregator", "federated_aggregator"),
            tuple(Party(name, path / name, "data_owner") for name in names),
            Party("deployer", path / "deployer", None),
        )

    @property
    def participants(self) -> tuple[Party, ...]:
        """Everybody with a role."""
        return (self.buyer, self.aggregator, *self.owners)

    @property
    def listener(self) -> Path:
        """The chain listener's folder; it has no keys."""
        return self.path / "chain-listener"

    @property
    def broker_plan(self) -> Path:
        """The broker's plan, for `deltaml admin broker`."""
        return self.path / BROKER_PLAN

    @property
    def registry(self) -> Path:
        """The file that tells of the market's contract."""
        return self.path / REGISTRY

    def deployment(self) -> Deployment | None:
        """The contract that this market was set up with, if it was.

        Raises ConfigurationError for a file that is damaged, or tells of several.
        """
        contracts = ContractRegistry.find(self.registry).contracts
        if len(contracts) > 1:
            raise ConfigurationError(
                f"{self.registry} tells of {len(contracts)} contracts, and a market has one: leave its own"
            )
        return contracts[0] if contracts else None

    def note_deployment(self, deployment: Deployment) -> None:
        """Remember the contract."""
        ContractRegistry(contracts=(deployment,)).write(self.registry, private=True)


def ensure_secret(path: Path) -> None:
    """Write a random password, unless there is one."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_PASSWORD_BYTES).encode() + b"\n", replace=False)


def yaml_text(document: dict[str, Any], remark: str) -> bytes:
    """A document for people, UTF-8."""
    return f"# {remark}\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True)}".encode()
