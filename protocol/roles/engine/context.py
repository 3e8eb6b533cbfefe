"""What a transition may know besides state and input, and its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from protocol.crypto.randomness import Randomness
from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from protocol.roles.engine.effects import Effect
from protocol.types import FrozenModel

State = TypeVar("State", bound=FrozenModel)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a transition may know besides state and input. Secrets are hidden from repr.

    `announced` lists the owners that the aggregator admitted; `policy` is an owner's standing policy, packed.
    `blobs` holds the content of every digest that `state.references()` names. `private` is the role's own
    secret for the training: the buyer's Paillier key (`PrivateKey.to_bytes`), an owner's statistics and
    counts.
    `exchange_keys` are the registered X25519 keys of the training's parties by address.
    """

    address: str
    market: Market
    now: float
    seed: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)
    exchange_secret: bytes = field(repr=False)
    announced: tuple[str, ...] = ()
    exchange_keys: Mapping[str, bytes] = field(default_factory=dict)
    blobs: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    private: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    policy: bytes = b""
    least_key_bits: int = LEAST_KEY_BITS

    def randomness(self, label: str = "step") -> Randomness:
        """An independent stream for one use in this step."""
        return Randomness(self.seed).child(label)


@dataclass(frozen=True, slots=True)
class Step(Generic[State]):
    """The outcome of one transition."""

    state: State
    effects: tuple[Effect, ...] = ()
