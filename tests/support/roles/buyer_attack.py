"""A buyer that tries to learn more than it paid for: it has all its keys and everything that crosses the bus.

The attack looks for ciphertexts in whatever bytes it can read, decrypts them and reads the plaintexts in
every way the protocol packs numbers. `closest` compares what came out with the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from protocol.crypto.packing import SlotLayout
from protocol.crypto.packing import unpack as slots
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.roles.rounds.record import PRODUCT_SCALE
from protocol.roles.rounds.widths import CheckedWidths, checked_widths
from services.identity.sealing import seal, unseal
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix


@dataclass(frozen=True)
class Seen:
    """Bytes off the bus: the type from the clear envelope, and the part to be sealed, sealed or not."""

    message_type: str
    content: bytes


def on_the_bus(market: PureMarket, *, sealed: bool) -> list[Seen]:
    """Everything that crossed the bus."""
    keys = market.exchange_keys
    return [
        Seen(
            message.envelope.type,
            seal(message.sealed_part(), keys[message.envelope.recipient])
            if sealed
            else message.sealed_part(),
        )
        for message in market.wire
    ]


def known_to_buyer(market: PureMarket, bus: Sequence[Seen]) -> list[Seen]:
    """All that came by, what is sealed to the buyer opened, and what the buyer itself sent."""
    own = [m for m in market.wire if m.envelope.sender == market.buyer.address]
    return [*(_opened(seen, market.buyer.exchange_secret) for seen in bus), *map(_in_clear, own)]


def _opened(seen: Seen, secret: bytes) -> Seen:
    try:
        return Seen(seen.message_type, unseal(seen.content, secret))
    except ProtocolViolation:
        return seen


def _in_clear(message: SignedMessage) -> Seen:
    return Seen(message.envelope.type, message.sealed_part())


class Attack:
    """Reads everything that the buyer's Paillier key opens."""

    def __init__(self, market: PureMarket, known: Sequence[Seen]) -> None:
        self.market, self.known = market, known
        self.widths: CheckedWidths = checked_widths(market.request, market.buyer.decoded.parties)
        self._stretches: dict[int, Matrix] = {}

    def plaintexts(self) -> Iterator[tuple[str, list[int]]]:
        """Runs of adjacent ciphertexts in any readable bytes, decrypted."""
        for seen in self.known:
            for run in self._runs(seen.content):
                yield seen.message_type, run

    def _runs(self, content: bytes) -> Iterator[list[int]]:
        """Ciphertexts lie side by side; bytes that look like a header begin their own run."""
        length = self.market.key.public_key.ciphertext_length
        header = bytes([0xC4, length]) if length < 256 else b"\xc5" + length.to_bytes(2, "big")
        step = len(header) + length
        starts = set(_occurrences(content, header))
        for first in sorted(start for start in starts if start - step not in starts):
            run, start = [], first
            while start in starts:
                blob = content[start + len(header) : start + step]
                run.append(int(self.market.key.decrypt(int.from_bytes(blob, "big"))))
                start += step
            yield run

    def vectors(self) -> Iterator[Matrix]:
        """A number to a plaintext at each scale, or slots in each layout."""
        for _, run in self.plaintexts():
            signed = [self.market.key.public_key.signed(value) for value in run]
            for scale in (MODEL_SCALE, UPDATE_SCALE, PRODUCT_SCALE):
                yield _numbers(signed, scale)
            for layout, scale in self._layouts():
                yield from self._slots(run, layout, scale)
                yield _numbers(self._balanced(run, layout), scale)

    def _layouts(self) -> Iterator[tuple[SlotLayout, int]]:
        yield self.widths.moments.request, UPDATE_SCALE
        yield self.widths.projection.request, UPDATE_SCALE
        yield self.widths.moments.products, PRODUCT_SCALE
        yield self.widths.next_model.sums.layout, MODEL_SCALE

    def _balanced(self, run: list[int], layout: SlotLayout) -> list[int]:
        """Digits around zero: negative values borrow from the slot above, and are read for all that."""
        found, whole = [], 1 << layout.slot_bits
        for plaintext in run:
            rest = self.market.key.public_key.signed(plaintext)
            for _ in range(layout.per_plaintext):
                digit = (rest + whole // 2) % whole - whole // 2
                found.append(digit)
                rest = (rest - digit) >> layout.slot_bits
        return found

    @cached_property
    def readings(self) -> list[Matrix]:
        """All of `vectors`."""
        return list(self.vectors())

    def _slots(self, run: list[int], layout: SlotLayout, scale: int) -> Iterator[Matrix]:
        digits = slots(run, len(run) * layout.per_plaintext, layout)
        yield _numbers(digits, scale)
        yield _numbers([digit - layout.offset for digit in digits], scale)
        half = 1 << (layout.slot_bits - 1)
        yield _numbers([digit - (half << 1 if digit >= half else 0) for digit in digits], scale)

    def closest(self, truths: Sequence[Matrix]) -> list[float]:
        """The least relative distance of each true vector to any stretch of any reading; zeros are at 1."""
        return [_distance(self._windows(len(truth)), truth) for truth in truths]

    def _windows(self, length: int) -> Matrix:
        """Every stretch of so many numbers of every reading (stretches × length)."""
        if length not in self._stretches:
            views = [sliding_window_view(one, length) for one in self.readings if len(one) >= length]
            self._stretches[length] = np.concatenate([np.empty((0, length)), *views])
        return self._stretches[length]


def _occurrences(content: bytes, pattern: bytes) -> Iterator[int]:
    start = content.find(pattern)
    while start >= 0:
        yield start
        start = content.find(pattern, start + 1)


def _numbers(values: Sequence[int], scale: int) -> Matrix:
    return np.array([float(value) / 2.0**scale for value in values])


def _distance(windows: Matrix, truth: Matrix) -> float:
    nearest = np.abs(windows - truth).max(axis=1).min(initial=np.inf)
    return float(nearest / np.abs(truth).max())


def attack(market: PureMarket, *, sealed: bool = True) -> Attack:
    """With all that crossed the bus, sealed or not."""
    return Attack(market, known_to_buyer(market, on_the_bus(market, sealed=sealed)))
