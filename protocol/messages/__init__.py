"""Every message that crosses the bus: one closed union, discriminated by `type`.

MB model buyer, FA federated aggregator, DO data owner, T trainer, V validator. A message is one class in one
of these modules, with its routes, limit, usage and example in its `catalogue`; the envelope (training, round,
attempt, sender, recipient) is in `protocol/envelope.py`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, TypeAlias, Union

from pydantic import Field

from protocol.messages import admission, chain, ending, evaluation, joining, market, opening, orders, training
from protocol.messages.admission import AdmissionAnswer, AdmissionCode, AdmissionRequest
from protocol.messages.catalogue import MAXIMUM_BODY_BYTES, MessageBody
from protocol.messages.chain import ChainEvent
from protocol.messages.checked import CHECKED_TYPES
from protocol.messages.ending import (
    Complaint,
    ModelReceived,
    ModelRefused,
    ModelRequest,
    ParticipantDropped,
    TrainedModel,
    TrainingFailed,
)
from protocol.messages.evaluation import (
    EncryptedMetric,
    LocalModels,
    MetricProducts,
    NoisyMetric,
    UpdateDigest,
)
from protocol.messages.joining import (
    AnnouncementAnswer,
    Invitation,
    InvitationAnswer,
    JoiningProgress,
    OwnerAnnouncement,
    OwnerReady,
    OwnersByCode,
    PublicRoot,
    RequestAnswer,
    RowCount,
    TrainingRequest,
    TrainingStarted,
)
from protocol.messages.limits import sealed_bytes
from protocol.messages.market import CardsAnswer, CardsOrder, CardsRequest, OwnerCards
from protocol.messages.opening import (
    Contribution,
    Opening,
    OpeningRefused,
    OpeningRequest,
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
from protocol.messages.training import EncryptedModel, GradientUpdate, RefreshAnswer, RefreshRequest
from protocol.messages.values import Parties
from protocol.types import Rounds

MESSAGE_TYPES: dict[str, type[MessageBody]] = {
    kind.model_fields["type"].default: kind
    for group in (joining, admission, market, training, evaluation, opening, ending, chain, orders)
    for kind in vars(group).values()
    if isinstance(kind, type) and issubclass(kind, MessageBody) and kind is not MessageBody
}
"""Name on the wire → class."""

READABLE_TYPES = {**MESSAGE_TYPES, **CHECKED_TYPES}
"""Of any market; which of them pass in one, admission and broker know by its rounds."""

_PLAIN_ALONE = frozenset(
    {
        "owner_ready",
        "training_started",
        "gradient_update",
        "local_models",
        "metric_products",
        "encrypted_metric",
        "noisy_metric",
        "opening_request",
        "refresh_request",
        "refresh_answer",
    }
)
"""What no machine of a checked market sends or takes."""

TYPES_OF: Mapping[Rounds, Mapping[str, type[MessageBody]]] = {
    "plain": MESSAGE_TYPES,
    "checked": {name: kind for name, kind in READABLE_TYPES.items() if name not in _PLAIN_ALONE},
}
"""The messages of a market, by its rounds: name on the wire → class."""

if TYPE_CHECKING:
    Message: TypeAlias = MessageBody
else:
    Message = Annotated[Union[tuple(READABLE_TYPES.values())], Field(discriminator="type")]  # noqa: UP007


def size_limit(message_type: str) -> int:
    """Bytes that a sealed body of this type may have; for a type of a later version, the common bound."""
    kind = READABLE_TYPES.get(message_type)
    return MAXIMUM_BODY_BYTES if kind is None else sealed_bytes(kind)
