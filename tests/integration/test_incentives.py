"""What cheating data earn in encrypted trainings of the diabetes data; the plain twin has the other seeds."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from tests.support.roles.pure_market import PureMarket

ROUNDS, LOCAL_STEPS = 10, 5
FEATURES, TARGET = load_diabetes(return_X_y=True)
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
        "features": [{"name": name, "minimum": "-1", "maximum": "1"} for name in NAMES],
        "target": {"name": "y", "minimum": "0", "maximum": "346"},
        "model": {"l2": 0},
        "scale": "none",
        "schedule": {"rounds": ROUNDS, "local_steps": LOCAL_STEPS, "step_size": "1.5", "tolerance": 0},
        "start": start,
        "payment": {"deposit_wei": str(10**18)},
        "owners": {"minimum": 5, "maximum": 5},
        "key_bits": 512,
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


@pytest.mark.parametrize("start", [MEAN, {"start": "zero"}], ids=["mean", "zero"])
def test_zero_targets_earn_nothing(start):
    assert share_of_first(run_market(all_zero, start)) == 0


def test_from_zero_any_labels_teach_the_mean_and_are_paid_for_it():
    assert share_of_first(run_market(shuffled, {"start": "zero"})) > 0.25
