"""What the buyer of the 2019 thesis received, on the thesis' own schedule, in plain numbers.

Chapter 7 of the thesis: gradient descent of 100 iterations with step 1.5 on the diabetes data. The buyer
decrypts the average, rounds it to three decimals and encrypts it again, so it knows every model. It also
decrypts every validator's residual vector Xθ − y for that model. The noise upon it, one vector of integers
from 0 to 9 for all models, is handed to it as well, and is left out here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

Matrix = NDArray[np.float64]

ITERATIONS = 100
STEP_SIZE = 1.5
DECIMALS = 3
TRAINERS, VALIDATORS = 3, 2


class Validator(NamedTuple):
    """A validator's rows with a column of ones, and the residuals it sent, one vector for each model."""

    features: Matrix
    target: Matrix
    residuals: Matrix


class BuyersView(NamedTuple):
    """The models that the buyer knew, iterations×p, and the validators."""

    models: Matrix
    validators: list[Validator]


def thesis_training() -> BuyersView:
    """The whole training of 2019."""
    data = load_diabetes()
    features = np.column_stack([data.data, np.ones(len(data.data))])
    owners = np.array_split(np.arange(len(features)), TRAINERS + VALIDATORS)
    parts = [(features[rows], data.target[rows]) for rows in owners]
    model = np.zeros(features.shape[1])
    models = []
    for _ in range(ITERATIONS):
        steps = [x.T @ (x @ model - y) / len(y) for x, y in parts[:TRAINERS]]
        model = np.round(model - STEP_SIZE * np.mean(steps, axis=0), DECIMALS)
        models.append(model)
    known = np.array(models)
    validators = [Validator(x, y, known @ x.T - y) for x, y in parts[TRAINERS:]]
    return BuyersView(known, validators)


def least_squares_attack(models: Matrix, residuals: Matrix) -> tuple[Matrix, Matrix]:
    """(rows, targets) that fit the residuals (models×rows) of known models (models×p) best.

    Each residual is one linear equation in its row and target, the same unknowns for every model.
    """
    system = np.column_stack([models, -np.ones(len(models))])
    solution, *_ = np.linalg.lstsq(system, residuals, rcond=None)
    return solution[:-1].T, solution[-1]
