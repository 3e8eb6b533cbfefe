"""The messages of a round in which everything is proven: a new major version of the protocol.

They stand apart from `MESSAGE_TYPES` as long as no daemon's table takes them.
"""

from protocol.messages.catalogue import MessageBody
from protocol.messages.checked import checks, metrics, moments, ring
from protocol.messages.checked.checks import (
    CheckVerdict,
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.messages.checked.metrics import MetricConsent, MetricOpeningRequest, ProvenMetric, ShownMetrics
from protocol.messages.checked.moments import (
    AttemptAnnounced,
    MomentAnswer,
    MomentRequest,
    ProvenUpdate,
    RoundEvidence,
)
from protocol.messages.checked.ring import (
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpening,
    RingOpeningRequest,
    RingShared,
)

CHECKED_TYPES: dict[str, type[MessageBody]] = {
    kind.model_fields["type"].default: kind
    for group in (moments, checks, ring, metrics)
    for kind in vars(group).values()
    if isinstance(kind, type) and issubclass(kind, MessageBody) and kind is not MessageBody
}
"""Name on the wire → class."""

__all__ = [
    "CHECKED_TYPES",
    "AttemptAnnounced",
    "CheckVerdict",
    "MetricConsent",
    "MetricOpeningRequest",
    "MomentAnswer",
    "MomentRequest",
    "ProjectionAnswer",
    "ProjectionRequest",
    "ProvenMetric",
    "ProvenUpdate",
    "RingCommitted",
    "RingConsent",
    "RingNonce",
    "RingOpening",
    "RingOpeningRequest",
    "RingShared",
    "RoundEvidence",
    "ShownMetrics",
    "ZeroTestConsent",
    "ZeroTestRequest",
    "ZeroTestResult",
    "ZeroTestShown",
]
