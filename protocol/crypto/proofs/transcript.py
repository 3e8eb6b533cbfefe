"""What a challenge is hashed from: everything (A. Fiat, A. Shamir, Crypto '86).

A challenge that left one thing out could be had first and the thing chosen afterwards; a proof that named no
training, round or prover could be shown again by somebody else.
"""

from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.commitment_group import ELEMENT_BYTES
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.elements import is_integer
from protocol.crypto.paillier import PublicKey
from protocol.crypto.proofs.bounds import CHALLENGE_BITS
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError
from protocol.types import digest_of

_END = 1 << 64


class Occasion(NamedTuple):
    """What a proof is for within its training, by the verifier's own count and never by the prover's word.

    An update serves every attempt at its round, and has attempt 0.
    """

    round: int
    repetition: int
    attempt: int = 0

    def require(self) -> None:
        """Raise MisuseError for a number that has no place in 8 bytes."""
        for name, number in self._asdict().items():
            if not is_integer(number) or not 0 <= number < _END:
                raise MisuseError(f"{name} is {number!r}; it must be an integer from 0 to 2^64 - 1")


class ProofContext(NamedTuple):
    """Whose proof it is, and for what: it convinces nobody anywhere else."""

    identity: TrainingIdentity
    prover: str
    occasion: Occasion

    def to_bytes(self) -> bytes:
        """Of a fixed length, of an address and a checked occasion: the three numbers in 8 bytes each.

        The group is part of it: what is shown in one says nothing in another.
        """
        prover = int(self.prover, 16).to_bytes(20, "big")
        occasion = b"".join(one.to_bytes(8, "big") for one in self.occasion)
        return self.identity.to_bytes() + self.identity.group.to_bytes() + prover + occasion


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
        """The 128-bit number that the announcements, modulo n² and modulo N̂, are answered under."""
        announced = ciphertext_bytes(self.key, announcements)
        committed = int(commitment).to_bytes(ELEMENT_BYTES, "big")
        digest = digest_of(b"deltaml challenge", self.digest, announced, committed)
        return int.from_bytes(digest[: CHALLENGE_BITS // 8], "big")


def ciphertext_bytes(key: PublicKey, ciphertexts: tuple[mpz, ...]) -> bytes:
    """Of numbers below n², each as long as that."""
    return b"".join(int(one).to_bytes(key.ciphertext_length, "big") for one in ciphertexts)


def integer_bytes(number: int | mpz) -> bytes:
    """Of an integer of any size and sign: the fewest bytes of its two's complement, or one more."""
    value = int(number)
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
