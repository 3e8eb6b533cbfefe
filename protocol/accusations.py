"""Calls that show the contract a fault, for which the account that committed it loses its bond."""

from typing import Annotated, Literal

from eth_hash.auto import keccak
from pydantic import Field

from protocol.records import Market, RoundRecord, number_word
from protocol.types import Address, EcdsaSignature, FrozenModel, RoundNumber, TrainingId

_OPENING_TYPE = (
    b"Opening(uint256 trainingId,uint16 round,bytes modulus,bytes ciphertext,bytes plaintext,bytes root)"
)
_LEAST_BYTES, _MOST_BYTES = 64, 512
_WORD = 32

_STEP_BYTES = 16
"""Of the exponent, that the contract raises the root by in a step."""


def modulus_bytes(n: int) -> int:
    """How many bytes the contract takes of a number below n: whole words, 64 at least."""
    words = -(-n.bit_length() // (8 * _WORD))
    return max(_LEAST_BYTES, words * _WORD)


def is_checkable(n: int) -> bool:
    """Whether the contract can check an opening under this modulus: up to 4096 bits."""
    return modulus_bytes(n) <= _MOST_BYTES


class SignedOpening(FrozenModel):
    """That a ciphertext of a round holds a number: c = (1 + m·n)·rⁿ mod n², as the buyer signs it.

    Numbers are big-endian: n, m and r in `modulus_bytes`, c in twice as many.
    """

    training: TrainingId
    round: RoundNumber
    modulus: Annotated[bytes, Field(max_length=1024, repr=False)]
    ciphertext: Annotated[bytes, Field(max_length=2048, repr=False)]
    plaintext: Annotated[bytes, Field(max_length=1024, repr=False)]
    root: Annotated[bytes, Field(max_length=1024, repr=False)]

    @classmethod
    def of(
        cls, training: int, round_number: int, *, n: int, ciphertext: int, plaintext: int, root: int
    ) -> "SignedOpening":
        """Of numbers: m and r below n, c below n²; raises OverflowError for others."""
        size = modulus_bytes(n)
        return cls(
            training=training,
            round=round_number,
            modulus=n.to_bytes(size, "big"),
            ciphertext=ciphertext.to_bytes(2 * size, "big"),
            plaintext=plaintext.to_bytes(size, "big"),
            root=root.to_bytes(size, "big"),
        )

    def digest(self, market: Market) -> bytes:
        """The EIP-712 digest that the buyer signs."""
        return market.typed_digest(
            _OPENING_TYPE,
            number_word(self.training),
            number_word(self.round),
            keccak(self.modulus),
            keccak(self.ciphertext),
            keccak(self.plaintext),
            keccak(self.root),
        )

    @property
    def steps(self) -> int:
        """How many steps the contract takes to check it."""
        return len(self.modulus) // _STEP_BYTES

    def power_after(self, done: int) -> bytes:
        """What so many steps give: rᵉ mod n², with the highest bits of n as e; empty before the first."""
        if done == 0:
            return b""
        n, root = (int.from_bytes(field, "big") for field in (self.modulus, self.root))
        exponent = n >> 8 * _STEP_BYTES * (self.steps - done)
        return pow(root, exponent, n * n).to_bytes(len(self.ciphertext), "big")


class AccuseOfTwoRecords(FrozenModel):
    """Show two different records of one round that an account has signed: it loses its bond."""

    call: Literal["accuse_of_two_records"] = "accuse_of_two_records"
    first: RoundRecord
    first_signature: EcdsaSignature
    second: RoundRecord
    second_signature: EcdsaSignature
    account: Address

    @property
    def training(self) -> int:
        """In which."""
        return self.first.training


class AccuseOfFalseOpening(FrozenModel):
    """Show an opening that the buyer has signed and that is false: it loses its bond."""

    call: Literal["accuse_of_false_opening"] = "accuse_of_false_opening"
    opening: SignedOpening
    signature: EcdsaSignature
    account: Address

    @property
    def training(self) -> int:
        """In which."""
        return self.opening.training
