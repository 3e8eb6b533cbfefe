"""Several targets of the same features as one model: its quadratic is one block for each target.

Of K targets with p parameters each the weights are θ = (θ_1, …, θ_K), a row x with the targets y counts as
the K rows x ⊗ e_k with the targets y_k, and Σ_k |x·θ_k − y_k|² is ‖R(θ, −1)‖² with the triangular R of these.
R has Kp + 1 columns and follows from the owner's factor of [X (1) Y], in which XᵀX stands once.
"""

import numpy as np

from protocol.learning.statistic import Matrix


def expanded(factor: Matrix, targets: int) -> Matrix:
    """R of all targets' weights, (Kp+1)×(Kp+1), out of the triangular factor of [X (1) Y], (p+K)×(p+K).

    The blocks on the diagonal are equal to the last bit, so that one number stands for an entry of all.
    """
    p = len(factor) - targets
    size = targets * p
    found = np.zeros((size + 1, size + 1))
    found[:size, :size] = np.kron(np.eye(targets), factor[:p, :p])
    found[:size, size] = factor[:p, p:].T.ravel()
    found[size, size] = np.linalg.norm(factor[p:, p:])
    return found


def of_target(factor: Matrix, target: int, targets: int) -> Matrix:
    """R of one target's weights, (p+1)×(p+1), out of `expanded`, but for the error that none can avoid."""
    p = (len(factor) - 1) // targets
    block = slice(target * p, (target + 1) * p)
    found = np.zeros((p + 1, p + 1))
    found[:p, :p], found[:p, p] = factor[block, block], factor[block, -1]
    return found
