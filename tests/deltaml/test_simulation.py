from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import yaml
from sklearn.linear_model import LinearRegression

from deltaml import simulate
from deltaml.simulation import coefficients_of
from protocol.errors import MisuseError
from protocol.learning.inference.estimates import Inference
from services.common.errors import DataSetError
from services.store import Store
from tests.support.console.trainings import finished_training
from tests.support.deployment.documents import any_request

REQUEST = {
    "name": "rents",
    "features": [
        {"name": "rooms", "minimum": 1, "maximum": 5},
        {"name": "metres", "minimum": 20, "maximum": 150, "outside": "clip"},
        {"name": "heating", "kind": "categorical", "levels": ["gas", "oil"], "missing": "indicator"},
    ],
    "target": {"name": "rent", "minimum": 0, "maximum": 3000},
    "schedule": {"rounds": 1},
}
TOWNS = {"Bonn": pd.DataFrame, "Graz": pl.DataFrame, "Linz": pa.table, "Ulm": pd.DataFrame}


def flats(seed):
    random = np.random.default_rng(seed)
    rooms, metres = random.integers(1, 6, 60), random.uniform(20, 150, 60)
    rent = 200 + 50 * rooms + 10 * metres + random.normal(0, 20, 60)
    heating = random.choice(["gas", "oil", None], 60)
    rent += 100 * (heating == "oil")
    return {"rooms": rooms, "metres": metres, "heating": heating.tolist(), "rent": rent}


TABLES = {town: kind(flats(seed)) for seed, (town, kind) in enumerate(TOWNS.items())}


async def test_a_market_trains_on_tables_of_every_kind_and_pays(tmp_path):
    """In a loop, as a notebook's cell runs."""
    request = tmp_path / "request.yaml"
    fields = {"aggregator": "0x" + "ab" * 20, "payment": {"deposit_wei": "1000000"}, **REQUEST}
    request.write_text(yaml.safe_dump(fields))
    outcome = simulate(request, TABLES, key_bits=1024)

    roles = {town: owner.role for town, owner in outcome.owners.items()}
    assert set(roles) == set(TOWNS)
    assert sorted(roles.values()) == ["trainer", "trainer", "validator", "validator"]
    rows = {town: pd.DataFrame(flats(seed)) for seed, town in enumerate(TOWNS)}
    trainers = pd.concat(rows[town] for town, role in roles.items() if role == "trainer")
    validators = pd.concat(rows[town] for town, role in roles.items() if role == "validator")
    model = outcome.model
    names = list(model.feature_names_in_)
    prepare = model.to_sklearn()[:-1]
    best = LinearRegression().fit(prepare.transform(trainers[names]), trainers["rent"])
    predicted = model.predict(validators[names])
    assert np.allclose(predicted, best.predict(prepare.transform(validators[names])), rtol=0.05)
    assert outcome.errors[-1] == pytest.approx(np.mean((predicted - validators["rent"]) ** 2), rel=1e-3)
    assert dict(zip(model.model.features, model.coef_, strict=True))["heating=oil"] == pytest.approx(
        100, abs=30
    )

    (made,) = outcome.rounds
    assert (made.error_before, made.error_after) == outcome.errors
    gains = sum(made.contributions.values())
    assert gains == pytest.approx(made.error_before - made.error_after, rel=1e-6)
    assert set(made.contributions) == {town for town, role in roles.items() if role == "trainer"}
    assert sum(owner.contribution or 0 for owner in outcome.owners.values()) == pytest.approx(1)
    assert outcome.payments == {town: owner.pay for town, owner in outcome.owners.items()}
    assert sum(outcome.payments.values()) + outcome.aggregator_pay + outcome.refund == 1_000_000
    assert min(outcome.payments.values()) > 0
    assert "weights" not in repr(outcome)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Ulm": None}, "4 owners at least: give more tables"),
        ({"Ulm": [[1, 2, 3]]}, "'Ulm' is a list; give a table"),
        (
            {"Ulm": TABLES["Ulm"].drop(columns="metres")},
            "table 'Ulm' has no column 'metres'; it has rooms, heating, rent",
        ),
        (
            {"Ulm": TABLES["Ulm"].assign(rooms="x")},
            "table 'Ulm': column 'rooms' holds large_string, where numbers",
        ),
        (
            {"Ulm": TABLES["Ulm"].assign(rooms=None)},
            "table 'Ulm': column 'rooms' has no value in any row",
        ),
        (
            {"Ulm": TABLES["Ulm"].assign(rooms=[None, *range(59)])},
            "table 'Ulm' does not serve the request: column 'rooms' has rows without a value",
        ),
        ({"Ulm": TABLES["Ulm"].iloc[:0]}, "table 'Ulm' has no rows"),
    ],
)
def test_tables_that_cannot_be_used_are_told_before_anything_starts(changes, told):
    tables = {town: table for town, table in {**TABLES, **changes}.items() if table is not None}
    with pytest.raises((MisuseError, DataSetError), match=told):
        simulate(REQUEST, tables)


