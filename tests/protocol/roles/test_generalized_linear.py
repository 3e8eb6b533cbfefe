"""Generalized linear models through the whole encrypted protocol, against the same schedule in plaintext."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from protocol.learning.descent import step_size_of
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData, PlainTraining, run
from protocol.learning.statistic import Matrix, Statistic
from protocol.links import FITTED, LINKS
from protocol.preparation.tables import Table
from protocol.records import FIXED_POINT
from tests.support.generalized import NAMES, document_of, rows_of, table_of
from tests.support.hazards import NAMES as HAZARD_NAMES
from tests.support.hazards import hazard_document, hazard_rows, table_of_hazards
from tests.support.roles.plain_market import delivered_round
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import small_request

ROUNDS = {"rounds": 1, "local_steps": 40, "tolerance": 0}


def market_of(kind: str) -> tuple[dict[str, Any], list[Matrix], tuple[str, ...], Callable[[Matrix], Table]]:
    """What four owners' rows and a request for them are."""
    if kind in LINKS:
        return (
            document_of(kind, schedule=ROUNDS),
            [rows_of(kind, 60, seed) for seed in range(4)],
            NAMES,
            table_of,
        )
    rows = [hazard_rows(60, seed) for seed in range(4)]
    return hazard_document(schedule=ROUNDS), rows, HAZARD_NAMES, table_of_hazards


def generalized_market(kind: str, *, fitted: bool = True) -> PureMarket:
    """One round, by the shortest key that products of wide counts fit in."""
    document, rows, names, table = market_of(kind)
    document["model"]["l2"] = "0.001"
    request = small_request(**{**document, "key_bits": 1152})
    market = PureMarket(request, rows, names, validators=[2, 3])
    for owner, own in zip(market.owners, rows, strict=True):
        statistic = Statistic.from_bytes(owner.private["data_set:rows"])
        if fitted:
            statistic = with_fit(market.request, statistic, lambda own=own: [table(own)])  # type: ignore[misc]
        owner.private["data_set:rows"] = statistic.to_bytes()
    market.start()
    return market


def twin_of(market: PureMarket) -> PlainTraining:
    request, kind = market.request, kind_of(market.request)

    def data(owner: Party, *, measuring: bool) -> OwnerData:
        statistic = Statistic.from_bytes(owner.private["data_set:rows"])
        factor = kind.measuring_factor if measuring else kind.training_factor
        return OwnerData(factor(request, statistic), statistic.rows)

    return run(
        [data(owner, measuring=False) for owner in market.trainers()],
        [data(owner, measuring=True) for owner in market.validators()],
        np.array([float(weight) for weight in request.start_weights()]),
        step_size=step_size_of(request),
        l2=float(request.model.l2),
        local_steps=request.schedule.local_steps,
        rounds=len(market.contract.recorded),
    )


@pytest.mark.parametrize("kind", FITTED)
def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext(kind: str) -> None:
    market = generalized_market(kind)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    twin, rounds, model = twin_of(market), delivered_round(market), market.bought()
    weights, errors = twin.averaging.models[rounds].tolist(), PublishedErrors(1.0, 1.0)
    expected = kind_of(market.request).bought(market.request, weights, errors)
    found, wanted = ([*one.weights, one.intercept] for one in (model, expected))
    assert (model.kind, found) == (kind, pytest.approx(wanted, rel=1e-6))
    unit = float(market.request.error_unit)
    published = unit * market.contract.recorded[rounds - 1].mse_after / FIXED_POINT
    assert published == pytest.approx(unit * twin.metrics[rounds - 1].after, abs=1e-3)


def test_nothing_is_committed_to_without_a_fit() -> None:
    market = generalized_market("logistic_regression", fitted=False)
    market.run()
    assert {owner.shown for owner in market.owners} == {"FAILED(data_set_gone)"}
    told = [fact.data["reasons"] for owner in market.owners for fact in owner.facts]
    assert told == [["its rows could not be read again as they were added: add the file again"]] * 4
