"""What the cipher computes of many numbers, to be held against itself by another arithmetic."""

from collections.abc import Callable
from typing import Any

from gmpy2 import mpz

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.opening import Opening, false_openings, open_ciphertexts
from protocol.crypto.packing import Mask, SlotLayout, pack, pack_blinded
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.powers import public_power
from protocol.crypto.randomness import Randomness


def _stream() -> Randomness:
    return Randomness(b"n" * 32)


def _ciphertexts(private: PrivateKey) -> list[mpz]:
    return private.encrypt_all(range(1, 12), _stream())


def _packed(private: PrivateKey) -> list[mpz]:
    layout = SlotLayout(100, 1 << 40, 2)
    roots = [mpz(at + 3) for at in range(6)]
    mask = Mask.draw(private.public_key, 6, _stream())
    found = pack(private.public_key, _ciphertexts(private), layout)
    return found + pack_blinded(private.public_key, _ciphertexts(private), layout, mask, roots)


def _false(private: PrivateKey) -> tuple[int, ...]:
    ciphertexts = _ciphertexts(private)
    openings = open_ciphertexts(private, ciphertexts)
    openings[3] = Opening(openings[3].plaintext + 1, openings[3].root)
    openings[7] = Opening(openings[7].plaintext, openings[7].root + private.public_key.n)
    return false_openings(private.public_key, ciphertexts, openings)


COMPUTATIONS: dict[str, Callable[[PrivateKey], Any]] = {
    "encryption": _ciphertexts,
    "decryption": lambda private: private.decrypt_all(_ciphertexts(private)),
    "n-th roots": lambda private: private.nth_roots([mpz(at + 2) for at in range(5)]),
    "openings": lambda private: open_ciphertexts(private, _ciphertexts(private)),
    "false openings": _false,
    "packing": _packed,
    "short exponents": lambda private: ShortExponentBlinder(private.public_key, b"b" * 32).blind(
        _ciphertexts(private), _stream()
    ),
    "linear combinations": lambda private: rows_of_powers(
        _ciphertexts(private)[:3], [[at, -3, 1 << at] for at in range(9)], private.public_key.n_squared
    ),
    "a row alone": lambda private: rows_of_powers(
        _ciphertexts(private)[:3], [[1 << 40, -77, 12345]], private.public_key.n_squared
    ),
    "a public power alone": lambda private: public_power(
        _ciphertexts(private)[0], private.public_key.n, private.public_key.n_squared
    ),
}
