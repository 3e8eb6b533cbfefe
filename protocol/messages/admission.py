"""Between an owner's acceptance and its seat: whether those admit it who must, by their signatures."""

from typing import ClassVar, Literal

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, SIGNATURE, TRAINER
from protocol.types import Address, Digest, EcdsaSignature

AdmissionCode = Literal[
    "admitted",
    "owner_not_accepted",
    "refused_by_person",
    "committed_otherwise",
    "no_seat_left",
    "joining_over",
]
"""Whether an owner is admitted, and why not.

By the buyer's policy or a person, since it asked before with another commitment, or since no seat is left or
the joining is over.
"""


class AdmissionRequest(MessageBody):
    """FA → MB: an owner would join, with the data set whose card has this hash; the aggregator admits it.

    The signature is left out where the terms ask for the buyer's alone; `committed` is as in the invitation's
    answer.
    """

    type: Literal["admission_request"] = "admission_request"
    owner: Address
    card: Digest
    commitment: Digest
    committed: Digest
    aggregator_signature: EcdsaSignature | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When an owner that the aggregator admits has accepted its invitation; again when that "
        "owner asks again.",
        answers=("admission_answer",),
        deadline="join_s",
        on_silence="The owner does not join.",
        example=lambda: AdmissionRequest(
            owner=TRAINER,
            card=DIGEST,
            commitment=DIGEST,
            committed=DIGEST,
            aggregator_signature=SIGNATURE,
        ),
    )


class AdmissionAnswer(MessageBody):
    """MB → FA, FA → DO: whether an owner may join with this commitment, and the signatures that let it.

    The buyer sends its own alone; the aggregator hands on all that the terms ask for.
    """

    type: Literal["admission_answer"] = "admission_answer"
    owner: Address
    commitment: Digest
    code: AdmissionCode
    aggregator_signature: EcdsaSignature | None = None
    buyer_signature: EcdsaSignature | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR), (AGGREGATOR, OWNER)),
        sent_when="When the buyer's policy or a person has decided, and when the owner asks again.",
        example=lambda: AdmissionAnswer(
            owner=TRAINER,
            commitment=DIGEST,
            code="admitted",
            aggregator_signature=SIGNATURE,
            buyer_signature=SIGNATURE,
        ),
    )
