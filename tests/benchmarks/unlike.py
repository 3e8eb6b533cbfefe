"""How near trainers with unlike rows come to the best model of all of them: averages beside ADMM.

`python -m tests.benchmarks.unlike` prints the table of deltaml/examples/patients_by_age.md: the diabetes
data, sorted by age and cut into five, all of which train, in plain numbers.
"""

import sys
from collections.abc import Mapping

import numpy as np

from protocol.learning.plaintext import Matrix, consensus, federated_averaging
from services.data.samples import diabetes

OWNERS, L2, ROUNDS = 5, 1e-5, (1, 3, 5, 10, 15)
PENALTIES = (0.001, 0.01, 0.1, 1.0)


def factors() -> list[Matrix]:
    """R/√m of each owner's rows between columns in [−1, 1], the intercept's ones before the target."""
    _, rows = diabetes()
    low, high = rows.min(axis=0), rows.max(axis=0)
    scaled = 2 * (rows - low) / (high - low) - 1
    ordered = np.insert(scaled, -1, 1.0, axis=1)[np.argsort(rows[:, 0], kind="stable")]
    parts = np.array_split(ordered, OWNERS)
    return [np.linalg.qr(part, mode="r") / np.sqrt(len(part)) for part in parts]


def gaps() -> Mapping[str, list[float]]:
    """By method: how far each of `ROUNDS` is above the pooled optimum, in shares of the target's variance."""
    owners = factors()
    pooled = np.vstack(owners) / np.sqrt(OWNERS)
    features, target = pooled[:, :-1], pooled[:, -1]
    best, *_ = np.linalg.lstsq(features, target, rcond=None)
    mean = float(features[:, -1] @ target)
    variance, start = float(target @ target) - mean**2, np.zeros(len(best))
    start[-1] = mean

    def above(models: Matrix) -> list[float]:
        return [float(np.sum((features @ (models[one] - best)) ** 2)) / variance for one in ROUNDS]

    def averaged(steps: int) -> Matrix:
        return federated_averaging(
            owners, start, step_size=16, l2=L2, local_steps=steps, rounds=max(ROUNDS)
        ).models

    everybody = [range(OWNERS)] * max(ROUNDS)
    found = {f"averages of {steps} steps": above(averaged(steps)) for steps in (20, 500)}
    for penalty in PENALTIES:
        models = consensus(owners, start, penalty=penalty, l2=L2, answered=everybody).models
        found[f"ADMM, ρ = {penalty:g}"] = above(models)
    return found


def main() -> None:
    """Print the table."""
    columns = ["", *(f"{one} rounds" if one > 1 else "1 round" for one in ROUNDS)]
    lines = ["| " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(ROUNDS)]
    for name, shares in gaps().items():
        cells = (f"{100 * share:.1f} %" for share in shares)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
