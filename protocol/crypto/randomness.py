"""A deterministic stream of random numbers, so that a step of a role is a pure function of its inputs."""

import hashlib

import gmpy2
from gmpy2 import mpz

from protocol.errors import MisuseError

SEED_BYTES = 32
_BLOCK = 4096


class Randomness:
    """SHAKE-256 in counter blocks over a 32-byte seed.

    The runtime draws the seed from the operating system for every step and forgets it with the step. Not safe
    to share between threads; `child` gives independent streams.
    """

    __slots__ = ("_buffer", "_counter", "_labels", "_seed")

    def __init__(self, seed: bytes) -> None:
        """A stream over `seed`; raises MisuseError unless it has 32 bytes."""
        if len(seed) != SEED_BYTES:
            raise MisuseError(f"a seed has {len(seed)} bytes; {SEED_BYTES} needed")
        self._seed = seed
        self._counter = 0
        self._buffer = b""
        self._labels: set[str] = set()

    def __repr__(self) -> str:
        """Show nothing: whoever has the seed has every mask."""
        return "Randomness(hidden)"

    def bytes(self, length: int) -> bytes:
        """The next `length` bytes."""
        while len(self._buffer) < length:
            block = hashlib.shake_256(b"stream" + self._seed + self._counter.to_bytes(8, "big"))
            self._buffer += block.digest(max(_BLOCK, length))
            self._counter += 1
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def bits(self, count: int) -> int:
        """A uniform integer below 2^count."""
        return int.from_bytes(self.bytes((count + 7) // 8), "big") >> (-count % 8)

    def below(self, bound: int) -> int:
        """A uniform integer in 0 … bound − 1, by rejection, so without bias."""
        if bound < 1:
            raise MisuseError(f"a bound of {bound} leaves no number to draw; it must be at least 1")
        width = int(bound - 1).bit_length()
        while True:
            drawn = self.bits(width)
            if drawn < bound:
                return drawn

    def unit(self, n: mpz) -> mpz:
        """A uniform element of Z*_n."""
        while True:
            drawn = mpz(self.below(int(n)))
            if gmpy2.gcd(drawn, n) == 1:
                return drawn

    def child(self, label: str) -> "Randomness":
        """An independent stream, the same for a seed and label whatever was drawn before.

        Raises MisuseError for a label that was used before: two masks out of one stream cancel.
        """
        if label in self._labels:
            raise MisuseError(f"randomness {label!r} was drawn before; give each use a label of its own")
        self._labels.add(label)
        return Randomness(hashlib.sha256(b"child" + self._seed + label.encode()).digest())
