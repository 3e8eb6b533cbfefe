"""The kernel's functions with numbers of Python: sizes checked here, and again where they are read."""

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from gmpy2 import mpz

from protocol.crypto.native.digits import LANES, MOST_WINDOW, SECRET_WINDOW, PublicSteps
from protocol.errors import MisuseError
from services.native import halves
from services.native.halves import NativeHalves

_REASONS = (
    "done",
    "a wrong length",
    "a modulus that is even",
    "a number not below its modulus",
    "a wrong digit",
)
_NO_MEMORY = 5
_WORD_BITS = 64
_SIZE, _BYTES, _OUT = ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
_SIGNATURES: dict[str, tuple[type, list[type]]] = {
    "kernel_sources": (ctypes.c_char_p, []),
    "kernel_runs_here": (ctypes.c_int, []),
    "kernel_limbs": (_SIZE, [_SIZE]),
    "kernel_table_words": (_SIZE, [_SIZE] * 3),
    "kernel_products": (ctypes.c_int, [_SIZE, _BYTES, _BYTES, _SIZE, _BYTES, _OUT]),
    "kernel_public_powers": (
        ctypes.c_int,
        [_SIZE, _BYTES, _BYTES, _BYTES, _SIZE, _SIZE, _OUT, _BYTES, _OUT],
    ),
    "kernel_secret_powers": (ctypes.c_int, [_SIZE, _BYTES, _BYTES, _BYTES, _SIZE, _BYTES, _OUT]),
    "kernel_fill_table": (
        ctypes.c_int,
        [_SIZE, _BYTES, _BYTES, _SIZE, _SIZE, _BYTES, _BYTES, _OUT, _SIZE],
    ),
    "kernel_table_products": (
        ctypes.c_int,
        [_SIZE, _BYTES, _BYTES, _SIZE, _SIZE, _OUT, _SIZE, _SIZE, _BYTES, _OUT],
    ),
}


class NativeKernel:
    """A compiled kernel as `protocol.crypto.native.in_use.Kernel`. It computes without Python's lock."""

    def __init__(self, library: Path) -> None:
        """Load it; raises OSError for a file that cannot be loaded, AttributeError for another library."""
        self._library = ctypes.CDLL(str(library))
        for name, (result, arguments) in (_SIGNATURES | halves.SIGNATURES).items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments

    @property
    def sources(self) -> str:
        """The digest of what it was built from."""
        return bytes(self._library.kernel_sources()).decode("ascii", "replace")

    @property
    def runs_here(self) -> bool:
        """Whether this processor has its instructions."""
        return bool(self._library.kernel_runs_here())

    def takes(self, modulus: mpz) -> bool:
        """Whether it computes modulo this one: odd, and of a length that it has room for."""
        return bool(modulus > 1 and modulus % 2 == 1 and self._library.kernel_limbs(_words(modulus)))

    def products(self, factors: Sequence[Sequence[mpz]], moduli: Sequence[mpz]) -> list[mpz]:
        """In each lane the product of its numbers in all `factors`; each has one for a modulus."""
        room = _Room(self._library, moduli)
        content = b"".join(room.lanes(one) for one in factors)
        out = room.out()
        _require(self._library.kernel_products(*room.moduli, len(factors), content, out))
        return room.numbers(out)

    def public_powers(self, bases: Sequence[mpz], steps: PublicSteps, modulus: mpz) -> list[mpz]:
        """Powers with one exponent that everybody knows; see `digits.public_steps`."""
        room = _Room(self._library, [modulus] * len(bases))
        count = len(steps.squarings)
        if len(steps.digits) != count or max(steps.squarings, default=0) >= 1 << 16:
            raise MisuseError(
                f"{len(steps.digits)} digits for {count} steps, or more than 2^16 squarings in one"
            )
        squarings, out = (ctypes.c_uint16 * count)(*steps.squarings), room.out()
        plan = (steps.odd_powers, count, squarings, bytes(steps.digits))
        _require(self._library.kernel_public_powers(*room.moduli, room.lanes(bases), *plan, out))
        return room.numbers(out)

    def secret_powers(self, bases: Sequence[mpz], digits: bytes, moduli: Sequence[mpz]) -> list[mpz]:
        """Powers with an exponent for each; see `digits.secret_digits`."""
        room = _Room(self._library, moduli)
        if len(digits) % LANES:
            raise MisuseError(
                f"{len(digits)} digits are not {LANES} for each position of {SECRET_WINDOW} bits"
            )
        out, positions = room.out(), len(digits) // LANES
        _require(self._library.kernel_secret_powers(*room.moduli, room.lanes(bases), positions, digits, out))
        return room.numbers(out)

    def table(self, starts: Sequence[mpz], bases: Sequence[mpz], modulus: mpz, window: int) -> "NativeTable":
        """A table of start·base^digit, digits below 2^window."""
        return NativeTable(self._library, starts, bases, modulus, window)

    def halves(self, root: mpz) -> NativeHalves | None:
        """Arithmetic modulo the square of `root`, one number at a time; None for a root of another length."""
        taken = root % 2 == 1 and self._library.halves_words(_words(root))
        return NativeHalves(self._library, root) if taken else None


