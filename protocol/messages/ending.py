"""The end of a training or of somebody's part in it: delivery, absences, complaints, failure."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, PARTIES, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, OTHER, VALIDATOR, VECTOR, relayed
from protocol.types import Address, Code, Digest, RoundNumber
from protocol.vectors import EncryptedVector


class TrainedModel(MessageBody):
    """FA or V → MB, after settlement: the model that the last record names."""

    type: Literal["trained_model"] = "trained_model"
    model: EncryptedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER), (OWNER, BUYER)),
        sent_when="When `Settled` is confirmed, or on a validator when it is asked.",
        answers=("model_received",),
        deadline="step_s",
        on_silence="The model is sent again, ever more rarely, for 30 days.",
        example=lambda: TrainedModel(model=VECTOR),
    )


class ModelReceived(MessageBody):
    """MB → FA: the model arrived and its digest is the recorded one."""

    type: Literal["model_received"] = "model_received"
    digest: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="When the model is decrypted and kept.",
        example=lambda: ModelReceived(digest=DIGEST),
    )


class ModelRequest(MessageBody):
    """MB → V: FA did not deliver; the validator holds the model since it measured it."""

    type: Literal["model_request"] = "model_request"

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER),),
        sent_when="When the aggregator's model is late.",
        answers=("trained_model", "model_refused"),
        deadline="step_s",
        on_silence="The next validator is asked; after each turn of all of them the wait doubles.",
        example=lambda: ModelRequest(),  # noqa: PLW0108  the class is not there yet
    )


class ModelRefused(MessageBody):
    """V → MB: the model that was paid for is not here, and another validator may have it."""

    type: Literal["model_refused"] = "model_refused"
    code: Code

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when="When a validator is asked for a model that it does not hold.",
        example=lambda: ModelRefused(code="no_model_here"),
    )


class ParticipantDropped(MessageBody):
    """FA → all: a deadline passed; the participant is out from this round on."""

    type: Literal["participant_dropped"] = "participant_dropped"
    participant: Address
    from_round: RoundNumber
    code: Code

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER), (AGGREGATOR, OWNER)),
        sent_when="When a participant missed its deadline.",
        example=lambda: ParticipantDropped(participant=OTHER, from_round=3, code="update_late"),
    )


class Complaint(MessageBody):
    """Any → FA, MB, V: a check failed; the evidence is what the accused signed."""

    type: Literal["complaint"] = "complaint"
    code: Code
    accused: Address
    evidence: Annotated[tuple[SignedMessage, ...], Field(max_length=256)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=tuple((sender, recipient) for sender in PARTIES for recipient in PARTIES),
        sent_when="When a check failed whose evidence others can verify.",
        example=lambda: Complaint(
            code="bad_opening", accused=VALIDATOR, evidence=(relayed("proven_metric", VALIDATOR),)
        ),
    )


class TrainingFailed(MessageBody):
    """FA → all: the training ends at `last_round`.

    `fault` is to blame. `silent` are owners that the aggregator waited for in vain, and the buyer where they
    may have waited for it: that is no fault that anybody can see, for the aggregator alone knows what has
    reached it.
    """

    type: Literal["training_failed"] = "training_failed"
    code: Code
    fault: Address | None
    last_round: RoundNumber
    silent: Annotated[tuple[Address, ...], Field(max_length=256)] = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER), (AGGREGATOR, OWNER)),
        sent_when="When the aggregator gives a training up.",
        example=lambda: TrainingFailed(code="too_few_trainers", fault=None, last_round=2, silent=(OTHER,)),
    )
