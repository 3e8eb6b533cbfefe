"""All declared adversaries."""

from tests.adversaries.declaration import Adversary
from tests.adversaries.table.aggregators import AGGREGATORS
from tests.adversaries.table.buyers import BUYERS
from tests.adversaries.table.checkers import CHECKERS
from tests.adversaries.table.openers import OPENERS
from tests.adversaries.table.rings import RINGS
from tests.adversaries.table.signers import SIGNERS
from tests.adversaries.table.trainers import TRAINERS
from tests.adversaries.table.validators import VALIDATORS
from tests.adversaries.table.wire import WIRE

ALL: tuple[Adversary, ...] = (
    *TRAINERS,
    *VALIDATORS,
    *CHECKERS,
    *RINGS,
    *AGGREGATORS,
    *BUYERS,
    *OPENERS,
    *SIGNERS,
    *WIRE,
)


def by_name() -> dict[str, Adversary]:
    """By part and name."""
    return {f"{one.who}: {one.name}": one for one in ALL}
