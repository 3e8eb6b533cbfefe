"""The end of a round: the opened metrics, the record that everybody signs, the public numbers."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import RECORD, ROOT, SCALE, SIGNATURE, TRAINER
from protocol.messages.values import BigNatural, KeptHead
from protocol.records import RoundRecord
from protocol.types import Address, BigInteger, EcdsaSignature, FrozenModel

_Opened = Annotated[tuple[BigNatural, ...], Field(min_length=1, max_length=1024, fail_fast=True, repr=False)]


class Opening(MessageBody):
    """MB → FA, V: the opened sum with proof, each opening signed (EIP-712), and the record it signs."""

    type: Literal["opening"] = "opening"
    plaintexts: _Opened
    roots: _Opened
    record: RoundRecord
    signature: EcdsaSignature
    opening_signatures: Annotated[tuple[EcdsaSignature, ...], Field(max_length=1024, fail_fast=True)] = ()
    head: KeptHead = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR), (BUYER, OWNER)),
        sent_when="Once for each round: to the aggregator and every validator.",
        answers=("round_signature",),
        deadline="step_s",
        on_silence="Without a majority's signatures the training ends at the last recorded round.",
        carries="the sums with proof, the signed record",
        seat="validators",
        example=lambda: Opening(
            plaintexts=(3000 << 64,),
            roots=(ROOT,),
            record=RECORD,
            signature=SIGNATURE,
            opening_signatures=(SIGNATURE,),
        ),
    )


class ImplausibleError(FrozenModel):
    """A trainer whose own error is above its limit, but not above 2^power limits; `power` is the least."""

    trainer: Address
    power: Annotated[int, Field(ge=8, le=48, multiple_of=8)]


class NegativeError(FrozenModel):
    """An own error that is less than nothing, by shares 2^depth units wide; `depth` is the largest.

    Of a trainer's model or, where `trainer` is None, of the one that the round began with. Less than 2^16 is
    never said: an innocent member's part would be seen too precisely.
    """

    trainer: Address | None = None
    depth: Annotated[int, Field(ge=16, le=48, multiple_of=8)]


class OpeningRefused(MessageBody):
    """MB → FA, V: the sum is implausible; publishing more would make it a channel.

    `named` are the trainers whose own errors are too large, in seat order; nobody where errors are negative,
    or beyond all that members can come to. `negative` is then the one that is furthest below nothing.
    `is_final` says that the round is not repeated without them: owners' budgets do not hold that.
    """

    type: Literal["opening_refused"] = "opening_refused"
    code: Literal["implausible"] = "implausible"
    named: Annotated[tuple[ImplausibleError, ...], Field(max_length=256, fail_fast=True)] = ()
    negative: NegativeError | None = None
    is_final: bool = False

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR), (BUYER, OWNER)),
        sent_when="Instead of the opening, when the opened sum cannot be true.",
        carries="whose own errors are too large, or which is negative, to a power of 256",
        example=lambda: OpeningRefused(named=(ImplausibleError(trainer=TRAINER, power=8),)),
    )


class SignedRefusal(SignedMessage):
    """An `OpeningRefused` as the buyer has signed it, relayed: of all messages one of the short ones."""

    body: Annotated[bytes, Field(repr=False, max_length=64 << 10)]


class RoundSignature(MessageBody):
    """V → FA, MB, V: the validator's EIP-712 signature of the record it checked, for whoever records it.

    Where a bond is at stake `record` and `buyer_signature` go with it: who was shown another has the proof.
    """

    type: Literal["round_signature"] = "round_signature"
    signature: EcdsaSignature
    record: RoundRecord | None = None
    buyer_signature: EcdsaSignature | None = None
    head: KeptHead = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR), (OWNER, BUYER), (OWNER, OWNER)),
        sent_when="When the opening's proof and the record were checked: to all who hold the record.",
        carries="EIP-712 signature of the record",
        seat="validators",
        example=lambda: RoundSignature(signature=SIGNATURE, record=RECORD, buyer_signature=SIGNATURE),
    )


class Contribution(FrozenModel):
    """A trainer's Shapley value and pay weight of a round, × 1e18."""

    trainer: Address
    shapley: BigInteger
    pay_weight: BigNatural


class RoundCompleted(MessageBody):
    """FA → all, when `RoundRecorded` is confirmed: the public numbers (× 1e18)."""

    type: Literal["round_completed"] = "round_completed"
    v0: BigNatural
    mse_after: BigNatural
    own: Annotated[tuple[BigNatural, ...], Field(max_length=256)]
    cross: Annotated[tuple[BigInteger, ...], Field(max_length=256)]
    contributions: Annotated[tuple[Contribution, ...], Field(max_length=256)]
    last: bool
    head: KeptHead = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER), (AGGREGATOR, OWNER)),
        sent_when="When `RoundRecorded` is confirmed.",
        carries="errors, contributions",
        example=lambda: RoundCompleted(
            v0=RECORD.mse_before,
            mse_after=2977 * SCALE,
            own=RECORD.own,
            cross=RECORD.cross,
            contributions=(Contribution(trainer=TRAINER, shapley=1596 * SCALE, pay_weight=1596 * SCALE),),
            last=False,
        ),
    )
