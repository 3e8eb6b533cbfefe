"""What one round of a checked training takes, in a market of pure transitions: products, seconds, bytes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from protocol.codec import pack
from protocol.crypto.commitment_group import RSA_2048
from tests.benchmarks.checked_round import Size, TimedMarket, timed_market
from tests.benchmarks.growth.series import Point, Series, Told, missing
from tests.support.groups import small_group

SMALL_KEY_BITS = 1024
_ROUND = 2
"""Which one is measured: in the first one tables are made that serve the whole training."""
PRODUCTS = "products modulo n²"
SECONDS = "processor seconds, all"
AGGREGATOR, CHECKER, TRAINER, BUYER = (
    f"processor seconds, {party}" for party in ("aggregator", "checker", "trainer", "buyer")
)
MEGABYTES = "megabytes on the bus"


@dataclass(frozen=True)
class RoundFigures:
    """Of all parties together, and of the busiest of a kind.

    `by_step` are products by the message that brings them about, `by_type` bytes by the type of message.
    """

    figures: dict[str, float]
    by_step: dict[str, int]
    by_type: dict[str, int]

    @property
    def dearest(self) -> str:
        """The step with most products, the messages with most bytes, and their parts of all."""
        return f"{_most(self.by_step)} of the products; on the bus {_most(self.by_type)} of the bytes"


def round_figures(size: Size, key_bits: int) -> RoundFigures:
    """Of the second round of a training; raises RuntimeError where it was not recorded."""
    group = RSA_2048 if key_bits > SMALL_KEY_BITS else small_group()
    market = timed_market(size, key_bits=key_bits, rounds=_ROUND, group=group)
    with pytest.MonkeyPatch.context() as patch:
        market.count.install(patch)
        market.start()
        market.finish()
    if len(market.contract.recorded) != _ROUND:
        raise RuntimeError(f"{len(market.contract.recorded)} rounds were recorded")
    milliseconds, _ = market.medians(range(_ROUND, _ROUND + 1))
    by_step = {step: count for step, count in market.counted[_ROUND].items() if count}
    by_type = _bytes_by_type(market)
    figures = {
        PRODUCTS: float(sum(by_step.values())),
        SECONDS: milliseconds["all"] / 1e3,
        AGGREGATOR: milliseconds["aggregator"] / 1e3,
        CHECKER: milliseconds["checker"] / 1e3,
        TRAINER: milliseconds["trainer"] / 1e3,
        BUYER: milliseconds["buyer"] / 1e3,
        MEGABYTES: sum(by_type.values()) / 1e6,
    }
    return RoundFigures(figures, by_step, by_type)


def _bytes_by_type(market: TimedMarket) -> dict[str, int]:
    """Of the round's signed messages, before each is sealed to its recipient, which adds some bytes."""
    found: Counter[str] = Counter()
    for one in market.wire:
        if one.envelope.round == _ROUND:
            found[one.envelope.type] += len(one.body) + len(pack(one.envelope)) + len(one.signature)
    return dict(found)


def _most(parts: Mapping[str, int]) -> str:
    """The largest part, by its name and how much of all it is."""
    name = max(parts, key=lambda one: parts[one])
    return f"`{name}` with {parts[name] / sum(parts.values()):.0%}"


def round_series(
    by_size: Mapping[int, Size], key_bits: int, told: Told, *, whole: Sequence[int], who: str, **texts: Any
) -> Series:
    """A round of each size in ascending order; `texts` are fields of the series, `who` takes part in all."""
    points, last = [], None
    for size in sorted(by_size):
        told(f"{texts['axis']}: {size}")
        last = round_figures(by_size[size], key_bits)
        points.append(Point(size=size, figures=last.figures))
    if last is None:
        raise ValueError(f"a series needs a size; of {texts['axis']} there was none")
    how = (
        f"The second round of a training at {key_bits} bits as pure transitions, {who}; of a kind of "
        "party the busiest counts. All share one process and its tables. No bus, store or chain: bytes "
        "are of the signed messages."
    )
    left_out = missing(whole, list(by_size))
    return Series(points=points, how=how, bottleneck=last.dearest, left_out=left_out, **texts)
