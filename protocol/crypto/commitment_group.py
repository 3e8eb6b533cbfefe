"""The group for commitments: integers modulo a number whose factors nobody has.

A commitment g^x·h^κ binds whoever cannot factor the modulus, and with κ wider than the modulus by
`hiding_bits` it tells nothing of x but what the index of ⟨h⟩ among the squares lets through (E. Fujisaki,
T. Okamoto, Crypto '97; I. Damgård, E. Fujisaki, Asiacrypt 2002).

Whoever runs a role says which group it is, before anybody has sent anything: no message names one.
"""

from dataclasses import dataclass

from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError

ELEMENT_BYTES = 256
"""Of an element as it travels, in every group: the longest modulus there may be."""

_CHALLENGE_NUMBER = mpz(
    "25195908475657893494027183240048398571429282126204032027777137836043662020707595556264018525880784406918"
    "29064124951508218929855914917618450280848912007284499268739280728777673597141834727026189637501497182469"
    "11650776133798590957000973304597488084284017974291006424586918171951187461215151726546322822168699875491"
    "82422433637259085141865462043576798423387184774447920739934236584823824281198163815010674810451660377306"
    "05620161967625613384414360383390441495263443219011465754445417842402092461651572335077870774981712577246"
    "7962926386356373289912154831438167899885040445364023527381951378636564391212010397122822120720357"
)


@dataclass(frozen=True, slots=True)
class CommitmentGroup:
    """The units modulo `modulus`; a commitment's κ is `hiding_bits` wider than that.

    Raises MisuseError for a modulus that is longer than an element on the wire.
    """

    modulus: mpz
    hiding_bits: int = 128

    def __post_init__(self) -> None:
        """Refuse elements that could not travel."""
        if self.modulus.bit_length() > 8 * ELEMENT_BYTES:
            raise MisuseError(
                f"a group modulo {self.modulus.bit_length()} bits; elements travel in {8 * ELEMENT_BYTES}"
            )

    @property
    def exponent_bits(self) -> int:
        """Of κ."""
        return int(self.modulus.bit_length()) + self.hiding_bits

    def generator(self, label: bytes) -> mpz:
        """A square hashed from a label, of which nobody knows a power that another label's generator is.

        Nothing is kept here: labels name trainings, of which a process sees any number.
        """
        return Randomness(keccak(b"deltaml generator" + label)).unit(self.modulus) ** 2 % self.modulus

    def to_bytes(self) -> bytes:
        """What a challenge names it by."""
        return int(self.modulus).to_bytes(ELEMENT_BYTES, "big") + self.hiding_bits.to_bytes(8, "big")


RSA_2048 = CommitmentGroup(_CHALLENGE_NUMBER)
"""Modulo the challenge number of RSA Laboratories (1991), whose factors were destroyed when it was made."""
