"""What is compared of several classes and several targets in one training."""

from tests.benchmarks.one_training import diabetes_of_two, one_seed, wines


def test_wines_are_told_apart_about_as_well_as_by_scikit_learn() -> None:
    found = one_seed(wines(), seed=1)
    ours, theirs = (next(row for title, row in found.items() if title.startswith(who)) for who in ("D", "s"))
    assert 0.85 < ours[0] <= 1
    assert ours[0] > theirs[0] - 0.1


def test_two_targets_are_explained_as_well_as_by_least_squares_of_all_rows() -> None:
    found = one_seed(diabetes_of_two(), seed=1)
    theirs = next(row for title, row in found.items() if title.endswith("rows of 5 pooled"))
    for manner in ("", ", λ = 0.01"):
        ours = next(row for title, row in found.items() if title.startswith(f"DeltaML{manner}, all 5"))
        assert abs(ours[0] - theirs[0]) < 0.02


def test_of_few_rows_a_ridge_makes_classes_probabilities_better() -> None:
    found = one_seed(wines(), seed=1)
    plain, ridged = (
        next(row for title, row in found.items() if title.startswith(f"DeltaML{manner}, 3 of"))
        for manner in ("", ", λ = 0.01")
    )
    assert ridged[1] < plain[1]
