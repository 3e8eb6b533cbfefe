"""What is committed to is the map and the Gram matrix of the rows, as numpy has them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.commitments import OwnerCommitments, gram_commitments, map_commitments
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, UPDATE_SCALE
from protocol.learning.statistic import Statistic
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.roles.owner.committing import OwnerSecrets, commit_to
from tests.support.groups import market_identity
from tests.support.proofs import private_key
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

KEY = private_key(512).public_key
IDENTITY = market_identity(KEY)
OWNER = "0x" + "ab" * 20


def request_of(**changes: object) -> Request:
    return parse_request({**small_request(**changes), "aggregator": "0x" + "aa" * 20})


def committed(
    request: Request, statistic: Statistic, seed: bytes = b"s" * 32
) -> tuple[OwnerCommitments, OwnerSecrets]:
    return commit_to(request, statistic, KEY, IDENTITY, OWNER, Randomness(seed))


def rows(scale: float = 5.0, seed: int = 3) -> Statistic:
    generator = np.random.default_rng(seed)
    features = generator.uniform(-scale, scale, (20, 2))
    target = np.clip(features @ [6.0, -4.0], -100, 100)
    return make_statistic(COLUMNS, np.column_stack([features, target]))


@settings(max_examples=20)
@given(st.integers(0, 50), st.integers(1, 200))
def test_the_integers_are_those_of_numpy(seed: int, steps: int) -> None:
    request = request_of(schedule={"rounds": 2, "local_steps": steps, "step_size": "0.5"})
    statistic = rows(seed=seed)
    _, secrets = committed(request, statistic)
    matrix, offset = kind_of(request).training_map(request, statistic)
    factor = kind_of(request).measuring_factor(request, statistic)
    found = np.array([[float(value) for value in row.values] for row in secrets.map_rows()])
    assert found[:, :-1] / 2.0**COEFFICIENT_SCALE == pytest.approx(matrix, abs=1e-11)
    assert found[:, -1] / 2.0**UPDATE_SCALE == pytest.approx(offset, abs=1e-14)
    gram = factor.T @ factor
    entries = [float(value) / 2.0**ENTRY_SCALE for value in secrets.gram.values]
    assert entries == pytest.approx(list(gram[np.triu_indices(len(gram))]), abs=1e-12)


def test_what_is_shown_commits_to_what_is_stored() -> None:
    request = request_of()
    shown, secrets = committed(request, rows())
    shown.require(KEY, IDENTITY.group, request.parameters)
    maps, grams = map_commitments(IDENTITY, 3), gram_commitments(IDENTITY, 3)
    assert shown.maps == tuple(maps.commit(row.values, row.hiding) for row in secrets.maps)
    assert shown.gram == grams.commit(secrets.gram.values, secrets.gram.hiding)
    assert (shown.owner, shown.rows) == (OWNER, 20)


def test_chance_is_drawn_anew_for_each_training_and_used_once_within_it() -> None:
    request = request_of()
    first, kept = committed(request, rows())
    second, _ = committed(request, rows(), b"t" * 32)
    assert first.base != second.base
    assert not set(first.maps) & set(second.maps)
    hidden = [row.hiding for row in kept.maps] + [kept.gram.hiding]
    assert len(set(hidden)) == 4


def beyond(steps: int, step_size: str = "100") -> Request:
    """One whose model is 100 in the end, where weights are declared below 16."""
    return request_of(
        scale="none",
        model={"intercept": False},
        schedule={"rounds": 1, "local_steps": steps, "step_size": step_size},
        bounds={"min_rows": 5, "weight_bits": 4, "residual_bits": 40},
    )


SMALL = make_statistic(COLUMNS, np.tile([0.01, 0.0, 1.0], (20, 1)))


def test_a_map_beyond_its_bound_takes_fewer_steps() -> None:
    """Nobody is told: a proof of a larger one would tell how large it is, and a refusal that it is large."""
    request = beyond(64)
    _, secrets = committed(request, SMALL)
    assert [row.values for row in secrets.maps] == [
        row.values for row in committed(beyond(16), SMALL)[1].maps
    ]
    limit = 1 << (UPDATE_SCALE + request.weight_bits)
    assert limit > secrets.maps[0].values[-1] > limit // 2


def test_a_map_that_no_step_fits_changes_nothing() -> None:
    _, secrets = committed(beyond(64, "15000"), SMALL)
    one = 1 << COEFFICIENT_SCALE
    assert [row.values for row in secrets.maps] == [(one, 0, 0), (0, one, 0)]


def test_rows_beyond_declared_units_are_not_committed_to() -> None:
    request = request_of(scale="none", bounds={"min_rows": 5, "residual_bits": 40})
    with pytest.raises(MisuseError, match="rows within the declared ranges"):
        committed(request, rows(scale=50.0))


def test_rows_within_their_ranges_always_fit() -> None:
    for data in small_data(owners=3):
        committed(request_of(), make_statistic(COLUMNS, data))
