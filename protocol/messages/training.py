"""A round's training: the model goes out."""

from typing import ClassVar, Literal

from protocol.messages.catalogue import AGGREGATOR, OWNER, Catalogue, MessageBody
from protocol.messages.examples import VECTOR
from protocol.messages.opening import SignedRefusal
from protocol.vectors import EncryptedVector


class EncryptedModel(MessageBody):
    """FA → T: the round starts from this model (scale f).

    Where the round before was repeated without a trainer, `refused` is the buyer's signed word that it had
    to be: another model of a round is answered for nothing less. `attempt` counts these models from 1.
    """

    type: Literal["encrypted_model"] = "encrypted_model"
    model: EncryptedVector
    refused: SignedRefusal | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="At the start of a round.",
        answers=("proven_update",),
        deadline="step_s",
        on_silence="The trainer is left out of the round and returns for the next.",
        carries="Enc(x)",
        seat="trainers",
        example=lambda: EncryptedModel(model=VECTOR),
    )
