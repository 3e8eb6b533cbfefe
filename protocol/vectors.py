"""Encrypted vectors as they travel: fixed-length ciphertexts of one key, one scale for the whole vector."""

from collections.abc import Sequence
from typing import Annotated

from eth_hash.auto import keccak
from pydantic import Field

from protocol.crypto.cipher import Ciphertext, PublicKey, read_ciphertexts, write_ciphertexts
from protocol.errors import ProtocolViolation
from protocol.request_sections import MAXIMUM_FEATURES
from protocol.types import MAXIMUM_INTEGER_BYTES, Digest, FrozenModel

Ciphertexts = Annotated[
    tuple[Annotated[bytes, Field(max_length=MAXIMUM_INTEGER_BYTES)], ...],
    Field(min_length=1, max_length=100_000, fail_fast=True, repr=False),
]


def ciphertexts_digest(ciphertexts: Sequence[bytes]) -> bytes:
    """Keccak-256 of the ciphertexts end to end: what signatures, records and the store name a vector by."""
    return keccak(b"".join(ciphertexts))


class EncryptedVector(FrozenModel):
    """One ciphertext per entry; entry x stands for x·2^scale. A scale per entry would leak magnitudes."""

    key_id: Digest
    scale: Annotated[int, Field(ge=0, le=4096)]
    ciphertexts: Annotated[Ciphertexts, Field(max_length=MAXIMUM_FEATURES + 1)]

    @classmethod
    def of(cls, key: PublicKey, ciphertexts: Sequence[Ciphertext], scale: int) -> "EncryptedVector":
        """The vector of ciphertexts that already went through the blinding door."""
        return cls(key_id=key.key_id, scale=scale, ciphertexts=tuple(write_ciphertexts(key, ciphertexts)))

    def read(self, key: PublicKey, *, scale: int, count: int) -> list[Ciphertext]:
        """The checked ciphertexts; ProtocolViolation for another key, scale or count, or a bad value."""
        _check(self.key_id == key.key_id, "wrong_key")
        _check(self.scale == scale, "wrong_scale")
        return read_ciphertexts(key, self.ciphertexts, count)

    def digest(self) -> bytes:
        """Keccak-256 of the ciphertexts."""
        return ciphertexts_digest(self.ciphertexts)


def _check(holds: bool, code: str) -> None:
    if not holds:
        raise ProtocolViolation(code)
