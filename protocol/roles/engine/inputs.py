"""What goes into a role's transition and what comes out: two small closed unions, named by direction.

`transition(state, input, context) -> Step(state, effects)` is pure: randomness and time come in the context,
and effects are values that the runtime writes into its outbox in the same transaction as the new state.
"""

from typing import Annotated, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.marketplace import ContractCall
from protocol.messages import ChainEvent
from protocol.types import Code, FrozenModel

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


# ---- context and step ----
