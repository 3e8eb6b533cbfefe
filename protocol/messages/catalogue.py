"""What a message says of itself beside its fields: who sends it to whom, when, how long, what answers it.

Admission, the broker's permissions and the generated documents read it from the message's class.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

from protocol.marketplace import PartyRole
from protocol.types import FrozenModel

MAXIMUM_BODY_BYTES = 64 * 2**20
"""Bytes that the longest sealed body of any message may have."""

BUYER: Final = "model_buyer"
AGGREGATOR: Final = "federated_aggregator"
OWNER: Final = "data_owner"
OPERATOR: Final = "operator"
"""As a sender: whoever signs with the daemon's own key."""

PARTIES: tuple[PartyRole, ...] = get_args(PartyRole)

Route = tuple[PartyRole | Literal["operator"], PartyRole]
"""The sender's role and the recipient's."""

Deadline = Literal["join_s", "step_s", "chain_s"]
"""A field of the request's `deadlines`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that a message's fields do not tell."""

    routes: tuple[Route, ...]
    sent_when: str
    example: Callable[[], "MessageBody"]
    """For documents: values are short where real ones have thousands of bits."""

    answers: tuple[str, ...] = ()
    """The types that answer it, by the deadline if there is one."""

    deadline: Deadline | None = None
    on_silence: str | None = None
    """What follows when no answer comes."""

    carries: str = ""
    """What a message of a round is about, in formulas."""

    seat: Literal["trainers", "validators"] | None = None
    """The kind of owner that has to do with it."""

    maximum_bytes: int = MAXIMUM_BODY_BYTES
    """A bound on the sealed body beside the one that follows from the fields' own (`limits.sealed_bytes`)."""


class MessageBody(FrozenModel):
    """Base of every message; `type` is its name on the wire, the docstring its parties and its summary."""

    type: str
    catalogue: ClassVar[Catalogue]
