"""A round's evaluation: the models go to the validators, their encrypted metrics come back."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, OTHER, PACKED, TRAINER, VALIDATOR, VECTOR, relayed
from protocol.messages.values import Count, Parties, Relayed
from protocol.types import Address, Digest, FrozenModel
from protocol.vectors import EncryptedVector, PackedVector


class LocalModels(MessageBody):
    """FA → V: all that a round's evaluation starts from; `check_mask_digest` commits FA to its own masks."""

    type: Literal["local_models"] = "local_models"
    start_model: EncryptedVector
    updates: Relayed
    refreshed_model: EncryptedVector
    validators: Parties
    measure_start: bool
    check_mask_digest: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When the refresh is answered and the round before it is recorded.",
        answers=("encrypted_metric",),
        deadline="step_s",
        on_silence="A next attempt is made without the validator, which returns for the next round.",
        carries="Enc(x), the signed updates, Enc(x′)",
        seat="validators",
        example=lambda: LocalModels(
            start_model=VECTOR,
            updates=(relayed("gradient_update", TRAINER),),
            refreshed_model=VECTOR,
            validators=(VALIDATOR,),
            measure_start=True,
            check_mask_digest=DIGEST,
        ),
    )


class NoisyMetric(MessageBody):
    """V → MB: residuals of every measured model, packed, under a mask over the whole plaintext."""

    type: Literal["noisy_metric"] = "noisy_metric"
    masked_residuals: PackedVector
    models: Annotated[int, Field(ge=1, le=257)]
    measure_start: bool
    check_digest: Digest
    copies: PackedVector | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when="When the round's models were checked and multiplied.",
        answers=("metric_products",),
        carries="Enc(r_t) = R·(Enc θ_t, −1), packed and masked",
        seat="validators",
        example=lambda: NoisyMetric(
            masked_residuals=PACKED, models=3, measure_start=True, check_digest=DIGEST
        ),
    )


class MetricProducts(MessageBody):
    """MB → V: fresh Enc⟨u_t, u_t⟩ per model and Enc⟨u_t, Σ_s u_s⟩ per trainer; the same for the copies."""

    type: Literal["metric_products"] = "metric_products"
    own: EncryptedVector
    cross: EncryptedVector
    own_copies: EncryptedVector | None = None
    cross_copies: EncryptedVector | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER),),
        sent_when="Once for each validator and attempt.",
        carries="Enc⟨u_t,u_t⟩, Enc⟨u_t,Σu⟩ of the masked digits u",
        seat="validators",
        example=lambda: MetricProducts(own=VECTOR, cross=VECTOR),
    )


class UpdateDigest(FrozenModel):
    """Which update of which trainer was measured."""

    trainer: Address
    digest: Digest


class EncryptedMetric(MessageBody):
    """V → FA: the measured numbers (v₀ where measured, q, c), packed, under the zero-sum masks."""

    type: Literal["encrypted_metric"] = "encrypted_metric"
    values: PackedVector
    rows: Count
    measure_start: bool
    start_digest: Digest
    updates: Annotated[tuple[UpdateDigest, ...], Field(min_length=2, max_length=256)]
    refreshed_digest: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the masks are taken out of the products.",
        carries="m·(q, c) under zero-sum masks, signed",
        seat="validators",
        example=lambda: EncryptedMetric(
            values=PACKED,
            rows=88,
            measure_start=False,
            start_digest=DIGEST,
            updates=tuple(UpdateDigest(trainer=trainer, digest=DIGEST) for trainer in (TRAINER, OTHER)),
            refreshed_digest=DIGEST,
        ),
    )
