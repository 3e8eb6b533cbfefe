"""The messages of a round, in which everything is proven."""

from protocol.messages.checked.checks import (
    CheckVerdict,
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.messages.checked.joining import CheckedReady, CheckedStarted
from protocol.messages.checked.metrics import (
    MetricConsent,
    MetricOpeningRequest,
    ProvenMetric,
    ShownMetrics,
    ShownNoise,
)
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

__all__ = [
    "AttemptAnnounced",
    "CheckVerdict",
    "CheckedReady",
    "CheckedStarted",
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
    "ShownNoise",
    "ZeroTestConsent",
    "ZeroTestRequest",
    "ZeroTestResult",
    "ZeroTestShown",
]
