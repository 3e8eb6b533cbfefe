"""What the demo's pages compare a training with."""

import numpy as np
import pytest

from protocol.data_set import DataSet
from services.records.chain_history import ChainStory
from services.sandbox.pooled import pooled_errors
from tests.support.console.owner import COLUMNS, request
from tests.support.roles.pure_party import make_statistic

OWNERS = ("0xa1", "0xa2", "0xa3", "0xa4")
DRAWN = ChainStory(trainers=OWNERS[:2], validators=OWNERS[2:])


@pytest.fixture(scope="module")
def rows():
    chance = np.random.default_rng(7)
    made = {}
    for owner in OWNERS:
        features = chance.uniform(-1, 1, (64, 2))
        target = 200 + features @ [60.0, -40.0] + chance.normal(0, 8, 64)
        made[owner] = np.column_stack([features, target])
    return made


def known(rows):
    return pooled_errors(
        {owner: DataSet.of("rows", make_statistic(COLUMNS, of)) for owner, of in rows.items()}
    )


def test_it_is_that_of_least_squares_in_the_targets_own_units(rows):
    trained, measured = (np.vstack([rows[owner] for owner in part]) for part in (OWNERS[:2], OWNERS[2:]))
    weights, *_ = np.linalg.lstsq(np.column_stack([trained[:, :2], np.ones(128)]), trained[:, 2], rcond=None)
    left = np.column_stack([measured[:, :2], np.ones(128)]) @ weights - measured[:, 2]
    error = known(rows)
    wanted = request(start={"start": "mean", "value": 200})
    for _ask in range(2):
        assert error(wanted, DRAWN) == pytest.approx(float(left @ left) / 128, rel=1e-9)


def test_there_is_none_before_the_draw_and_for_rows_that_are_not_there(rows):
    error, wanted = known(rows), request()
    assert error(wanted, ChainStory()) is None
    assert error(wanted, ChainStory(trainers=(*OWNERS[:1], "0xb1"), validators=OWNERS[2:])) is None
    other = request(target={"name": "cost", "minimum": 0, "maximum": 400})
    assert error(other, DRAWN) is None


def test_there_is_none_of_folds_over_which_all_train(rows):
    wanted = request(schedule={"rounds": 2, "folds": 2})
    assert known(rows)(wanted, ChainStory(trainers=OWNERS)) is None
