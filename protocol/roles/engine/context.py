"""What a transition may know besides state and input, and its outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.crypto.randomness import Randomness
from protocol.messages import Message
from protocol.messages.values import KeptHead
from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from protocol.roles.engine.effects import Effect, SendMessage, StoreBlob
from protocol.types import Address, FrozenModel

State_co = TypeVar("State_co", bound=FrozenModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a transition may know besides state and input. Secrets are hidden from repr.

    `announced` lists the owners that the aggregator admitted; `policy` is the party's standing policy,
    packed: an owner's, a buyer's about owners, an aggregator's about bonds.
    `blobs` holds the content of every digest that the state refers to. `private` is the role's own
    secret for the training: the buyer's Paillier key (`PrivateKey.to_bytes`), an owner's statistics and
    counts.
    `commitment_group` is where owners commit; every party of a training has the same, and only tests another.
    `block_time` is when the contract's clock had the event that is handled, in Unix seconds; None for another
    input. `kept_head` is the last link of what this party has kept of the training before this step
    (`verification.links`).
    """

    @property
    def happened_at(self) -> float:
        """When that event was, or now: a chain whose clock is ahead of ours was not there before us."""
        return self.now if self.block_time is None else min(self.block_time, self.now)

    address: str
    market: Market
    now: float
    seed: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)
    announced: tuple[str, ...] = ()
    blobs: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    private: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    policy: bytes = field(default=b"", repr=False)
    least_key_bits: int = LEAST_KEY_BITS
    commitment_group: CommitmentGroup = RSA_2048
    block_time: float | None = None
    kept_head: KeptHead = None

    _stream: list[Randomness] = field(default_factory=list, init=False, repr=False, compare=False)

    def randomness(self, label: str = "step") -> Randomness:
        """An independent stream for one use in this step; raises MisuseError for a label's second use."""
        if not self._stream:
            self._stream.append(Randomness(self.seed))
        return self._stream[0].child(label)

    def knowing(self, effects: Iterable[Effect]) -> "Context":
        """The same step's context, in which the blobs among its effects so far are found as well.

        Streams of chance stay the step's own: a label that was used is used.
        """
        stored = {one.digest: one.content for one in effects if isinstance(one, StoreBlob)}
        found = replace(self, blobs={**self.blobs, **stored})
        object.__setattr__(found, "_stream", self._stream)
        return found


@dataclass(frozen=True, slots=True)
class Step(Generic[State_co]):
    """The outcome of one transition: the state after it, what is to be done, whether anything was learned.

    After a step that `progressed` the held inputs are offered again.
    """

    state: State_co
    effects: tuple[Effect, ...] = ()
    progressed: bool = True

    @classmethod
    def unchanged(cls, state: State_co, *effects: Effect) -> "Step[State_co]":  # type: ignore[misc]
        """A step that leaves the state as it was: no held input can have become timely."""
        return cls(state, effects, progressed=False)


def message(
    context: Context, recipient: Address, body: Message, at: tuple[int, int] = (0, 0), *, label: str = ""
) -> SendMessage:
    """A message with an id drawn from the step's own stream; `label` tells messages of one step apart.

    `at` is the round and attempt that it is for.
    """
    round_number, attempt = at
    stream = context.randomness(f"message:{body.type}:{recipient}:{round_number}:{attempt}:{label}")
    return SendMessage(
        message_id=stream.bytes(16), recipient=recipient, body=body, round=round_number, attempt=attempt
    )
