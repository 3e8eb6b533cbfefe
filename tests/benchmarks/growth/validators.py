"""The series of a round's validators: three trainers, and as many validators as the size says."""

from collections.abc import Sequence

from tests.benchmarks import machine
from tests.benchmarks.checked_round import Size
from tests.benchmarks.growth.market import round_series
from tests.benchmarks.growth.series import Series, Told

WHOLE = (2, 4, 8, 16, 32)
TRAINERS, PARAMETERS = 3, 11


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """One round of each size; raises RuntimeError where a round was not recorded."""
    before = machine.describe()
    return round_series(
        {size: Size(trainers=TRAINERS, validators=size, parameters=PARAMETERS) for size in sizes},
        key_bits,
        told,
        name="validators",
        title="A round by validators",
        axis="validators",
        whole=WHOLE,
        who=f"{TRAINERS} trainers and {PARAMETERS} parameters",
        moved_by=(
            "fewer owners in the request (three tenths of them are drawn to validate): two members check "
            "whatever their number, so what grows is the metric that each makes on a machine of its own, and "
            "what the aggregator sends to each: the trainers' evidence and all members' metrics"
        ),
        machine=before,
    )
