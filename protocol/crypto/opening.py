"""Openings with proof: the key's holder shows a plaintext and an n-th root that no other plaintext has."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gmpy2 import mpz

from protocol.crypto.native.batch import public_powers
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.powers import product_of_powers, public_power
from protocol.crypto.randomness import Randomness

_COEFFICIENT_BITS = 128


@dataclass(frozen=True, slots=True)
class Opening:
    """m and r with c = (1 + m·n)·r^n mod n², which only who was shown them may know."""

    plaintext: mpz = field(repr=False)
    root: mpz = field(repr=False)


def open_ciphertext(private_key: PrivateKey, ciphertext: mpz) -> Opening:
    """The n-th root r of c·(1 − m·n) mod n shows that c holds m, and nothing more about the key."""
    return open_ciphertexts(private_key, [ciphertext])[0]


def open_ciphertexts(private_key: PrivateKey, ciphertexts: Sequence[mpz]) -> list[Opening]:
    """Several as `open_ciphertext` opens one."""
    key, plaintexts = private_key.public_key, private_key.decrypt_all(ciphertexts)
    residues = [c * key.lift(-m) % key.n for c, m in zip(ciphertexts, plaintexts, strict=True)]
    roots = private_key.nth_roots(residues)
    return [Opening(plaintext, root) for plaintext, root in zip(plaintexts, roots, strict=True)]


def verify_openings(
    key: PublicKey, ciphertexts: Sequence[mpz], openings: Sequence[Opening], randomness: Randomness
) -> bool:
    """Whether each ciphertext holds the plaintext beside it, by one n-th power instead of one for each.

    A ciphertext c holds m, 0 ≤ m < n, if it is (1 + m·n)·r^n mod n², 0 < r < n; it has one such m. Checks
    Π c_i^(a_i)·(1 + n)^(−Σ a_i·m_i) = (Π r_i^(a_i))^n mod n² under coefficients a_i that are the verifier's
    own: whoever knew them could let one lie cancel another (M. Bellare, J. Garay, T. Rabin, Eurocrypt '98).
    A plaintext that differs modulo a prime factor above 2^128 passes with probability 2^-128. A root may be
    wrong by a factor of small order, which changes no plaintext. One opening alone is checked as it is, which
    lets no such factor through and saves two powers; the powers of several share their squarings.
    Raises ValueError for unequal numbers.
    """
    pairs = list(zip(ciphertexts, openings, strict=True))
    if len(pairs) == 1:
        return not false_openings(key, ciphertexts, openings)
    if not all(_within(key, opening) for _, opening in pairs):
        return False
    coefficients = [randomness.bits(_COEFFICIENT_BITS) for _ in pairs]
    try:
        left = product_of_powers(ciphertexts, coefficients, key.n_squared)
        root = product_of_powers([opening.root for opening in openings], coefficients, key.n)
    except ZeroDivisionError:  # a root or ciphertext that shares a factor with n opens nothing
        return False
    total = sum(a * opening.plaintext for a, opening in zip(coefficients, openings, strict=True))
    return bool(left * key.lift(-total) % key.n_squared == public_power(root, int(key.n), key.n_squared))


def false_openings(
    key: PublicKey, ciphertexts: Sequence[mpz], openings: Sequence[Opening]
) -> tuple[int, ...]:
    """The places of openings that do not hold, one by one: what to name where `verify_openings` fails.

    Raises ValueError for unequal numbers.
    """
    powers = public_powers([one.root % key.n for one in openings], int(key.n), key.n_squared)
    return tuple(
        index
        for index, (ciphertext, opening, power) in enumerate(zip(ciphertexts, openings, powers, strict=True))
        if not _within(key, opening) or key.lift(opening.plaintext) * power % key.n_squared != ciphertext
    )


def _within(key: PublicKey, opening: Opening) -> bool:
    return bool(0 <= opening.plaintext < key.n and 0 < opening.root < key.n)
