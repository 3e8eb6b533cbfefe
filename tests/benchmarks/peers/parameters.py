"""CKKS parameters of the peers' runs: those of TenSEAL's tutorials for two products in a row."""

import tenseal
import tenseal.sealapi  # without it primes cannot be read

RING = 8192
"""N: degree of the ring, twice the number of slots."""
PRIME_BITS = (60, 40, 40, 60)
"""Of the modulus' factors; 200 bits together, of which N = 8192 allows 218 at 128 bits of security."""
SCALE_BITS = 40


def context() -> tenseal.Context:
    """A fresh key pair with the keys for rotations."""
    made = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, poly_modulus_degree=RING, coeff_mod_bit_sizes=list(PRIME_BITS)
    )
    made.global_scale = 2**SCALE_BITS
    made.generate_galois_keys()
    return made


def primes(made: tenseal.Context) -> list[int]:
    """Factors of the modulus of a fresh ciphertext; a product gives the last one up."""
    parameters = made.seal_context().data.first_context_data().parms()
    return [modulus.value() for modulus in parameters.coeff_modulus()]


def drift(made: tenseal.Context) -> float:
    """What TenSEAL multiplies a product of fresh numbers by: it takes the prime for the scale. Public."""
    return 2**SCALE_BITS / primes(made)[-1]
