"""What cheating data earn in encrypted trainings of the diabetes data; the plain twin has the other seeds."""

import numpy as np
from sklearn.datasets import load_diabetes

from tests.support.roles.pure_market import PureMarket

ROUNDS, LOCAL_STEPS = 2, 5
ALL, TARGET = load_diabetes(return_X_y=True)
FEATURES = ALL[:, [2, 8]]
"""Body mass and the logarithm of triglycerides, of which a line makes the most."""
NAMES = [f"x{index}" for index in range(FEATURES.shape[1])]


def run_market(cheat, start, seed=0):
    """Five owners; the first of three trainers cheats; the last two validate."""
    generator = np.random.default_rng(seed)
    parts = np.array_split(generator.permutation(len(TARGET)), 5)
    targets = [TARGET[part] for part in parts]
    targets[0] = cheat(targets[0], generator)
    data = [np.column_stack([FEATURES[part], target]) for part, target in zip(parts, targets, strict=True)]
    request = {
        "name": "incentives",
        "features": [{"name": name, "minimum": "-0.2", "maximum": "0.2"} for name in NAMES],
        "target": {"name": "y", "minimum": "-346", "maximum": "346"},
        "model": {"l2": 0},
        "schedule": {"rounds": ROUNDS, "local_steps": LOCAL_STEPS, "tolerance": 0},
        "start": start,
        "payment": {"deposit_wei": str(10**18)},
        "owners": {"minimum": 5, "maximum": 5},
        "key_bits": 1024,
    }
    market = PureMarket(request, data, [*NAMES, "y"], validators=[3, 4])
    market.start()
    market.run()
    assert len(market.contract.recorded) == ROUNDS
    return market


def share_of_first(market):
    """The first seat's part of the pay weights of all rounds."""
    earned = [
        dict(
            zip((seat for seat in range(5) if one.record.trainers >> seat & 1), one.pay_weights, strict=True)
        )
        for one in market.contract.recorded
    ]
    whole = sum(sum(weights.values()) for weights in earned)
    return sum(weights.get(0, 0) for weights in earned) / whole


def shuffled(target, generator):
    return generator.permutation(target)


def all_zero(target, _generator):
    return np.zeros_like(target)


MEAN = {"start": "mean", "value": repr(round(float(TARGET.mean()), 6))}


def test_shuffled_labels_earn_next_to_nothing_from_the_mean():
    assert share_of_first(run_market(shuffled, MEAN)) <= 0.02


def test_zero_targets_earn_nothing_from_the_mean():
    assert share_of_first(run_market(all_zero, MEAN)) == 0


def test_from_zero_any_labels_teach_the_mean_and_are_paid_for_it():
    """Most of a fair third: two rounds have not come to where the mean is no news."""
    assert share_of_first(run_market(shuffled, {"start": "zero"})) > 0.2
