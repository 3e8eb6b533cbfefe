"""Which contracts stand where: `deploy/contracts.json`, and the file of that name in a market's folder."""

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from protocol.records import Market
from protocol.types import Address, FrozenModel
from services.common.errors import ConfigurationError
from services.common.files import read_bounded, write_private
from services.common.problems import lines_of

REGISTRY = "contracts.json"
"""The file's name."""

_LONGEST = 1 << 20
_MOST = 1000
_PUBLIC = 0o644

Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", max_length=66)]


class Deployment(FrozenModel):
    """A contract as it was deployed; no event is older than `block`, in which `transaction` made it."""

    chain_id: Annotated[int, Field(ge=1, lt=1 << 63)]
    address: Address
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]{1,32}$")]
    interface_id: Annotated[str, Field(pattern=r"^0x[0-9a-f]{8}$")]
    code_hash: Hash
    block: Annotated[int, Field(ge=0, lt=1 << 63)]
    transaction: Hash

    @property
    def market(self) -> Market:
        """Which contract on which chain."""
        return Market(chain_id=self.chain_id, contract=self.address)


class ContractRegistry(FrozenModel):
    """All deployments that a file tells of, each contract once, in the order they were made."""

    contracts: Annotated[tuple[Deployment, ...], Field(max_length=_MOST)] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({one.market for one in self.contracts}) < len(self.contracts):
            raise ValueError("a contract is listed twice: leave one of the entries out")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """The registry in a file of at most 1 MiB.

        Raises ConfigurationError where there is none, or it is damaged.
        """
        try:
            return cls.model_validate_json(read_bounded(path, _LONGEST))
        except ValidationError as error:
            wrong = "; ".join(lines_of(error, cls))
            raise ConfigurationError(
                f"{path} is no list of contracts ({wrong}); put a backup in its place, or move it away"
            ) from None

    @classmethod
    def find(cls, path: Path) -> Self:
        """As `read`, but an empty registry where there is no file."""
        return cls.read(path) if path.exists() else cls()

    def with_deployment(self, deployment: Deployment) -> Self:
        """This registry with one more.

        Raises ConfigurationError where the contract is listed already, or no more can be.
        """
        if any(one.market == deployment.market for one in self.contracts):
            raise ConfigurationError(f"{deployment.address} is listed already: name another file")
        if len(self.contracts) == _MOST:
            raise ConfigurationError(f"{_MOST} contracts are listed, and no more can be: name another file")
        return self.model_copy(update={"contracts": (*self.contracts, deployment)})

    def on_chain(self, chain_id: int) -> tuple[Deployment, ...]:
        """Those on one chain."""
        return tuple(one for one in self.contracts if one.chain_id == chain_id)

    def write(self, path: Path, *, private: bool = False) -> None:
        """Put it into a file, whole or not at all; everybody may read it, unless it is private."""
        text = json.dumps(self.model_dump(mode="json"), indent=2)
        write_private(path, f"{text}\n".encode())
        if not private:
            path.chmod(_PUBLIC)
