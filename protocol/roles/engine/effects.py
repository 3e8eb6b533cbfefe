"""What comes out of a role's transition: a small closed union."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.envelope import Envelope
from protocol.marketplace import ContractCall
from protocol.messages import Message
from protocol.types import Address, AttemptNumber, Code, Digest, FrozenModel, MessageId, RoundNumber


class SendMessage(FrozenModel):
    """Sign, seal and send `body`; a resend keeps the message id, so the recipient's inbox drops it."""

    effect: Literal["send"] = "send"
    message_id: MessageId
    recipient: Address
    body: Message
    round: RoundNumber = 0
    attempt: AttemptNumber = 0


class SubmitCall(FrozenModel):
    """Send a transaction; repeating a call that already took effect counts as done.

    It waits for `after` seconds first: what others have made take effect by then costs nothing.
    """

    effect: Literal["call"] = "call"
    call: ContractCall
    after: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class SetTimer(FrozenModel):
    """Deliver TimerFired(name) after so many seconds; the same name again replaces it. See `timers`."""

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
    content: bytes = Field(repr=False)


class RecordFact(FrozenModel):
    """A public fact for people: console, command line, logs. Never a secret, never a model.

    Made by the entries of `facts` alone, which say what its data hold.
    """

    effect: Literal["fact"] = "fact"
    name: Code
    data: dict[str, Any]


class KeepResult(FrozenModel):
    """A private result for the daemon's own operator (the trained model): stored, never logged or sent."""

    effect: Literal["result"] = "result"
    name: Code
    content: bytes = Field(repr=False)


class PutValue(FrozenModel):
    """Keep a value of the daemon's own under a name, across all trainings; None forgets it."""

    effect: Literal["remember"] = "remember"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    content: bytes | None = Field(repr=False)


class ReportViolation(FrozenModel):
    """The input broke the protocol: the runtime dead-letters it with the code; the state has not changed.

    `envelope` is that of the message which did, where it is one: a step also offers what had waited.
    """

    effect: Literal["violation"] = "violation"
    code: Code
    detail: str
    accused: Address | None
    envelope: Envelope | None = None


Effect = Annotated[
    SendMessage
    | SubmitCall
    | SetTimer
    | CancelTimer
    | StoreBlob
    | RecordFact
    | KeepResult
    | PutValue
    | ReportViolation,
    Field(discriminator="effect"),
]


def effects_of(*groups: Effect | Sequence[Effect] | None) -> tuple[Effect, ...]:
    """One tuple of effects out of single ones and groups."""
    flat: list[Effect] = []
    for group in groups:
        if group is None:
            continue
        if isinstance(group, Sequence):
            flat.extend(group)
        else:
            flat.append(group)
    return tuple(flat)
