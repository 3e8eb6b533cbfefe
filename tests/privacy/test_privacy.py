"""What each party of a whole checked training learns, in a form of seconds; `make privacy` has 20 rounds."""

from functools import cache

import numpy as np
import pytest

from protocol.learning.scales import NOISE_BITS
from tests.privacy import viewers
from tests.privacy.owners import KINDS, alike
from tests.privacy.published import Schedule, course, noise_deviation
from tests.privacy.solving import Problem
from tests.privacy.straws import bits_without_noise, straw_trainer, straw_validator
from tests.privacy.viewers import Attack, Learnt, Viewer

NOTHING = 0.95
"""Errors no smaller than this part of a guess's tell nothing."""


@cache
def learnt(kind: str, viewer: Viewer) -> Learnt:
    return Attack(KINDS[kind](2, 5), Schedule(2), viewer).learnt(starts=1)


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_the_published_numbers_alone_learns_no_model_no_row_and_no_statistic(kind):
    """Strangers, the broker's operator, the aggregator, and the buyer before it has paid."""
    found = learnt(kind, "public")
    assert min(found.gram, found.target, found.rows) >= NOTHING
    assert found.models is not None
    assert found.models >= NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_published_numbers_tell_no_sign_of_any_column(kind):
    owners, schedule = KINDS[kind](3, 5), Schedule(4)
    trained, measured = np.array(owners.trained[:3]), np.mean(owners.measured[3:], axis=0)
    seen = course(trained, measured, schedule)
    for turned in range(5):
        signs = np.where(np.arange(5) == turned, -1.0, 1.0)
        other = course(signs[:, None] * trained * signs, signs[:, None] * measured * signs, schedule)
        assert other.numbers == pytest.approx(seen.numbers)
        assert np.abs(other.models - seen.models).max() > 1e-6


@pytest.mark.parametrize("viewer", ["buyer", "trainer", "validator"])
def test_no_party_learns_anything_of_others_rows(viewer):
    assert learnt("alike", viewer).rows >= NOTHING


def test_of_a_logistic_regression_a_trainer_reads_the_share_of_the_class_that_each_other_one_has():
    assert learnt("logistic", "trainer").mean < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_a_trainer_reads_the_mean_of_the_target_that_each_other_one_has(kind):
    """The column of ones is the largest, and a round's first steps move little else."""
    left = Attack(KINDS[kind](5, 5), Schedule(7), "trainer").left_open()
    assert left.mean < 0.5
    assert left.mean < left.target < left.gram


def test_wider_noise_would_leave_what_is_read_of_the_mean_as_it_is(monkeypatch):
    """A thousand times as wide, which pay would show, hides no more than a tenth of a guess."""
    attack = Attack(alike(5, 5), Schedule(7), "trainer")
    narrow = attack.left_open().mean
    monkeypatch.setattr(viewers, "noise_deviation", lambda: 1024 * noise_deviation())
    assert attack.left_open().mean < narrow + 0.1


def test_what_is_left_open_is_the_posterior_deviation_where_all_is_linear():
    generator = np.random.default_rng(1)
    slopes, deviation = generator.normal(size=(3, 4)), np.array([0.5, 1.0, 2.0, 3.0])
    problem = Problem(lambda unknown: unknown @ slopes.T, np.zeros(3), np.zeros(4), deviation, 1.0)
    posterior = np.linalg.inv(slopes.T @ slopes / 0.01 + np.diag(deviation**-2))
    left = problem.left_open(np.zeros(4), 0.1)
    assert left == pytest.approx(np.sqrt(np.diag(posterior)) / deviation, rel=1e-6)


def test_the_attack_finds_what_numbers_determine():
    """Otherwise it would find nothing whatever was published; a budget allows less."""
    found = Attack(alike(2, 5), Schedule(25, local_steps=1), "trainer").learnt(starts=2)
    assert found.target < 0.7
    assert found.models is not None
    assert found.models < 0.7


def test_a_straw_that_trains_reads_one_weight_a_round_to_the_noise():
    read = straw_trainer(alike(10, 5), Schedule(20), 2)
    assert read.numbers == 1
    assert NOISE_BITS - 6 < read.bits <= NOISE_BITS


def test_a_straw_that_validates_reads_a_weight_of_each_trainer_up_to_the_others_error():
    read = straw_validator(alike(10, 5), Schedule(20), 2)
    assert read.numbers == 6
    assert 4 < read.bits < NOISE_BITS / 2


def test_noise_leaves_a_tenth_of_an_opened_errors_digits():
    assert bits_without_noise() > 10 * NOISE_BITS
