"""The names of a party's private values: what its steps find in the context, what they keep for later.

`Context.private` holds the first, by name; a PutValue effect keeps one of the second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocol.roles.engine.effects import PutValue


@dataclass(frozen=True, slots=True)
class PrivateName:
    """A value that the daemon hands to its role's steps."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class PrivatePrefix:
    """Values that the daemon hands to its role's steps, one for each item: prefix and item are the name."""

    prefix: str
    meaning: str

    def name_of(self, item: str) -> str:
        """The name of an item's value."""
        return self.prefix + item

    def items(self, private: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """(item, value) of each in a step's private values, by item."""
        for name in sorted(private):
            if name.startswith(self.prefix):
                yield name.removeprefix(self.prefix), private[name]


@dataclass(frozen=True, slots=True)
class StoredPrefix:
    """Values that a role has its daemon keep across all trainings, named by the prefix and the training."""

    prefix: str
    meaning: str

    def name_of(self, training: int) -> str:
        """The name of a training's value."""
        return f"{self.prefix}{training}"

    def put(self, training: int, content: bytes) -> PutValue:
        """The effect that keeps a training's value."""
        return PutValue(name=self.name_of(training), content=content)

    def forget(self, training: int) -> PutValue:
        """The effect that keeps nothing of a training any more."""
        return PutValue(name=self.name_of(training), content=None)


PAILLIER = PrivateName("paillier", "the buyer's Paillier key for this training (`PrivateKey.to_bytes`)")
DATA_SET = PrivatePrefix("data_set:", "an owner's data set as a statistic (`Statistic.to_bytes`)")
CARD = PrivatePrefix("card:", "what an owner says of its data set in public (`DataCard`)")
COUNTS = PrivateName("joined", "what an owner's data sets have joined, where a step may join a training")
JOINED = StoredPrefix("joined:", "the buyer and data set for which an owner has joined a training")
BOND = StoredPrefix("bond:", "in what token a party has deposited a bond, until that is lost or released")
