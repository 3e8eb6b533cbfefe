"""The start of a training whose owners have committed to what they would do in either role."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, OTHER, TRAINER, VALIDATOR
from protocol.messages.joining import RowCount
from protocol.messages.rounds.values import CommittedOwner, ShownOwner
from protocol.messages.values import Parties
from protocol.types import Digest

_COMMITTED = CommittedOwner(rows=442, base=0x2F1D, maps=(bytes(255) + b"\x05",), gram=bytes(255) + b"\x06")


class CheckedReady(MessageBody):
    """DO → FA, when `RolesDrawn` is confirmed: an owner with a seat takes part, and shows its commitments.

    Rows and commitments are those whose digest it has joined with, together with its card's hash.
    """

    type: Literal["checked_ready"] = "checked_ready"
    card: Digest
    committed: CommittedOwner

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When `RolesDrawn` is confirmed: before, nobody learns more of rows than their card says.",
        answers=("checked_started",),
        deadline="step_s",
        on_silence="The training starts without this owner.",
        example=lambda: CheckedReady(card=DIGEST, committed=_COMMITTED),
    )


class CheckedStarted(MessageBody):
    """FA → MB, DOs: who trains and who validates, in seat order, and what each has committed to.

    `owners` are in seat order; a drawn owner that has shown nothing is missing, and takes no part.
    """

    type: Literal["checked_started"] = "checked_started"
    trainers: Parties
    validators: Parties
    owners: Annotated[tuple[ShownOwner, ...], Field(max_length=256, fail_fast=True)]

    def row_counts(self, seats: tuple[str, ...]) -> tuple[RowCount, ...]:
        """The rows of each seat, 0 for one that has shown nothing."""
        rows = {one.owner: one.committed.rows for one in self.owners}
        return tuple(RowCount(owner=owner, rows=rows.get(owner, 0)) for owner in seats)

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER), (AGGREGATOR, OWNER)),
        sent_when="When `RolesDrawn` is confirmed and the owners with a seat are ready.",
        example=lambda: CheckedStarted(
            trainers=(TRAINER, OTHER),
            validators=(VALIDATOR,),
            owners=(ShownOwner(owner=TRAINER, card=DIGEST, committed=_COMMITTED),),
        ),
    )
