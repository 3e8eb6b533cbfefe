"""Every message that crosses the bus: one closed union, discriminated by `type`.

MB model buyer, FA federated aggregator, DO data owner, T trainer, V validator. A message is one class in one
of these modules, with its routes, limit, usage and example in its `catalogue`; the envelope (training, round,
attempt, sender, recipient) is in `protocol/envelope.py`.
"""

from typing import TYPE_CHECKING, Annotated, TypeAlias, Union

from pydantic import Field

from protocol.messages import (
    admission,
    chain,
    ending,
    inference,
    joining,
    market,
    opening,
    orders,
    training,
)
from protocol.messages.admission import AdmissionAnswer, AdmissionCode, AdmissionRequest
from protocol.messages.catalogue import MAXIMUM_BODY_BYTES, MessageBody
from protocol.messages.chain import ChainEvent
from protocol.messages.ending import (
    Complaint,
    ModelReceived,
    ModelRefused,
    ModelRequest,
    ParticipantDropped,
    TrainedModel,
    TrainingFailed,
)
from protocol.messages.inference import InformationShare, InformationSum
from protocol.messages.joining import (
    AnnouncementAnswer,
    Invitation,
    InvitationAnswer,
    JoiningProgress,
    OwnerAnnouncement,
    OwnersByCode,
    RequestAnswer,
    RowCount,
    TrainingRequest,
)
from protocol.messages.limits import sealed_bytes
from protocol.messages.market import CardsAnswer, CardsOrder, CardsRequest, OwnerCards
from protocol.messages.opening import (
    Contribution,
    Opening,
    OpeningRefused,
    RoundCompleted,
    RoundSignature,
)
from protocol.messages.orders import (
    AdmissionOrder,
    OwnerDecision,
    PolicyOrder,
    StopOrder,
    TrainingOrder,
    WithdrawOrder,
)
from protocol.messages.rounds import CHECKED_TYPES
from protocol.messages.training import EncryptedModel
from protocol.messages.values import Parties

MESSAGE_TYPES: dict[str, type[MessageBody]] = {
    kind.model_fields["type"].default: kind
    for group in (joining, admission, market, training, opening, ending, inference, chain, orders)
    for kind in vars(group).values()
    if isinstance(kind, type) and issubclass(kind, MessageBody) and kind is not MessageBody
} | CHECKED_TYPES
"""Name on the wire → class."""

if TYPE_CHECKING:
    Message: TypeAlias = MessageBody
else:
    Message = Annotated[Union[tuple(MESSAGE_TYPES.values())], Field(discriminator="type")]  # noqa: UP007


def size_limit(message_type: str) -> int:
    """Bytes that a sealed body of this type may have; for a type of a later version, the common bound."""
    kind = MESSAGE_TYPES.get(message_type)
    return MAXIMUM_BODY_BYTES if kind is None else sealed_bytes(kind)
