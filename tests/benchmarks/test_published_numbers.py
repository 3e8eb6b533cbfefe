"""What is published is held against plain floats; all schedules are in `run_published_numbers.py`."""

import numpy as np
from rich.console import Console

from tests.benchmarks.published_numbers import WITHOUT_NOISE, Case, Distance, measure, owners_rows, show


def test_without_noise_a_round_of_collinear_columns_publishes_the_plain_numbers():
    found = measure(Case(1, 3, collinear=True, noisy=False))
    assert found.holds
    assert found.bound == WITHOUT_NOISE


def test_collinear_columns_leave_three_directions_of_five():
    for rows in owners_rows(collinear=True):
        features = np.column_stack([rows[:, :-1], np.ones(len(rows))])
        assert np.linalg.matrix_rank(features) == 3


def test_a_number_that_is_too_far_away_is_shown_as_such():
    values = {"case": "1 × 1", "bound": 1e-9, "rounds": 1, "processor_seconds": 1.0}
    found = [Distance(**values, published=one, weights=two) for one, two in ((2e-9, 0), (0, 1e-7), (0, 0))]
    assert [one.holds for one in found] == [False, False, True]
    console = Console(record=True, width=120)
    show(found, console)
    assert console.export_text().count("NO") == 2
