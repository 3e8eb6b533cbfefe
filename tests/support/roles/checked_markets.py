"""Pure markets whose rounds are checked, under a key of 1024 bits that a test process makes once."""

from collections.abc import Sequence
from typing import Any

from protocol.roles.dispatch import ROLES
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix
from tests.support.roles.small_markets import small_data, small_market, small_request

__all__ = ["ROLES", "checked_market", "checked_request"]


def checked_request(**changes: Any) -> dict[str, Any]:
    """Three rounds by a key in which three slots of products find room."""
    schedule = {"rounds": 3, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
    values = {"schedule": schedule, "key_bits": 1024, "bounds": {"min_rows": 5}}
    return small_request(**{**values, **changes})


def checked_market(
    validators: Sequence[int], owners: int = 5, data: Sequence[Matrix] | None = None, **changes: Any
) -> PureMarket:
    """A market that has its order; these seats are drawn as validators."""
    return small_market(
        checked_request(**changes),
        data or small_data(owners=owners),
        validators=list(validators),
        roles=ROLES,
    )
