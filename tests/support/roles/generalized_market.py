"""Small markets for kinds whose owners fit their own rows first: one encrypted round, or more if asked."""

from collections.abc import Callable
from typing import Any

from protocol.learning.glm.fitting import with_fit
from protocol.learning.statistic import Matrix, Statistic
from protocol.links import LINKS
from protocol.preparation.tables import Table
from tests.support.generalized import NAMES, document_of, rows_of, table_of
from tests.support.hazards import NAMES as HAZARD_NAMES
from tests.support.hazards import hazard_document, hazard_rows, table_of_hazards
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_request

ROUNDS = {"rounds": 1, "local_steps": 40, "tolerance": 0}
ROWS = 60


def own_rows(kind: str, owners: int) -> list[Matrix]:
    """Rows of each owner, drawn by the kind's own distribution."""
    draw = hazard_rows if kind not in LINKS else lambda count, seed: rows_of(kind, count, seed)
    return [draw(ROWS, seed) for seed in range(owners)]


def _named(kind: str) -> tuple[dict[str, Any], tuple[str, ...], Callable[[Matrix], Table]]:
    if kind in LINKS:
        return document_of(kind, schedule=ROUNDS), NAMES, table_of
    return hazard_document(schedule=ROUNDS), HAZARD_NAMES, table_of_hazards


def generalized_market(
    kind: str,
    *,
    fitted: bool = True,
    count: int = 4,
    l2: Any = "0.001",
    **changes: Any,
) -> PureMarket:
    """By the shortest key that products of wide counts fit in; the last two owners validate."""
    document, names, table = _named(kind)
    document["model"]["l2"] = l2
    rows = own_rows(kind, count)
    request = small_request(**{**document, "key_bits": 1152, **changes})
    market = PureMarket(request, rows, names, validators=[count - 2, count - 1])
    for owner, own in zip(market.owners, rows, strict=True):
        statistic = Statistic.from_bytes(owner.private["data_set:rows"])
        if fitted:
            statistic = with_fit(market.request, statistic, lambda own=own: [table(own)])  # type: ignore[misc]
        owner.private["data_set:rows"] = statistic.to_bytes()
    market.start()
    return market
