"""All declared adversaries."""

from tests.adversaries.declaration import Adversary
from tests.adversaries.table.aggregators import AGGREGATORS
from tests.adversaries.table.buyers import BUYERS
from tests.adversaries.table.checkers import CHECKERS
from tests.adversaries.table.trainers import TRAINERS
from tests.adversaries.table.validators import VALIDATORS
from tests.adversaries.table.wire import WIRE

ALL: tuple[Adversary, ...] = (*TRAINERS, *VALIDATORS, *CHECKERS, *AGGREGATORS, *BUYERS, *WIRE)
