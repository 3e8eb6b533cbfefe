"""The same buyer against a checked training: it reads everything in every layout of checked rounds."""

from collections.abc import Iterator

from protocol.crypto.packing import SlotLayout
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.roles.checked.record import PRODUCT_SCALE
from protocol.roles.checked.widths import CheckedWidths, checked_widths
from tests.support.roles.buyer_attack import Attack, Seen, _numbers, known_to_buyer, on_the_bus
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix


class CheckedAttack(Attack):
    """Reads everything that the buyer's Paillier key opens."""

    def __init__(self, market: PureMarket, known: list[Seen]) -> None:
        self.market, self.known = market, known
        self._stretches: dict[int, Matrix] = {}
        self.checked: CheckedWidths = checked_widths(market.request, market.buyer.decoded.parties)

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
        yield self.checked.moments.request, UPDATE_SCALE
        yield self.checked.projection.request, UPDATE_SCALE
        yield self.checked.moments.products, PRODUCT_SCALE
        yield self.checked.next_model.sums.layout, MODEL_SCALE

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


def checked_attack(market: PureMarket, *, sealed: bool = True) -> CheckedAttack:
    """With all that crossed the bus, sealed or not."""
    return CheckedAttack(market, known_to_buyer(market, on_the_bus(market, sealed=sealed)))
