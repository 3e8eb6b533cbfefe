"""The series of a training's owners, of whom three tenths validate as the contract draws them."""

from collections.abc import Sequence

from protocol.marketplace import validator_count
from tests.benchmarks import machine
from tests.benchmarks.checked_round import Size
from tests.benchmarks.growth.market import round_series
from tests.benchmarks.growth.series import Series, Told

WHOLE = (5, 20, 64, 256)
PARAMETERS = 4


def size_of(owners: int) -> Size:
    """Trainers and validators as they are drawn of so many owners."""
    validators = validator_count(owners)
    return Size(trainers=owners - validators, validators=validators, parameters=PARAMETERS)


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """One round of each size; raises RuntimeError where a round was not recorded."""
    before = machine.describe()
    return round_series(
        {size: size_of(size) for size in sizes},
        key_bits,
        told,
        name="owners",
        title="A round by owners",
        axis="owners",
        whole=WHOLE,
        who=f"{PARAMETERS} parameters; three tenths of the owners validate",
        moved_by=(
            "fewer owners in the request: each member measures every trainer, and the aggregator sends every "
            "trainer's evidence and every member's metric to each member, so work and bytes of all together "
            "grow with the square of the owners. What a member works out itself grows with the trainers "
            "alone; larger keys hold more slots"
        ),
        machine=before,
    )
