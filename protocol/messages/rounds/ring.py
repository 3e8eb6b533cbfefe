"""Three shares: aggregator and checkers commit, show nonces, show seeds to the next, agree on a product."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody, Route
from protocol.messages.examples import DIGEST, SIGNATURE
from protocol.messages.rounds.values import Numbers, RingPurpose, Seed, Shown
from protocol.types import Digest, EcdsaSignature, FrozenModel

_AMONG_MAKERS: tuple[Route, ...] = ((AGGREGATOR, OWNER), (OWNER, AGGREGATOR), (OWNER, OWNER))
_SEAT: Literal["validators"] = "validators"


class RingCommitted(MessageBody):
    """FA and checkers, to each other: digests of what is opened, of one's share and of one's nonce."""

    type: Literal["ring_committed"] = "ring_committed"
    purpose: RingPurpose
    statement: Digest
    share: Digest
    nonce: Annotated[bytes, Field(max_length=32)] = b""

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=_AMONG_MAKERS,
        sent_when="Before anything of the opening is known to anybody.",
        carries="digests of share and nonce",
        seat=_SEAT,
        example=lambda: RingCommitted(purpose="next model", statement=DIGEST, share=DIGEST, nonce=DIGEST),
    )


class RingNonce(MessageBody):
    """Checker → FA, the other checker: its nonce, now that all have committed."""

    type: Literal["ring_nonce"] = "ring_nonce"
    purpose: RingPurpose
    nonce: Annotated[Seed, Field(repr=False)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR), (OWNER, OWNER)),
        sent_when="When the three commitments are there.",
        carries="a nonce",
        seat=_SEAT,
        example=lambda: RingNonce(purpose="next model", nonce=b"\x01" * 32),
    )


class RingShared(MessageBody):
    """FA and checkers, to each other: one's share, and to the next one alone its seed."""

    type: Literal["ring_shared"] = "ring_shared"
    purpose: RingPurpose
    share: Numbers
    seed: Annotated[Seed | None, Field(repr=False)] = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=_AMONG_MAKERS,
        sent_when="When all commitments, and nonces where there are some, are there.",
        carries="an encrypted share",
        seat=_SEAT,
        example=lambda: RingShared(purpose="next model", share=(b"\x05",)),
    )


class RingConsent(MessageBody):
    """Checker → FA: its signature of the product, having made the share before its own again.

    Or that it has not: then it shows the signed message with share and seed, which are given up by that.
    """

    type: Literal["ring_consent"] = "ring_consent"
    purpose: RingPurpose
    signature: EcdsaSignature | None = None
    refused: bool = False
    shown: Annotated[SignedMessage | None, Field(repr=False)] = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When the three shares are multiplied.",
        carries="a signature of the product",
        seat=_SEAT,
        example=lambda: RingConsent(purpose="next model", signature=SIGNATURE),
    )


class RingOpeningRequest(MessageBody):
    """FA → MB: open this product for the checkers; all three have signed it, in the order of makers."""

    type: Literal["ring_opening_request"] = "ring_opening_request"
    purpose: RingPurpose
    product: Numbers
    signatures: Annotated[tuple[EcdsaSignature, ...], Field(min_length=3, max_length=3)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When both checkers have signed.",
        answers=("ring_opening",),
        deadline="step_s",
        on_silence="Others check next; of ranges the training ends, and the buyer is named.",
        carries="20 masked sums",
        example=lambda: RingOpeningRequest(
            purpose="next model", product=(b"\x05",), signatures=(SIGNATURE,) * 3
        ),
    )


class OpenedVector(FrozenModel):
    """The openings of one vector's sums; none where the buyer says that they are out of range."""

    openings: Annotated[tuple[Shown, ...], Field(max_length=64)] = ()


class RingOpening(MessageBody):
    """MB → checkers: the opened sums of each vector; those of ranges, whatever they are, to FA as well."""

    type: Literal["ring_opening"] = "ring_opening"
    purpose: RingPurpose
    vectors: Annotated[tuple[OpenedVector, ...], Field(min_length=1, max_length=257, fail_fast=True)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER), (BUYER, AGGREGATOR)),
        sent_when="Once for each attempt and purpose.",
        carries="the sums, with proof",
        seat=_SEAT,
        example=lambda: RingOpening(
            purpose="next model",
            vectors=(OpenedVector(openings=(Shown(plaintext=3000 << 64, root=0x2F1D),)),),
        ),
    )
