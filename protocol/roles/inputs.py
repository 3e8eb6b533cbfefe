"""What goes into a role's transition and what comes out: two small closed unions, named by direction.

`transition(state, input, context) -> Step(state, effects)` is pure: randomness and time come in the context,
and effects are values that the runtime writes into its outbox in the same transaction as the new state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from protocol.crypto.randomness import Randomness
from protocol.envelope import SignedMessage
from protocol.marketplace import ContractCall
from protocol.messages import ChainEvent, Message
from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from protocol.types import Address, AttemptNumber, Code, Digest, FrozenModel, MessageId, RoundNumber

# ---- inputs ----


class MessageReceived(FrozenModel):
    """A message off the bus; the runtime has checked its signature, the sender's role and its route."""

    input: Literal["message"] = "message"
    signed: SignedMessage


class EventConfirmed(FrozenModel):
    """A contract event at confirmed depth."""

    input: Literal["event"] = "event"
    chain_event: ChainEvent


class TimerFired(FrozenModel):
    """A timer that an earlier step set has run out."""

    input: Literal["timer"] = "timer"
    name: str


UNKNOWN_TRAINING = "unknown_training"
"""The code of a call about a training that is not on the chain: a reorganisation took its opening back."""


class CallRefused(FrozenModel):
    """The contract refused a call for good.

    `code` is the custom error's name in snake_case, or UNKNOWN_TRAINING.
    """

    input: Literal["call_refused"] = "call_refused"
    call: ContractCall
    code: Code


class CatalogueChanged(FrozenModel):
    """An owner's data sets changed: a waiting training may match now."""

    input: Literal["catalogue_changed"] = "catalogue_changed"


class PolicyChanged(FrozenModel):
    """An owner's standing policy changed: a training that waits for a decision may be joined now."""

    input: Literal["policy_changed"] = "policy_changed"


Input = Annotated[
    MessageReceived | EventConfirmed | TimerFired | CallRefused | CatalogueChanged | PolicyChanged,
    Field(discriminator="input"),
]

# ---- effects ----


class SendMessage(FrozenModel):
    """Sign, seal and send `body`; a resend keeps the message id, so the recipient's inbox drops it."""

    effect: Literal["send"] = "send"
    message_id: MessageId
    recipient: Address
    body: Message
    round: RoundNumber = 0
    attempt: AttemptNumber = 0


class SubmitCall(FrozenModel):
    """Send a transaction; repeating a call that already took effect counts as done."""

    effect: Literal["call"] = "call"
    call: ContractCall


class SetTimer(FrozenModel):
    """Deliver TimerFired(name) after so many seconds; the same name again replaces it."""

    effect: Literal["timer"] = "timer"
    name: str
    seconds: Annotated[float, Field(ge=0)]


class CancelTimer(FrozenModel):
    """Forget a timer; one that does not exist is no error."""

    effect: Literal["cancel_timer"] = "cancel_timer"
    name: str


class StoreBlob(FrozenModel):
    """Keep bytes under a digest; later steps find them in the context while the state refers to it."""

    effect: Literal["blob"] = "blob"
    digest: Digest
    content: bytes


class NoteFact(FrozenModel):
    """A public fact for people: console, command line, logs. Never a secret, never a model."""

    effect: Literal["fact"] = "fact"
    name: Code
    data: dict[str, Any]


class KeepResult(FrozenModel):
    """A private result for the daemon's own operator (the trained model): stored, never logged or sent."""

    effect: Literal["result"] = "result"
    name: Code
    content: bytes


class Remember(FrozenModel):
    """Keep a value of the daemon's own under a name, across all trainings; None forgets it."""

    effect: Literal["remember"] = "remember"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    content: bytes | None = Field(repr=False)


class ReportViolation(FrozenModel):
    """The input broke the protocol: the runtime dead-letters it with the code; the state has not changed."""

    effect: Literal["violation"] = "violation"
    code: Code
    detail: str
    accused: Address | None


Effect = Annotated[
    SendMessage
    | SubmitCall
    | SetTimer
    | CancelTimer
    | StoreBlob
    | NoteFact
    | KeepResult
    | Remember
    | ReportViolation,
    Field(discriminator="effect"),
]

# ---- context and step ----

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
