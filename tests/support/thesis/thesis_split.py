"""How the 2019 thesis split its rows."""

import numpy as np


def thesis_split(rows, trainers=3, validators=2, seed=39):
    """(trainers' rows, validators' rows): 70 % and 30 % of m×k rows, each dealt evenly, as in the thesis.

    The rows held out are those of scikit-learn's `train_test_split(test_size=0.3, random_state=seed)`.
    """
    order = np.random.RandomState(seed).permutation(len(rows))
    held_out = -(-3 * len(rows) // 10)
    taught = [rows[part] for part in np.array_split(order[held_out:], trainers)]
    return taught, [rows[part] for part in np.array_split(order[:held_out], validators)]
