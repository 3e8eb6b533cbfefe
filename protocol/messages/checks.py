"""Checks of the buyer's refresh and products: designed, and not yet a step of any role."""

from typing import ClassVar, Literal

from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, PACKED, ROOT, VALIDATOR, VECTOR, relayed
from protocol.messages.values import BigNatural, Relayed
from protocol.types import Digest
from protocol.vectors import EncryptedVector, PackedVector

NOT_YET = "Not sent by this version: the check is designed, its steps are not wired in."


class CheckMask(MessageBody):
    """V → FA: the validator's masks for the refresh check and the range openings."""

    type: Literal["check_mask"] = "check_mask"
    masks: PackedVector
    updates_digest: Digest
    refreshed_digest: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when=NOT_YET,
        example=lambda: CheckMask(masks=PACKED, updates_digest=DIGEST, refreshed_digest=DIGEST),
    )


class CheckRequest(MessageBody):
    """FA → V: every mask of the attempt, FA's own among them."""

    type: Literal["check_request"] = "check_request"
    masks: Relayed
    own_masks: PackedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when=NOT_YET,
        example=lambda: CheckRequest(masks=(relayed("check_mask", VALIDATOR),), own_masks=PACKED),
    )


class CheckProducts(MessageBody):
    """FA → MB: the products only, since with the masks MB could strip them."""

    type: Literal["check_products"] = "check_products"
    products: PackedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when=NOT_YET,
        example=lambda: CheckProducts(products=PACKED),
    )


class CheckOpening(MessageBody):
    """MB → FA, V: the products' plaintexts and roots."""

    type: Literal["check_opening"] = "check_opening"
    plaintexts: tuple[BigNatural, ...]
    roots: tuple[BigNatural, ...]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR), (BUYER, OWNER)),
        sent_when=NOT_YET,
        example=lambda: CheckOpening(plaintexts=(0,), roots=(ROOT,)),
    )


class MacChallenge(MessageBody):
    """V → MB: a combination that must open as zero if MB's products were honest."""

    type: Literal["mac_challenge"] = "mac_challenge"
    ciphertext: EncryptedVector

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when=NOT_YET,
        example=lambda: MacChallenge(ciphertext=VECTOR),
    )


class MacAnswer(MessageBody):
    """MB → V: the root that opens it as zero, or nothing when it is not zero."""

    type: Literal["mac_answer"] = "mac_answer"
    root: BigNatural | None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER),),
        sent_when=NOT_YET,
        example=lambda: MacAnswer(root=ROOT),
    )
