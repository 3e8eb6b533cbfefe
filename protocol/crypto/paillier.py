"""Paillier's cryptosystem with g = n + 1 (P. Paillier, Eurocrypt 1999): keys, encryption, decryption.

E(m) = (1 + m·n)·r^n mod n². Products of ciphertexts add plaintexts, powers multiply them by integers. Primes
are phe's. Attacker model: honest ciphertexts are indistinguishable to whoever lacks p and q, as
long as every one leaves its maker through `blinding`; whoever holds p and q sees everything that is not
masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz
from phe import util as phe_util

from protocol.crypto.native.batch import FixedBase, secret_powers
from protocol.crypto.native.in_use import kernel_for
from protocol.crypto.randomness import Randomness
from protocol.crypto.residues import Element, residues
from protocol.errors import MisuseError

SHORT_EXPONENT_BITS = 448
"""Twice 128 bits of security against generic square-root methods, with 192 bits to spare."""

_WINDOW = 6
_KEY_HOLDER_WINDOW = 7
"""Of the tables behind every encryption by the key's holder, hundreds in a round."""


@dataclass(frozen=True)
class PublicKey:
    """The modulus n = p·q; equal and hashed by n."""

    n: mpz

    def __init__(self, n: int | mpz) -> None:
        """A key from its modulus; see `validation.verify_public_key` for one that a peer sent."""
        object.__setattr__(self, "n", mpz(n))

    @cached_property
    def n_squared(self) -> mpz:
        """n², the modulus of ciphertexts."""
        return self.n * self.n

    @property
    def bits(self) -> int:
        """Length of n in bits."""
        return int(self.n.bit_length())

    @cached_property
    def key_id(self) -> bytes:
        """keccak256 of n, big end first."""
        return keccak(self.to_bytes())

    @property
    def ciphertext_length(self) -> int:
        """Bytes of a ciphertext on the wire."""
        return int(self.n_squared.bit_length() + 7) // 8

    def lift(self, m: int | mpz) -> mpz:
        """(1 + n)^m mod n² for any integer m: m's class without randomness; it must not leave unblinded."""
        return 1 + (mpz(m) % self.n) * self.n

    def signed(self, m: int | mpz) -> int:
        """The representative of m mod n in (−n/2, n/2]."""
        m = mpz(m) % self.n
        return int(m - self.n if m > self.n // 2 else m)

    def add(self, *ciphertexts: mpz) -> mpz:
        """The ciphertext of the sum."""
        total = mpz(1)
        for ciphertext in ciphertexts:
            total = total * ciphertext % self.n_squared
        return total

    def multiply(self, ciphertext: mpz, factor: int) -> mpz:
        """The ciphertext of the plaintext times an integer."""
        return gmpy2.powmod(ciphertext, factor, self.n_squared)

    def to_bytes(self) -> bytes:
        """n, big end first."""
        return int(self.n).to_bytes((self.bits + 7) // 8, "big")


@dataclass(frozen=True)
class PrivateKey:
    """p and q, hidden from repr; everything else follows from them."""

    p: mpz = field(repr=False)
    q: mpz = field(repr=False)

    @cached_property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.p * self.q)

    def decrypt(self, ciphertext: mpz) -> mpz:
        """The plaintext in [0, n), by the Chinese remainder theorem (Paillier 1999, section 7)."""
        return self.decrypt_all([ciphertext])[0]

    def decrypt_all(self, ciphertexts: Sequence[mpz]) -> list[mpz]:
        """The plaintexts of several, in less time together than one by one."""
        found, p, q = list[mpz](), self.p, self.q
        for power_p, power_q in self._powers_apart(ciphertexts, (p - 1, q - 1), (self._p2, self._q2)):
            mp = (power_p - 1) // p * self._hp % p
            mq = (power_q - 1) // q * self._hq % q
            found.append(mq + q * ((mp - mq) * self._q_inverse % p))
        return found

    def _powers_apart(
        self, numbers: Sequence[mpz], exponents: tuple[mpz, mpz], moduli: tuple[mpz, mpz]
    ) -> list[tuple[mpz, mpz]]:
        """Each number's powers modulo a power of p and one of q; four numbers fill eight lanes."""
        count = len(numbers)
        both = [number for number in numbers for _ in moduli]
        powers = secret_powers(both, exponents * count, moduli * count)
        return list(zip(powers[::2], powers[1::2], strict=True))

    def encrypt(self, m: int | mpz, randomness: Randomness) -> mpz:
        """A fresh encryption of m mod n.

        The holder of the key draws the randomiser in the groups of p-th and q-th powers apart, by tables
        over a fixed base of each (hashed from the key), with a short exponent in either: who lacks p and q
        tells it from a uniform one no better than other short exponents (see `blinding`).
        """
        return self.encrypt_all([m], randomness)[0]

    def encrypt_all(self, values: Sequence[int | mpz], randomness: Randomness) -> list[mpz]:
        """Those of several, which are what `encrypt` makes of one after another."""
        tables, key, found = _key_holder_tables(self.p, self.q), self.public_key, list[mpz]()
        exponents = [
            (randomness.bits(SHORT_EXPONENT_BITS), randomness.bits(SHORT_EXPONENT_BITS)) for _ in values
        ]
        powers = (table.powers([one[at] for one in exponents]) for at, table in enumerate(tables))
        for value, rp, rq in zip(values, *powers, strict=True):
            blinding = rq + self._q2 * ((rp - rq) * self._q2_inverse % self._p2)
            found.append(key.lift(value) * blinding % key.n_squared)
        return found

    def to_bytes(self) -> bytes:
        """The factors p and q, for the key store alone."""
        half = (max(self.p.bit_length(), self.q.bit_length()) + 7) // 8
        return int(self.p).to_bytes(half, "big") + int(self.q).to_bytes(half, "big")

    @classmethod
    def from_bytes(cls, content: bytes) -> "PrivateKey":
        """The key from `to_bytes`; the same bytes give the same object within a process."""
        return _private_key(content)

    def nth_root(self, residue: mpz) -> mpz:
        """The one n-th root of a unit modulo n, taken modulo p and q apart.

        Raises ZeroDivisionError for a key with gcd(n, φ(n)) > 1, which has units without a root.
        """
        return self.nth_roots([residue])[0]

    def nth_roots(self, numbers: Sequence[mpz]) -> list[mpz]:
        """Those of several; raises as `nth_root` does."""
        exponents, primes = (self._p_root_exponent, self._q_root_exponent), (self.p, self.q)
        return [
            root_q + self.q * ((root_p - root_q) * self._q_inverse % self.p)
            for root_p, root_q in self._powers_apart(numbers, exponents, primes)
        ]

    @cached_property
    def _p_root_exponent(self) -> mpz:
        return gmpy2.invert(self.public_key.n, self.p - 1)

    @cached_property
    def _q_root_exponent(self) -> mpz:
        return gmpy2.invert(self.public_key.n, self.q - 1)

    @cached_property
    def _p2(self) -> mpz:
        return self.p * self.p

    @cached_property
    def _q2(self) -> mpz:
        return self.q * self.q

    @cached_property
    def _q_inverse(self) -> mpz:
        return gmpy2.invert(self.q, self.p)

    @cached_property
    def _q2_inverse(self) -> mpz:
        return gmpy2.invert(self._q2, self._p2)

    @cached_property
    def _hp(self) -> mpz:
        n = self.public_key.n
        return gmpy2.invert((gmpy2.powmod(1 + n, self.p - 1, self._p2) - 1) // self.p, self.p)

    @cached_property
    def _hq(self) -> mpz:
        n = self.public_key.n
        return gmpy2.invert((gmpy2.powmod(1 + n, self.q - 1, self._q2) - 1) // self.q, self.q)


def generate_private_key(bits: int) -> PrivateKey:
    """A key whose modulus has exactly `bits` bits and whose primes are 3 modulo 4 (M. Blum, 1982).

    The Jacobi symbol of −1 is then the same for all keys, and squares have one square root that is a square.
    Raises MisuseError below 256 or for an odd length.
    """
    if bits < 256 or bits % 2:
        raise MisuseError(f"a key of {bits} bits cannot be made; ask for an even length of at least 256")
    while True:
        p, q = _blum_prime(bits // 2), _blum_prime(bits // 2)
        if p != q and (p * q).bit_length() == bits:
            return PrivateKey(p, q)


def _blum_prime(bits: int) -> mpz:
    while True:
        prime = mpz(phe_util.getprimeover(bits))
        if prime % 4 == 3:
            return prime


class FixedBaseTable:
    """Powers of one base by windows of bits (Brickell, Gordon, McCurley, Wilson, Eurocrypt 1992)."""

    __slots__ = ("_native", "_residues", "_rows", "_window")

    def __init__(self, base: mpz, modulus: mpz, exponent_bits: int, window: int = _WINDOW) -> None:
        """Tables for exponents below 2^exponent_bits (rounded up to whole windows).

        They hold 2^window elements for each `window` bits.
        """
        self._residues, self._window = residues(modulus), window
        multiply, first = self._residues.multiply, self._residues.enter(base)
        self._rows: list[list[Element]] = []
        self._native: FixedBase | None = None
        for _ in range((exponent_bits + window - 1) // window):
            row = [self._residues.enter(mpz(1))]
            for _ in range((1 << window) - 1):
                row.append(multiply(row[-1], first))
            self._rows.append(row)
            first = multiply(row[-1], first)

    def power(self, exponent: int) -> mpz:
        """base^exponent; raises MisuseError for one that is negative or longer than the tables."""
        factors, rest = list[Element](), exponent
        digits = (1 << self._window) - 1
        for row in self._rows:
            if digit := rest & digits:
                factors.append(row[digit])
            rest >>= self._window
        if rest:
            raise self._no_power(exponent)
        return self._residues.leave(self._residues.chain({0: factors}))

    def powers(self, exponents: Sequence[int]) -> list[mpz]:
        """Those of several; raises as `power` does."""
        modulus = self._residues.modulus
        kernel = kernel_for(modulus, len(exponents))
        if kernel is None:
            return [self.power(exponent) for exponent in exponents]
        for exponent in exponents:
            if not 0 <= exponent < 1 << (self._window * len(self._rows)):
                raise self._no_power(exponent)
        if self._native is None:
            base = self._residues.leave(self._rows[0][1])
            self._native = FixedBase(kernel, base, modulus, self._window * len(self._rows))
        return self._native.powers(exponents)

    def _no_power(self, exponent: int) -> MisuseError:
        return MisuseError(
            f"an exponent of {'less than zero' if exponent < 0 else f'{exponent.bit_length()} bits'}; "
            f"the tables take 0 … 2^{self._window * len(self._rows)} − 1"
        )


@lru_cache(maxsize=8)
def _private_key(content: bytes) -> PrivateKey:
    half = len(content) // 2
    return PrivateKey(mpz(int.from_bytes(content[:half], "big")), mpz(int.from_bytes(content[half:], "big")))


@lru_cache(maxsize=4)
def _key_holder_tables(p: mpz, q: mpz) -> tuple[FixedBaseTable, FixedBaseTable]:
    """Tables over a p-th power modulo p² and a q-th power modulo q².

    The base is hashed from the key, so every process has the same; a random unit generates a subgroup whose
    index is tiny, and n-th powers of it stay hidden from everyone without p and q.
    """
    private = PrivateKey(p, q)
    stream = Randomness(keccak(b"fixed base" + private.to_bytes()))
    tables = []
    for prime in (p, q):
        square = prime * prime
        base = gmpy2.powmod(stream.unit(prime), prime, square)
        tables.append(FixedBaseTable(base, square, SHORT_EXPONENT_BITS, _KEY_HOLDER_WINDOW))
    return tables[0], tables[1]
