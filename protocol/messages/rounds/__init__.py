"""The messages of commitments and rounds, in which everything is proven."""

from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import checks, finding, joining, metrics, moments, ring
from protocol.messages.rounds.checks import (
    CheckVerdict,
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.messages.rounds.finding import (
    OpeningRelayed,
    RangesAsked,
    ZeroTestEvidence,
    ZeroTestEvidenceRequest,
)
from protocol.messages.rounds.joining import CheckedReady, CheckedStarted
from protocol.messages.rounds.metrics import (
    MetricConsent,
    MetricOpeningRequest,
    ProvenMetric,
    ShownMetrics,
    ShownNoise,
)
from protocol.messages.rounds.moments import (
    AttemptAnnounced,
    MomentAnswer,
    MomentRequest,
    ProvenUpdate,
    RoundEvidence,
)
from protocol.messages.rounds.ring import (
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpening,
    RingOpeningRequest,
    RingShared,
)

CHECKED_TYPES: dict[str, type[MessageBody]] = {
    kind.model_fields["type"].default: kind
    for group in (joining, moments, checks, ring, metrics, finding)
    for kind in vars(group).values()
    if isinstance(kind, type) and issubclass(kind, MessageBody) and kind.__module__ == group.__name__
}
"""Name on the wire → class."""

__all__ = [
    "CHECKED_TYPES",
    "AttemptAnnounced",
    "CheckVerdict",
    "CheckedReady",
    "CheckedStarted",
    "MetricConsent",
    "MetricOpeningRequest",
    "MomentAnswer",
    "MomentRequest",
    "OpeningRelayed",
    "ProjectionAnswer",
    "ProjectionRequest",
    "ProvenMetric",
    "ProvenUpdate",
    "RangesAsked",
    "RingCommitted",
    "RingConsent",
    "RingNonce",
    "RingOpening",
    "RingOpeningRequest",
    "RingShared",
    "RoundEvidence",
    "ShownMetrics",
    "ShownNoise",
    "ZeroTestConsent",
    "ZeroTestEvidence",
    "ZeroTestEvidenceRequest",
    "ZeroTestRequest",
    "ZeroTestResult",
    "ZeroTestShown",
]
