"""Proof that a modulus has no more than two prime factors, without showing them.

Let z be a non-residue modulo p and modulo q. Of the units whose Jacobi symbol is 1, each is a square or
becomes one when multiplied by z. With a third prime factor that holds for at most half of them, whatever z
is (J. van de Graaf, R. Peralta, "A simple and secure way to show the validity of your public key", Crypto
'87). Nothing is said about the factors' size.
"""

from collections.abc import Sequence

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness

SQUARE_ROOTS = 128
"""Challenges: a modulus of three or more primes passes with probability 2^-128."""


def prove_two_primes(private_key: PrivateKey) -> list[mpz]:
    """Z and the square roots of the challenges, or of z times them; the same for a key each time.

    Two different roots of one challenge would give the factors away, so which one is shown depends on nothing
    but the key.
    """
    p, q, key = private_key.p, private_key.q, private_key.public_key
    z = mpz(2)
    while gmpy2.legendre(z, p) != -1 or gmpy2.legendre(z, q) != -1:
        z += 1
    secret, q_inverse = private_key.to_bytes(), gmpy2.invert(q, p)
    roots = []
    for index, challenge in enumerate(_challenges(key, z)):
        square = challenge if gmpy2.legendre(challenge, p) == 1 else challenge * z
        signs = keccak(b"deltaml square root" + secret + index.to_bytes(2, "big"))
        root_p = _square_root(square % p, p, z) * (1 - 2 * (signs[0] & 1)) % p
        root_q = _square_root(square % q, q, z) * (1 - 2 * (signs[1] & 1)) % q
        roots.append(root_q + q * ((root_p - root_q) * q_inverse % p))
    return [z, *roots]


def has_two_primes(key: PublicKey, proof: Sequence[mpz]) -> bool:
    """Whether the proof holds for a modulus that is no prime, no power and has no square factor."""
    n = key.n
    if len(proof) != SQUARE_ROOTS + 1:
        return False
    z, *roots = proof
    if not 1 < z < n or gmpy2.gcd(z, n) != 1:
        return False
    pairs = zip(_challenges(key, z), roots, strict=True)
    return all(0 < root < n and root * root % n in (c, c * z % n) for c, root in pairs)


def _challenges(key: PublicKey, z: mpz) -> list[mpz]:
    """Units with Jacobi symbol 1, hashed from the modulus and z."""
    stream = Randomness(keccak(b"deltaml two primes" + key.to_bytes() + keccak(str(z).encode())))
    found: list[mpz] = []
    while len(found) < SQUARE_ROOTS:
        unit = stream.unit(key.n)
        if gmpy2.jacobi(unit, key.n) == 1:
            found.append(unit)
    return found


def _square_root(square: mpz, prime: mpz, nonresidue: mpz) -> mpz:
    """The smaller square root modulo a prime: one power modulo Blum's, else by Tonelli's algorithm (1891).

    Modulo a prime that is 3 modulo 4 Tonelli's first guess s^((p+1)/4) is a root already.
    """
    if prime % 4 == 3:
        root = gmpy2.powmod(square, (prime + 1) // 4, prime)
        return min(root, prime - root)
    exponent = gmpy2.bit_scan1(prime - 1)
    odd = (prime - 1) >> exponent
    factor = gmpy2.powmod(nonresidue, odd, prime)
    rest, root = gmpy2.powmod(square, odd, prime), gmpy2.powmod(square, (odd + 1) // 2, prime)
    while rest != 1:
        order, power = 0, rest
        while power != 1:
            power = power * power % prime
            order += 1
        step = gmpy2.powmod(factor, 1 << (exponent - order - 1), prime)
        exponent, factor = order, step * step % prime
        rest, root = rest * factor % prime, root * step % prime
    return min(root, prime - root)
