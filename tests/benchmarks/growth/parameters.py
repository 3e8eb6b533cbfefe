"""The series of a model's parameters: three trainers, two validators, a model as wide as the size says."""

from collections.abc import Sequence

from tests.benchmarks import machine
from tests.benchmarks.checked_round import Size
from tests.benchmarks.growth.market import round_series
from tests.benchmarks.growth.series import Series, Told

WHOLE = (11, 31, 101, 301)
TRAINERS, VALIDATORS = 3, 2


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """One round of each size; raises RuntimeError where a round was not recorded."""
    before = machine.describe()
    return round_series(
        {size: Size(trainers=TRAINERS, validators=VALIDATORS, parameters=size) for size in sizes},
        key_bits,
        told,
        name="parameters",
        title="A round by parameters",
        axis="parameters",
        whole=WHOLE,
        who=f"{TRAINERS} trainers and {VALIDATORS} validators",
        moved_by=(
            "fewer columns, since p weights make p(p + 1)/2 products that each member and checker raises to "
            "powers; the kernel in C on processors with AVX-512 IFMA; tables of more bases "
            "(`powers.MOST_KEPT_BASES`) against memory"
        ),
        machine=before,
    )