BONDS = {"owner": "1", "forfeit_to": "0x" + "33" * 20}


def test_requests_that_cannot_be_carried_out_are_told_before_anything_starts():
    with pytest.raises(MisuseError, match="key of 512 bits is too small"):
        simulate(REQUEST, TABLES, key_bits=512)
    with pytest.raises(MisuseError, match=r"give payment.deposit_wei: \d+ or more"):
        simulate({**REQUEST, "payment": {"deposit_wei": "7"}}, TABLES)
    for more, told in (
        ({"token": "0x" + "11" * 20}, "pays in ether"),
        ({"bonds": BONDS}, "leave payment.bonds out"),
    ):
        with pytest.raises(MisuseError, match=told):
            simulate({**REQUEST, "payment": {"deposit_wei": str(10**18), **more}}, TABLES)
    with pytest.raises(MisuseError, match="target: is missing"):
        simulate({"name": "rents", "features": REQUEST["features"]}, TABLES)


def test_what_a_request_for_standard_errors_needs_is_told_before_anything_starts():
    with pytest.raises(MisuseError, match=r"set owners\.minimum to 7 or more"):
        simulate({**REQUEST, "inference": True}, TABLES, key_bits=1024)


def test_coefficients_are_those_that_the_buyers_store_has():
    """Without a market: a whole training that ends with them is in `tests.protocol.roles.test_inference`."""
    store = Store()
    found = Inference(names=("age", "bmi", "intercept"), standard_errors=(1.0, 2.0, 4.0))
    asked = any_request(inference=True, owners={"minimum": 7, "maximum": 8})
    market = SimpleNamespace(buyer=SimpleNamespace(store=store))
    for number, (result, names, why) in enumerate(
        [
            (found, ["age", "bmi", "intercept"], ""),
            (Inference(missing="singular"), [], "some weights are determined only together"),
        ],
        1,
    ):
        row = store.instance(finished_training(store, training=number, inference=result))
        lines, told = coefficients_of(market, asked, row)
        assert [one.name for one in lines] == names
        assert told.startswith(why)
        assert bool(told) is bool(why)
        assert coefficients_of(market, any_request(), row) == ((), "")


def test_a_path_of_penalties_tells_each_one_s_error_and_which_was_chosen():
    request = {**REQUEST, "model": {"l2": ["1", "0.01", "0"]}, "schedule": {"rounds": 3}}
    outcome = simulate(request, TABLES, key_bits=1024)
    assert [one.ridge for one in outcome.penalties] == ["1", "0.01", "0"]
    assert [one.error for one in outcome.penalties] == pytest.approx(outcome.errors[1:])
    [chosen] = [one for one in outcome.penalties if one.chosen]
    assert chosen.error == pytest.approx(min(outcome.errors[1:]))
    assert outcome.penalties[0].error > 2 * chosen.error, "under the strongest one nothing is learned"
    assert simulate(REQUEST, TABLES, key_bits=1024).penalties == ()


def test_folds_tell_each_one_s_error_on_owners_that_it_has_not_seen():
    schedule = {"rounds": 4, "folds": 2}
    outcome = simulate({**REQUEST, "schedule": schedule}, TABLES, key_bits=1024)
    halves = outcome.rounds[:2], outcome.rounds[2:]
    assert outcome.folds is not None
    for (first, *_), error in zip(halves, outcome.folds.errors, strict=True):
        assert error < first.error_before
    least = [min(made.error_after for made in half) for half in halves]
    assert list(outcome.folds.errors) == pytest.approx(least)
    assert outcome.folds.mean == pytest.approx(sum(least) / 2)
    assert outcome.folds.deviation == pytest.approx(abs(least[0] - least[1]) / 2**0.5)
    assert simulate(REQUEST, TABLES, key_bits=1024).folds is None


def test_of_folds_it_is_told_how_many_tables_are_needed():
    wanted = {**REQUEST, "schedule": {"rounds": 3, "folds": 3}, "owners": {"minimum": 7}}
    with pytest.raises(MisuseError, match=r"4 tables; .* \(to 6 at least: two validate in each fold\)"):
        simulate(wanted, TABLES, key_bits=1024)
