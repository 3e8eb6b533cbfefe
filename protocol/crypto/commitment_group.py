"""The group for commitments: integers modulo a number whose factors nobody has.

A commitment g^x·h^κ binds whoever cannot factor the modulus, and with κ wider than the modulus by
`HIDING_BITS` it tells nothing of x but what the index of ⟨h⟩ among the squares lets through (E. Fujisaki,
T. Okamoto, Crypto '97; I. Damgård, E. Fujisaki, Asiacrypt 2002).
"""

from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.randomness import Randomness

RSA_2048 = mpz(
    "25195908475657893494027183240048398571429282126204032027777137836043662020707595556264018525880784406918"
    "29064124951508218929855914917618450280848912007284499268739280728777673597141834727026189637501497182469"
    "11650776133798590957000973304597488084284017974291006424586918171951187461215151726546322822168699875491"
    "82422433637259085141865462043576798423387184774447920739934236584823824281198163815010674810451660377306"
    "05620161967625613384414360383390441495263443219011465754445417842402092461651572335077870774981712577246"
    "7962926386356373289912154831438167899885040445364023527381951378636564391212010397122822120720357"
)
"""The challenge number RSA-2048 of RSA Laboratories (1991), whose factors were destroyed when it was made."""

HIDING_BITS = 128
"""How much wider than the modulus a commitment's randomiser is."""


def generator(label: bytes) -> mpz:
    """A square hashed from a label, of which nobody knows a power that another label's generator is.

    Nothing is kept here: labels name trainings, of which a process sees any number.
    """
    return Randomness(keccak(b"deltaml generator" + label)).unit(RSA_2048) ** 2 % RSA_2048
