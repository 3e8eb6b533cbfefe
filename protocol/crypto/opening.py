"""Openings with proof: the key's holder shows a plaintext and an n-th root that no other plaintext has."""

from dataclasses import dataclass

import gmpy2
from gmpy2 import mpz

from protocol.crypto.paillier import PrivateKey, PublicKey


@dataclass(frozen=True, slots=True)
class Opening:
    """m and r with c = (1 + m·n)·r^n mod n²."""

    plaintext: mpz
    root: mpz


def open_ciphertext(private_key: PrivateKey, ciphertext: mpz) -> Opening:
    """The root r = (c·(1 − m·n))^(n⁻¹ mod λ) mod n shows that c holds m, and nothing more about the key."""
    key = private_key.public_key
    plaintext = private_key.decrypt(ciphertext)
    residue = ciphertext * key.lift(-plaintext) % key.n
    return Opening(plaintext, gmpy2.powmod_sec(residue, private_key.root_exponent, key.n))


def verify_opening(key: PublicKey, ciphertext: mpz, opening: Opening) -> bool:
    """Whether c = (1 + m·n)·r^n mod n² with 0 ≤ m < n and 0 < r < n: one ciphertext has one such m."""
    if not (0 <= opening.plaintext < key.n and 0 < opening.root < key.n):
        return False
    power = gmpy2.powmod(mpz(opening.root), key.n, key.n_squared)
    return bool(ciphertext == key.lift(opening.plaintext) * power % key.n_squared)
