"""Small trainings that ask for standard errors: five trainers and two checkers."""

from collections.abc import Sequence
from typing import Any

from protocol.codec import unpack
from protocol.learning.inference.estimates import Inference
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix
from tests.support.roles.small_markets import small_data, small_market, small_request

OWNERS = {"minimum": 7, "maximum": 8}
CONVERGING = {"rounds": 1, "local_steps": 500, "tolerance": 0}
ROWS = 60


def inferring_request(**changes: Any) -> dict[str, Any]:
    """One round that converges, of seven owners."""
    return small_request(**{"inference": True, "owners": OWNERS, "schedule": CONVERGING, **changes})


def inferring_market(data: Sequence[Matrix] | None = None, **options: Any) -> PureMarket:
    """A market whose first five owners train and whose last two check."""
    rows = data or small_data(owners=7, rows=ROWS)
    return small_market(inferring_request(), rows, validators=[5, 6], **options)


def kept_inference(market: PureMarket) -> Inference:
    """What the buyer has beside its model."""
    return unpack(Inference, market.buyer.results["inference"])
