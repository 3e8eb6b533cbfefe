"""The envelope around every message and the signature over both.

The envelope travels in clear, as AMQP properties and headers; body and signature are sealed to the recipient.
It names the market: one key may serve in several, and what is signed for one must say nothing in another.
The signature is inside the seal: outside it, a short body (an answer of yes or no) could be guessed and
checked.
"""

from typing import Annotated, Any, Literal

import msgpack  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from pydantic import Field

from protocol.codec import pack, unpack
from protocol.errors import ProtocolViolation
from protocol.msgpack_shape import Limits
from protocol.records import Market
from protocol.signatures import personal_digest, recover_address, sign_digest
from protocol.types import (
    ZERO_ADDRESS,
    Address,
    AttemptNumber,
    Code,
    EcdsaSignature,
    FrozenModel,
    MessageId,
    RoundNumber,
    TrainingId,
)

MAJOR, MINOR = 2, 0
VERSION = f"{MAJOR}.{MINOR}"


def unsupported(version: str) -> str:
    """Why a message of another major version is refused, and what to do."""
    return (
        f"version {version}; this program speaks {MAJOR}.x: all participants of a market change to a new "
        "major version together (CHANGELOG.md says how)"
    )


class Envelope(FrozenModel):
    """Who sends what to whom, for which training, round and attempt. `sent_at` (ms) is for people only.

    Version 1 had no market: what is stored of it is still read, and shown to no market by the defaults.
    """

    version: Annotated[str, Field(pattern=r"^[12]\.[0-9]{1,4}$", max_length=6)] = VERSION
    message_id: MessageId
    type: Code
    training: TrainingId
    round: RoundNumber = 0
    attempt: AttemptNumber = 0
    sender: Address
    recipient: Address
    sent_at: Annotated[int, Field(ge=0, lt=1 << 63)]
    chain_id: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    contract: Address = ZERO_ADDRESS

    @property
    def is_newer(self) -> bool:
        """Whether a later minor version than this one wrote the message."""
        return int(self.version.partition(".")[2]) > MINOR

    def require_market(self, market: Market) -> None:
        """Raise ProtocolViolation: "unsupported_version" for one that names no market, or "wrong_market"."""
        if not self.version.startswith(f"{MAJOR}."):
            raise ProtocolViolation("unsupported_version", unsupported(self.version))
        if (self.chain_id, self.contract) != (market.chain_id, market.contract):
            named, ours = (f"{at.contract} on chain {at.chain_id}" for at in (self, market))
            raise ProtocolViolation("wrong_market", f"signed for {named}; this daemon works for {ours}")

    def signing_digest(self, body: bytes) -> bytes:
        """EIP-191 over keccak256(msgpack of every envelope field and keccak256(body))."""
        return self.signing_digest_of(keccak(body))

    def signing_digest_of(self, body_digest: bytes) -> bytes:
        """The same for who has no more of the body than its keccak256."""
        fields: list[Any] = [*self.model_dump(mode="python").values(), body_digest]
        return personal_digest(keccak(msgpack.packb(fields, use_bin_type=True)))


_SEALED_PART = Limits(elements=7, depth=1, keys=3)
"""Of SealedPart: three names, three values. Anybody can seal, so nothing else is decoded unsigned."""


class SignedMessage(FrozenModel):
    """An envelope, its plain body and the sender's signature: relayed unchanged, so anyone can check it.

    A body may hold masks or a seed, as those of `ring_shared` and `round_evidence` do: no text shows it.
    """

    envelope: Envelope
    body: Annotated[bytes, Field(repr=False)]
    signature: EcdsaSignature

    @classmethod
    def create(cls, envelope: Envelope, body: bytes, signing_key: bytes) -> "SignedMessage":
        """Sign `body` under `envelope`; the key must be the sender's."""
        signature = sign_digest(signing_key, envelope.signing_digest(body))
        return cls(envelope=envelope, body=body, signature=signature)

    def verify(self, market: Market) -> None:
        """Raise ProtocolViolation unless the envelope's sender signed exactly this for this market.

        The code is "bad_signature" or one of `Envelope.require_market`.
        """
        self.envelope.require_market(market)
        signer = recover_address(self.envelope.signing_digest(self.body), self.signature)
        if signer != self.envelope.sender:
            raise ProtocolViolation("bad_signature", f"signed by {signer}, not by {self.envelope.sender}")

    def digest(self) -> bytes:
        """What later messages name this one by: keccak256 over the signed digest and the signature."""
        return keccak(self.envelope.signing_digest(self.body) + self.signature)

    def sealed_part(self) -> bytes:
        """The bytes to seal to the recipient: signature and body."""
        return pack(SealedPart(body=self.body, signature=self.signature))

    @classmethod
    def from_parts(cls, envelope: Envelope, opened: bytes) -> "SignedMessage":
        """The message from its clear envelope and the opened seal; raises ProtocolViolation if malformed."""
        part = unpack(SealedPart, opened, limits=_SEALED_PART)
        return cls(envelope=envelope, body=part.body, signature=part.signature)


class SealedPart(FrozenModel):
    """What the recipient finds in the seal."""

    part: Literal["message"] = "message"
    body: Annotated[bytes, Field(repr=False)]
    signature: EcdsaSignature
