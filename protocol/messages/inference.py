"""After the settlement: how the buyer gets the trainers' pooled information matrix, for standard errors."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.inference_terms import ENTRY_BYTES, MOST_PARAMETERS, opened_entries
from protocol.messages.catalogue import BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.values import Parties

Share = Annotated[bytes, Field(max_length=ENTRY_BYTES * opened_entries(MOST_PARAMETERS), repr=False)]
"""p(p+1)/2 numbers, those of row i ≤ column j, row by row."""


class InformationShare(MessageBody):
    """T → V: one of two shares of m·RᵀR in fixed point; it alone is uniformly random."""

    type: Literal["information_share"] = "information_share"
    share: Share

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, OWNER),),
        sent_when="When `Settled` is confirmed of a training with `inference`, to each of two checkers.",
        answers=("information_sum",),
        deadline="step_s",
        on_silence="The buyer is told whose shares are missing; there is a sum when they have come.",
        seat="validators",
        example=lambda: InformationShare(share=b"\5" * ENTRY_BYTES),
    )


class InformationSum(MessageBody):
    """V → MB: the sum of all trainers' shares; or, without one, those whose shares have not come."""

    type: Literal["information_sum"] = "information_sum"
    total: Share = b""
    silent: Parties = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when="When a checker has all shares, however late, and when some are missing in time.",
        seat="validators",
        example=lambda: InformationSum(total=b"\5" * ENTRY_BYTES),
    )
