"""The benchmark runs, and both ways of training agree with numpy; how fast they are is not tested here."""

import numpy as np
import pytest

from tests.benchmarks import results
from tests.benchmarks.data import Split, error, federated, least_squares, thesis_split
from tests.support.thesis.thesis_way import ThesisTraining

KEY_BITS = 1024
"""Enough for the exponents that phe's floats gather between two refreshes of the thesis' way."""


@pytest.fixture(scope="module")
def small():
    split = thesis_split()
    trainers = [
        rows._replace(features=rows.features[:20], target=rows.target[:20]) for rows in split.trainers
    ]
    validators = [
        rows._replace(features=rows.features[:12], target=rows.target[:12]) for rows in split.validators
    ]
    return Split(trainers, validators)


def test_the_thesis_way_takes_the_steps_that_numpy_takes(small):
    training = ThesisTraining(small.trainers, small.validators, key_bits=KEY_BITS, step_size=1.5)
    models = federated(small, rounds=3, local_steps=1)
    training.step()
    training.step()
    errors = training.metric()
    assert errors.average == pytest.approx(error(small.validators, models[2]), rel=1e-9)
    for index, without in enumerate(errors.without):
        trainers = small.trainers[:index] + small.trainers[index + 1 :]
        steps = [
            federated(Split([rows], []), rounds=1, local_steps=1, start=models[1])[1] for rows in trainers
        ]
        assert without == pytest.approx(error(small.validators, np.mean(steps, axis=0)), rel=1e-9)
    training.step()
    assert np.allclose(training.weights(), models[3], rtol=0, atol=1e-9)
    assert training.bytes_sent > 0


def test_the_market_takes_the_steps_that_numpy_takes(small):
    report = results.measure(small, key_bits=1024, rounds=2, local_steps=3)
    assert report.weights_max_abs_error < 1e-8
    assert report.mse_max_relative_error < 2e-6
    assert report.market_federated == pytest.approx(report.numpy_federated, rel=2e-6)


def test_the_split_is_the_one_of_the_thesis():
    split = thesis_split()
    final = federated(split, rounds=100, local_steps=1)[-1]
    assert error(split.validators, final) == pytest.approx(3326.11, abs=0.01)
    assert error(split.validators, least_squares(split.trainers)) == pytest.approx(3168.99, abs=0.01)
