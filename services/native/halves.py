"""The kernel's arithmetic modulo a square n², one number at a time: `protocol.crypto.residues.Residues`."""

import ctypes
from collections.abc import Mapping, Sequence

from gmpy2 import f_divmod, mpz

from protocol.crypto.residues import Element, signed_odd_powers
from protocol.errors import MisuseError

_WORD_BITS, _WORD_BYTES = 64, 8
_LIMB_BITS, _SPARE_BITS = 52, 6
_MOST_FACTORS_AT_A_POSITION = (1 << 16) - 1
_SIZE, _BYTES, _OUT = ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
_ROOT = [_SIZE, _BYTES, _BYTES]
SIGNATURES: dict[str, tuple[type, list[type]]] = {
    "halves_words": (_SIZE, [_SIZE]),
    "halves_enter": (ctypes.c_int, [*_ROOT, _BYTES, _BYTES, _OUT]),
    "halves_leave": (ctypes.c_int, [*_ROOT, _BYTES, _OUT]),
    "halves_multiply": (ctypes.c_int, [*_ROOT, _BYTES, _BYTES, _OUT]),
    "halves_chain": (ctypes.c_int, [*_ROOT, _BYTES, _SIZE, _OUT, _SIZE, _BYTES, _OUT]),
    "halves_odd_powers": (ctypes.c_int, [*_ROOT, _BYTES, _SIZE, _OUT]),
}


class NativeHalves:
    """Numbers modulo n²; an element is the bytes of its halves in Montgomery's form, of public length."""

    __slots__ = ("_chunk", "_library", "_one", "_root", "_root_form", "_square", "_words", "modulus")

    def __init__(self, library: ctypes.CDLL, root: mpz) -> None:
        """Modulo the square of `root`; raises MisuseError for one that is even, or of a length not taken."""
        self._words = -(-int(root.bit_length()) // _WORD_BITS)
        self._chunk = library.halves_words(self._words) * _WORD_BYTES
        if not self._chunk or root % 2 == 0:
            raise MisuseError(
                f"a root that is even, or of {root.bit_length()} bits: no kernel takes its square"
            )
        self._library, self._root, self.modulus = library, root, root * root
        radix = mpz(1) << (_LIMB_BITS * -(-(_WORD_BITS * self._words + _SPARE_BITS) // _LIMB_BITS))
        start = int((1 - radix) % root).to_bytes((self._words + 1) * _WORD_BYTES, "little")
        self._root_form = (self._words, self._bytes(root), start)
        self._square = self._halves(radix * radix % self.modulus)
        self._one = self.enter(mpz(1))

    def enter(self, number: mpz) -> bytes:
        """The element of a number from 0 up to below the modulus."""
        out = self._room(1)
        self._require(
            self._library.halves_enter(
                *self._root_form, self._square, self._halves(number % self.modulus), out
            )
        )
        return out.raw

    def leave(self, element: Element) -> mpz:
        """The number of an element."""
        length = (self._words + 1) * _WORD_BYTES
        out = ctypes.create_string_buffer(2 * length)
        self._require(self._library.halves_leave(*self._root_form, self._checked(element), out))
        low, high = (mpz(int.from_bytes(one, "little")) for one in (out.raw[:length], out.raw[length:]))
        return (low + high * self._root) % self.modulus

    def multiply(self, first: Element, second: Element) -> bytes:
        """The product of two elements."""
        out, pair = self._room(1), (self._checked(first), self._checked(second))
        self._require(self._library.halves_multiply(*self._root_form, *pair, out))
        return out.raw

    def chain(self, factors: Mapping[int, Sequence[Element]]) -> bytes:
        """Π f^(2^position) over all factors f."""
        highest = max(factors, default=-1)
        ordered = [factors.get(position, ()) for position in range(highest, -1, -1)]
        counts = [len(one) for one in ordered]
        if max(counts, default=0) > _MOST_FACTORS_AT_A_POSITION:
            raise MisuseError(f"{max(counts)} factors of one power; at most {_MOST_FACTORS_AT_A_POSITION}")
        content, count, out = b"".join(one for some in ordered for one in some), sum(counts), self._room(1)
        if len(content) != count * self._chunk:
            raise MisuseError("factors that are no elements of this arithmetic")
        plan = (len(counts), (ctypes.c_uint16 * len(counts))(*counts), count)
        self._require(self._library.halves_chain(*self._root_form, self._one, *plan, content, out))
        return out.raw

    def odd_powers(self, base: Element, count: int) -> list[Element]:
        """b, b³, b⁵, …: so many."""
        out = self._room(count)
        self._require(self._library.halves_odd_powers(*self._root_form, self._checked(base), count, out))
        content = out.raw
        return [content[at : at + self._chunk] for at in range(0, len(content), self._chunk)]

    def signed_powers(self, units: Sequence[Element], window: int) -> list[dict[int, Element]]:
        """Of each unit the powers b^k for odd k, |k| < 2^(window − 1)."""
        return signed_odd_powers(units, window, self)

    def _halves(self, number: mpz) -> bytes:
        high, low = f_divmod(number, self._root)
        return self._bytes(low) + self._bytes(high)

    def _bytes(self, half: mpz) -> bytes:
        return int(half).to_bytes(self._words * _WORD_BYTES, "little")

    def _checked(self, element: Element) -> bytes:
        """Of the length that the kernel reads."""
        if not isinstance(element, bytes) or len(element) != self._chunk:
            raise MisuseError("an element of another arithmetic")
        return element

    def _room(self, count: int) -> "ctypes.Array[ctypes.c_char]":
        return ctypes.create_string_buffer(count * self._chunk)

    @staticmethod
    def _require(reason: int) -> None:
        if reason:
            raise MisuseError("the kernel refuses a length or a modulus")