class NativeTable:
    """Powers of some bases in the kernel's own form; they are never shown, and go with the object."""

    __slots__ = ("_bases", "_library", "_room", "_table", "_window")

    def __init__(
        self, library: ctypes.CDLL, starts: Sequence[mpz], bases: Sequence[mpz], modulus: mpz, window: int
    ) -> None:
        """Raises MisuseError for a window above MOST_WINDOW, no bases, too many, or other than starts."""
        self._library, self._bases, self._window = library, len(bases), window
        self._room = _Room(library, [modulus] * LANES)
        words = library.kernel_table_words(self._room.words, len(bases), window)
        if not words or len(starts) != len(bases):
            raise MisuseError(
                f"no table of {len(bases)} bases, {len(starts)} starts and digits of {window} bits; at most "
                f"{MOST_WINDOW}"
            )
        self._table = (ctypes.c_uint64 * words)()
        contents = (self._room.content(starts), self._room.content(bases))
        modulo = (self._room.words, *self._room.one_modulus)
        _require(library.kernel_fill_table(*modulo, len(bases), window, *contents, self._table, words))

    def products(self, digits: bytes, positions: int, lanes: int) -> list[mpz]:
        """Π start_b·base_b^digit over all bases b, of the first lanes; see `batch.Table`.

        Raises MisuseError unless there are LANES digits for each position and base.
        """
        if len(digits) != positions * self._bases * LANES:
            raise MisuseError(f"{len(digits)} digits for {positions} positions of {self._bases} bases")
        out, size = self._room.out(), len(self._table)
        shape = (self._bases, self._window, self._table, size, positions)
        modulo = (self._room.words, *self._room.one_modulus)
        _require(self._library.kernel_table_products(*modulo, *shape, digits, out))
        return self._room.numbers(out)[:lanes]


class _Room:
    """Buffers for numbers modulo at most eight moduli; lanes that are left over have the first modulus."""

    def __init__(self, library: ctypes.CDLL, moduli: Sequence[mpz]) -> None:
        if not 1 <= len(moduli) <= LANES:
            raise MisuseError(f"{len(moduli)} numbers; a kernel takes 1 … {LANES}")
        self.words = max(map(_words, moduli))
        limbs = library.kernel_limbs(self.words)
        if not limbs or any(one < 3 or one % 2 == 0 for one in moduli):
            raise MisuseError(f"a modulus that is even, or {self.words} words long: no kernel takes it")
        self._moduli = moduli
        filled = [*moduli, *[moduli[0]] * (LANES - len(moduli))]
        forms = [_modulus_bytes(one, self.words, limbs) for one in filled]
        self.moduli = (self.words, b"".join(one for one, _ in forms), b"".join(square for _, square in forms))
        self.one_modulus = forms[0]

    def content(self, numbers: Sequence[mpz]) -> bytes:
        """Any count of numbers modulo the first modulus; raises MisuseError for one that is not below it."""
        length = self.words * _WORD_BITS // 8
        if any(not 0 <= one < self._moduli[0] for one in numbers):
            raise MisuseError("a number that is not below its modulus")
        return b"".join(int(one).to_bytes(length, "little") for one in numbers)

    def lanes(self, numbers: Sequence[mpz]) -> bytes:
        """One number for each modulus; raises MisuseError for another count, or one not below its modulus."""
        pairs = list(zip(numbers, self._moduli, strict=False))
        if len(numbers) != len(self._moduli) or any(not 0 <= one < modulus for one, modulus in pairs):
            raise MisuseError(
                f"{len(numbers)} numbers for {len(self._moduli)} moduli, or one not below its own"
            )
        length = self.words * _WORD_BITS // 8
        filled = [*numbers, *[mpz(0)] * (LANES - len(numbers))]
        return b"".join(int(one).to_bytes(length, "little") for one in filled)

    def out(self) -> "ctypes.Array[ctypes.c_char]":
        """Room for what comes back."""
        return ctypes.create_string_buffer(LANES * self.words * _WORD_BITS // 8)

    def numbers(self, out: "ctypes.Array[ctypes.c_char]") -> list[mpz]:
        """What has come back, of the lanes that are in use."""
        length, content = self.words * _WORD_BITS // 8, out.raw
        return [
            mpz(int.from_bytes(content[at * length : (at + 1) * length], "little"))
            for at in range(len(self._moduli))
        ]


def _words(modulus: mpz) -> int:
    return -(-int(modulus.bit_length()) // _WORD_BITS)


@lru_cache(maxsize=32)
def _modulus_bytes(modulus: mpz, words: int, limbs: int) -> tuple[bytes, bytes]:
    """A modulus, and 2^(2·52·limbs) modulo it, which takes numbers into Montgomery's form."""
    length = words * _WORD_BITS // 8
    square = int((mpz(1) << (2 * 52 * limbs)) % modulus)
    return int(modulus).to_bytes(length, "little"), square.to_bytes(length, "little")


def _require(reason: int) -> None:
    if reason == _NO_MEMORY:
        raise MemoryError("no memory for a table of powers")
    if reason:
        raise MisuseError(f"the kernel refuses {_REASONS[reason]}")
