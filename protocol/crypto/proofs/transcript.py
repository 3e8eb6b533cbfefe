"""What a challenge is hashed from: everything (A. Fiat, A. Shamir, Crypto '86).

A challenge that left one thing out could be had first and the thing chosen afterwards; a proof that named no
training, round or prover could be shown again by somebody else.
"""

from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.commitments import ELEMENT_BYTES, TrainingIdentity
from protocol.crypto.paillier import PublicKey
from protocol.crypto.proofs.bounds import CHALLENGE_BITS
from protocol.crypto.randomness import Randomness
from protocol.types import digest_of


class ProofContext(NamedTuple):
    """Whose proof it is, and for what: it convinces nobody anywhere else.

    An update serves every attempt at its round, and has attempt 0.
    """

    identity: TrainingIdentity
    prover: str
    round: int
    repetition: int
    attempt: int

    def to_bytes(self) -> bytes:
        """Of a fixed length: identity, prover, and the three numbers in 8 bytes each."""
        prover = int(self.prover, 16).to_bytes(20, "big")
        numbers = (self.round, self.repetition, self.attempt)
        return self.identity.to_bytes() + prover + b"".join(one.to_bytes(8, "big") for one in numbers)


class Statement(NamedTuple):
    """What is proven, as a digest: everything that stands before the prover announces anything."""

    key: PublicKey
    digest: bytes

    @classmethod
    def of(cls, key: PublicKey, domain: bytes, *parts: bytes) -> "Statement":
        """Of the parts and how they are divided; `domain` names the kind of proof."""
        return cls(key, digest_of(domain, key.to_bytes(), *parts))

    def coefficients(self, count: int) -> list[int]:
        """So many 128-bit numbers, which fold many equations into one."""
        stream = Randomness(digest_of(b"deltaml coefficients", self.digest))
        return [stream.bits(CHALLENGE_BITS) for _ in range(count)]

    def challenge(self, announcements: tuple[mpz, ...], commitment: mpz) -> int:
        """The 128-bit number that the announcements, modulo n² and modulo RSA-2048, are answered under."""
        announced = ciphertext_bytes(self.key, announcements)
        committed = int(commitment).to_bytes(ELEMENT_BYTES, "big")
        digest = digest_of(b"deltaml challenge", self.digest, announced, committed)
        return int.from_bytes(digest[: CHALLENGE_BITS // 8], "big")


def ciphertext_bytes(key: PublicKey, ciphertexts: tuple[mpz, ...]) -> bytes:
    """Of numbers below n², each as long as that."""
    return b"".join(int(one).to_bytes(key.ciphertext_length, "big") for one in ciphertexts)
