"""A round's training, proven: the update with its proof, one exchange with the buyer, and all of it shown."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, TRAINER, VALIDATOR, VECTOR, relayed
from protocol.messages.opening import SignedRefusal
from protocol.messages.rounds.values import Numbers, ProofNumbers, StartMeasured
from protocol.messages.values import KeptHead, Parties, Relayed
from protocol.types import Address, Digest, FrozenModel
from protocol.vectors import EncryptedVector


class ProvenUpdate(MessageBody):
    """T → FA: the model after the local steps (scale s), the digest of its start, and the proof of it."""

    type: Literal["proven_update"] = "proven_update"
    local_model: EncryptedVector
    start_digest: Digest
    proof: ProofNumbers
    head: KeptHead = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the local steps are done; the same question gets the same bytes.",
        carries="Enc(θ_t) = M·Enc(x) + Enc(v), proven, signed",
        seat="trainers",
        example=lambda: ProvenUpdate(local_model=VECTOR, start_digest=DIGEST, proof=(b"\x01",)),
    )


class MomentRequest(MessageBody):
    """FA → MB: all weights of all trainers' models, and of a start that is measured, packed and masked.

    `repetition` counts the rounds of the training that were repeated so far, this one among them: what a
    repetition has discarded is told from what follows it.
    """

    type: Literal["moment_request"] = "moment_request"
    masked: Numbers
    trainers: Annotated[int, Field(ge=2, le=256)]
    start: StartMeasured
    repetition: Annotated[int, Field(ge=0, le=256)] = 0

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When the proofs of the round's updates hold; for each attempt anew.",
        answers=("moment_answer",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round.",
        carries="θ_t + μ_t of all trainers, packed",
        example=lambda: MomentRequest(masked=(b"\x05\x06",), trainers=2, start="unmeasured"),
    )


class MomentAnswer(MessageBody):
    """MB → FA: fresh encryptions of the masked weights' products and of their masked mean.

    For ADMM also of each trainer's masked weights at the scale of the next model.
    """

    type: Literal["moment_answer"] = "moment_answer"
    request_digest: Digest
    numbers: Numbers

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="Once for each attempt: a second answer would be a second equation.",
        carries="w_ij, E_ti, B_i, y_j, encrypted; for ADMM also r_tj",
        example=lambda: MomentAnswer(request_digest=DIGEST, numbers=(b"\x05\x06",)),
    )


class LeftOutMember(FrozenModel):
    """A validator that no longer takes part, and why."""

    member: Address
    why: Literal["silent", "named"]


class AttemptAnnounced(MessageBody):
    """FA → MB: who takes part in an attempt, in seat order, and whom it leaves out from now on.

    From it the buyer derives the two checkers, whom it answers; the same stands in `RoundEvidence`.
    """

    type: Literal["attempt_announced"] = "attempt_announced"
    members: Parties
    left_out: Annotated[tuple[LeftOutMember, ...], Field(max_length=256)] = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="With the round's evidence, once for each attempt.",
        carries="members",
        example=lambda: AttemptAnnounced(members=(VALIDATOR,)),
    )


class RoundEvidence(MessageBody):
    """FA → V: everything that a round's checks start from.

    The `request` stands under the signature of this message, and the buyer's `answer` names its digest.
    `masks` are ρ and `mask_roots` r of the request, towards the buyer as secret as the updates. `attempt`
    counts from 1 in the envelope; `members` are its validators in seat order. `model_roots` show that the
    next model is the answer's without masks (`learning.moments.recomputation.subtraction_claims`): in the
    first attempt, out of whose answer it is made, and where a round is repeated without trainers whose errors
    the buyer has named in `refused`; in no other. For ADMM `rescaled` are the trainers' models at the scale
    of the next one, p numbers of each in their order: the answer's without masks, wherever `model_roots` show
    that the next model is.
    """

    type: Literal["round_evidence"] = "round_evidence"
    start_model: EncryptedVector
    start: StartMeasured
    updates: Relayed
    request: MomentRequest
    answer: SignedMessage
    masks: Annotated[Numbers, Field(repr=False)]
    mask_roots: Annotated[Numbers, Field(repr=False)]
    next_model: EncryptedVector
    model_roots: Numbers = ()
    rescaled: Annotated[Numbers, Field(exclude_if=lambda numbers: not numbers)] = ()
    members: Parties
    left_out: Annotated[tuple[LeftOutMember, ...], Field(max_length=256)] = ()
    refused: SignedRefusal | None = None

    def without_masks(self) -> "RoundEvidence":
        """What may be kept of it when the round is over."""
        return self.model_copy(update={"masks": (), "mask_roots": ()})

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When the buyer has answered and the round before it is recorded.",
        answers=("check_verdict", "proven_metric"),
        deadline="step_s",
        on_silence="A next attempt is made without the validator, which stays out.",
        carries="Enc(x), the proven updates, request, answer and masks, Enc(x′)",
        seat="validators",
        example=lambda: RoundEvidence(
            start_model=VECTOR,
            start="unmeasured",
            updates=(relayed("proven_update", TRAINER),),
            request=MomentRequest(masked=(b"\x05\x06",), trainers=2, start="unmeasured"),
            answer=relayed("moment_answer", TRAINER),
            masks=(b"\x01",),
            mask_roots=(b"\x02",),
            next_model=VECTOR,
            model_roots=(b"\x03",),
            members=(VALIDATOR,),
        ),
    )
