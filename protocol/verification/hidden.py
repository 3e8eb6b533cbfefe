"""The messages of a transcript that hold one-use secrets: kept without them, and beside that in a box.

Masks of a request to the buyer, and seeds of a question, show the models to whoever has the buyer's key. A
round needs them until it is recorded; its verification needs them for ever. So they lie in a box that the
party's signing key alone opens (`protocol.crypto.own_box`): neither the store nor a transcript that is handed
on gives them to its reader. Of the evidence all else stands in the open, under the digest that every member
has signed and the chain has recorded; of a question, and of a refusal that shows one, nothing does.
"""

from typing import Annotated, Literal

from eth_hash.auto import keccak
from pydantic import Field

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.crypto.own_box import open_own, seal_own
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import CheckVerdict, RangesAsked, RingConsent, RingShared, RoundEvidence
from protocol.messages.rounds.values import Numbers
from protocol.records import Market
from protocol.roles.rounds.attempt import masks_digest
from protocol.signatures import recover_address
from protocol.types import Digest, EcdsaSignature, FrozenModel

Way = Literal["sent", "received"]


class HiddenMasks(FrozenModel):
    """What is in the box of a round's evidence."""

    masks: Annotated[Numbers, Field(repr=False)]
    mask_roots: Annotated[Numbers, Field(repr=False)]


class HiddenMessage(FrozenModel):
    """A message of which a part is in a box.

    `shown` is the evidence without masks, `masks` the digest of those; of any other message both are None,
    and the box holds the whole body. `body_digest` is keccak256 of the body, which the signature is of.
    """

    way: Way
    envelope: Envelope
    body_digest: Digest
    signature: EcdsaSignature
    shown: RoundEvidence | None = None
    masks: Digest | None = None
    box: Annotated[bytes, Field(repr=False)]

    def verify(self, market: Market) -> None:
        """Raise ProtocolViolation unless the sender signed a body of this digest for this market."""
        self.envelope.require_market(market)
        signer = recover_address(self.envelope.signing_digest_of(self.body_digest), self.signature)
        if signer != self.envelope.sender:
            raise ProtocolViolation("bad_signature", f"signed by {signer}, not by {self.envelope.sender}")
        in_the_open = (self.shown is not None, self.masks is not None)
        allowed = (True, True) if self.envelope.type == "round_evidence" else (False, False)
        if in_the_open not in (allowed, (False, False)):
            raise ProtocolViolation("malformed", "evidence alone stands in the open, with a digest of masks")

    def opened(self, signing_key: bytes) -> SignedMessage:
        """The whole message; raises ProtocolViolation("not_opened") where the box is not this message's."""
        content = open_own(signing_key, self.box)
        body = content if self.shown is None else _with_masks(self.shown, content)
        if keccak(body) != self.body_digest:
            raise ProtocolViolation("not_opened", "the box holds another body than was signed")
        return SignedMessage(envelope=self.envelope, body=body, signature=self.signature)


_INNOCENT = frozenset(("zero_test_result", "zero_test_consent", "ring_committed", "ring_opening"))
"""What a verdict may show that holds no seed."""


def is_secret(signed: SignedMessage) -> bool:
    """Whether a message holds masks or seeds; one that cannot be read is taken to."""
    try:
        return _holds_secrets(signed)
    except ProtocolViolation:
        return True


def _holds_secrets(signed: SignedMessage) -> bool:
    match signed.envelope.type:
        case "round_evidence" | "zero_test_shown":
            found = True
        case "check_verdict":
            evidence = body_of(signed, CheckVerdict).evidence
            found = any(one.envelope.type not in _INNOCENT for one in evidence)
        case "ranges_asked":
            found = is_secret(body_of(signed, RangesAsked).complaint)
        case "ring_shared":
            found = body_of(signed, RingShared).seed is not None
        case "ring_consent":
            found = body_of(signed, RingConsent).shown is not None
        case _:
            found = False
    return found


def hidden(signed: SignedMessage, way: Way, signing_key: bytes) -> HiddenMessage:
    """The message with its secrets in a box."""
    shown = _evidence(signed)
    secret = signed.body
    if shown is not None:
        secret = pack(HiddenMasks(masks=shown.masks, mask_roots=shown.mask_roots))
    return HiddenMessage(
        way=way,
        envelope=signed.envelope,
        body_digest=keccak(signed.body),
        signature=signed.signature,
        shown=None if shown is None else shown.without_masks(),
        masks=None if shown is None else masks_digest(shown),
        box=seal_own(signing_key, secret),
    )


def _evidence(signed: SignedMessage) -> RoundEvidence | None:
    """A round's evidence that can be taken apart; None for one that would not be the same bytes again."""
    if signed.envelope.type != "round_evidence":
        return None
    try:
        body = body_of(signed, RoundEvidence)
    except ProtocolViolation:
        return None
    return body if pack(body) == signed.body else None


def _with_masks(shown: RoundEvidence, content: bytes) -> bytes:
    secret = unpack(HiddenMasks, content)
    return pack(shown.model_copy(update={"masks": secret.masks, "mask_roots": secret.mask_roots}))
