"""A round's errors: each validator's metric with its proof, the product under noise, its opening."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, SIGNATURE, VALIDATOR, relayed
from protocol.messages.rounds.values import (
    AttemptDigests,
    AttemptFacts,
    Evidence,
    NumberRow,
    Numbers,
    ProofNumbers,
)
from protocol.messages.values import Relayed
from protocol.types import Digest, EcdsaSignature


class ProvenMetric(MessageBody):
    """V → FA: X_v = Π P_ij^(Ĝ_ij) for each slot set, blinded, with the proof that Ĝ is the committed one."""

    type: Literal["proven_metric"] = "proven_metric"
    evidence_digest: Digest
    values: Numbers
    proof: ProofNumbers

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the evidence is in order.",
        carries="X_v, proven, signed",
        seat="validators",
        example=lambda: ProvenMetric(evidence_digest=DIGEST, values=(b"\x05",), proof=(b"\x01",)),
    )


class ShownMetrics(MessageBody):
    """FA → V: the attempt's verdicts and all its metrics, for everyone to check and multiply."""

    type: Literal["shown_metrics"] = "shown_metrics"
    verdicts: Evidence
    metrics: Relayed

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When both verdicts and all metrics of the attempt are in.",
        answers=("ring_committed",),
        deadline="step_s",
        on_silence="A next attempt is made without the checker, which stays out.",
        carries="all verdicts and metrics, signed",
        seat="validators",
        example=lambda: ShownMetrics(
            verdicts=(relayed("check_verdict", VALIDATOR),), metrics=(relayed("proven_metric", VALIDATOR),)
        ),
    )


class ShownNoise(MessageBody):
    """FA → V: the three shares of noise, in the order of the ring's makers, for everyone to multiply in."""

    type: Literal["shown_noise"] = "shown_noise"
    shares: Annotated[tuple[NumberRow, ...], Field(min_length=3, max_length=3, repr=False)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When the ring's three shares are there, and the aggregator has made the last again.",
        answers=("metric_consent",),
        deadline="step_s",
        on_silence="A next attempt is made without the validator, which stays out.",
        carries="three shares of noise",
        seat="validators",
        example=lambda: ShownNoise(shares=((b"\x05",),) * 3),
    )


class MetricConsent(MessageBody):
    """V → FA: its signature of what was agreed and of the product under noise, formed by itself.

    A checker's says besides that it has made the share before its own again.
    """

    type: Literal["metric_consent"] = "metric_consent"
    signature: EcdsaSignature

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the metrics' proofs hold and the noise is in the product.",
        carries="a signature of the noisy product",
        seat="validators",
        example=lambda: MetricConsent(signature=SIGNATURE),
    )


class MetricOpeningRequest(MessageBody):
    """FA → MB: the product with its noise, alone, what it is of, and all members' signatures of both.

    Signatures are in seat order, of `protocol.roles.rounds.attempt.consent_digest`.
    """

    type: Literal["metric_opening_request"] = "metric_opening_request"
    product: Numbers
    facts: AttemptFacts
    signatures: Annotated[tuple[EcdsaSignature, ...], Field(min_length=2, max_length=256)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When every member of the attempt has signed.",
        answers=("opening", "opening_refused"),
        deadline="step_s",
        on_silence="The training ends at the last recorded round.",
        carries="Π X_v^(w_v) and three shares of noise",
        example=lambda: MetricOpeningRequest(
            product=(b"\x05",),
            facts=AttemptFacts(
                trainers=0b11,
                members=0b1100,
                start="unmeasured",
                digests=AttemptDigests(
                    start=DIGEST,
                    updates=(DIGEST, DIGEST),
                    request=DIGEST,
                    answer=DIGEST,
                    model=DIGEST,
                    product=DIGEST,
                ),
                evidence=DIGEST,
                metrics=(DIGEST, DIGEST),
            ),
            signatures=(SIGNATURE, SIGNATURE),
        ),
    )
