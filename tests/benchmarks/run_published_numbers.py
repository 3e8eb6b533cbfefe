"""Every published number of honest trainings, of all schedules, against plain floats."""

import pytest

from tests.benchmarks.published_numbers import CASES, measure


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_published_number_is_the_plain_one(case):
    found = measure(case)
    assert found.published <= found.bound, found
    assert found.holds, found
