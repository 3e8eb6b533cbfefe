"""Joining a training in which everything is proven: what an owner commits to goes with what it says."""

from typing import ClassVar, Literal

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.checked.values import CommittedOwner
from protocol.messages.examples import DIGEST, SIGNATURE, TRAINER
from protocol.types import Address, Digest, EcdsaSignature


class CommittedAcceptance(MessageBody):
    """DO → FA: an owner accepts; the hash of its card, what it commits to, and the chain's digest of both.

    In place of an `invitation_answer` that accepts. `commitment` is `join_digests.checked_commitment`.
    """

    type: Literal["committed_acceptance"] = "committed_acceptance"
    card: Digest
    commitment: Digest
    committed: CommittedOwner

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When policy or person has decided to join, and again while there is no answer.",
        answers=("admission_answer",),
        deadline="join_s",
        on_silence="An owner that has accepted does not join.",
        carries="m, h, K_1 … K_p, K_Ĝ",
        example=lambda: CommittedAcceptance(
            card=DIGEST,
            commitment=DIGEST,
            committed=CommittedOwner(rows=442, base=0xC5A1, maps=(b"\x01" * 256,), gram=b"\x02" * 256),
        ),
    )


class CommittedAdmission(MessageBody):
    """FA → MB: an owner would join, with this card and commitments of this digest; the aggregator admits it.

    In place of an `admission_request`. `committed` is `OwnerCommitments.digest`, from which, with the card,
    the buyer works the commitment out that it signs.
    """

    type: Literal["committed_admission"] = "committed_admission"
    owner: Address
    card: Digest
    committed: Digest
    commitment: Digest
    aggregator_signature: EcdsaSignature | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When an owner that the aggregator admits has accepted; again when it asks again.",
        answers=("admission_answer",),
        deadline="join_s",
        on_silence="The owner does not join.",
        example=lambda: CommittedAdmission(
            owner=TRAINER, card=DIGEST, committed=DIGEST, commitment=DIGEST, aggregator_signature=SIGNATURE
        ),
    )
