"""What is compared of several classes and several targets in one training."""

from tests.benchmarks.one_training import diabetes_of_two, one_seed, wines


def test_wines_are_told_apart_about_as_well_as_by_scikit_learn() -> None:
    found = one_seed(wines(), seed=1)
    ours, theirs = (next(row for title, row in found.items() if title.startswith(who)) for who in ("D", "s"))
    assert 0.85 < ours[0] <= 1
    assert ours[0] > theirs[0] - 0.1


def test_two_targets_are_explained_as_well_as_by_least_squares_of_all_rows() -> None:
    ours, theirs = list(one_seed(diabetes_of_two(), seed=1).values())[2:]
    assert abs(ours[0] - theirs[0]) < 0.02
