"""A round's training: the model goes out, the updates come in, the buyer refreshes their sum."""

from typing import ClassVar, Literal

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, PACKED, VECTOR
from protocol.messages.values import BigNatural
from protocol.types import Digest
from protocol.vectors import EncryptedVector, PackedVector


class EncryptedModel(MessageBody):
    """FA → T: the round starts from this model (scale f)."""

    type: Literal["encrypted_model"] = "encrypted_model"
    model: EncryptedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="At the start of a round.",
        answers=("gradient_update",),
        deadline="step_s",
        on_silence="The trainer is left out of the round and returns for the next.",
        carries="Enc(x)",
        seat="trainers",
        example=lambda: EncryptedModel(model=VECTOR),
    )


class GradientUpdate(MessageBody):
    """T → FA: the model after the local steps (scale f + g) and the digest of the model it started from."""

    type: Literal["gradient_update"] = "gradient_update"
    local_model: EncryptedVector
    start_digest: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the local steps are done; the same question gets the same bytes.",
        carries="Enc(θ_t) = M·Enc(x) + Enc(v), signed",
        seat="trainers",
        example=lambda: GradientUpdate(local_model=VECTOR, start_digest=DIGEST),
    )


class RefreshRequest(MessageBody):
    """FA → MB: the sum of the updates, packed and masked; divisor = T·2^g."""

    type: Literal["refresh_request"] = "refresh_request"
    masked: PackedVector
    divisor: BigNatural

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When the round's updates are in, in the last round too.",
        answers=("refresh_answer",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round.",
        carries="Σ Enc(θ_t), packed and masked",
        example=lambda: RefreshRequest(masked=PACKED, divisor=3 << 40),
    )


class RefreshAnswer(MessageBody):
    """MB → FA: the masked quotients, freshly encrypted (scale f)."""

    type: Literal["refresh_answer"] = "refresh_answer"
    model: EncryptedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="Once for each refresh: a second answer would be a second equation.",
        carries="the masked quotients, encrypted anew",
        example=lambda: RefreshAnswer(model=VECTOR),
    )
