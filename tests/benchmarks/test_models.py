"""The table of models is made, and no figure of ours falls far behind a model that sees all rows at once."""

from tests.benchmarks.cases import (
    DRAWN,
    OWNERS,
    Case,
    breast_cancer,
    breast_cancer_odds,
    diabetes,
    diabetes_amounts,
    diabetes_odds,
    dispersed_visits,
    survival,
    visits,
)
from tests.benchmarks.curved_cases import diabetes_curves, digits_waves
from tests.benchmarks.models import means

SEEDS = 5


def pairs(case: Case, seeds: int = SEEDS) -> list[tuple[list[float], list[float]]]:
    """(ours, the pooled model's) figures, for each number of trainers."""
    found = means(case, seeds)
    return [
        (
            next(row for title, row in found.items() if title.startswith(f"DeltaML, {ours}")),
            next(row for title, row in found.items() if title.endswith(f"rows of {count} pooled")),
        )
        for ours, count in ((f"{DRAWN} of", DRAWN), ("all", OWNERS))
    ]


def test_classification_is_close_to_logistic_regression_on_pooled_rows() -> None:
    for (accuracy, auc, log_loss, brier), best in pairs(breast_cancer()):
        assert accuracy > best[0] - 0.015
        assert auc > best[1] - 0.004
        assert log_loss < best[2] + 0.04
        assert brier < best[3] + 0.008


def test_logistic_regression_is_close_to_that_on_pooled_rows() -> None:
    for (accuracy, auc, log_loss, brier), best in pairs(breast_cancer_odds()):
        assert accuracy > best[0] - 0.002
        assert auc > best[1] - 0.001
        assert log_loss < best[2] + 0.008
        assert brier < best[3] + 0.002


def test_regression_is_close_to_least_squares_on_pooled_rows() -> None:
    for (rmse, mae, r2), best in pairs(diabetes()):
        assert rmse < 1.01 * best[0]
        assert mae < 1.01 * best[1]
        assert r2 > best[2] - 0.01


def test_counts_are_close_to_poisson_regression_on_pooled_rows() -> None:
    for (deviance, explained, rmse), best in pairs(visits()):
        assert deviance < 1.02 * best[0]
        assert explained > best[1] - 0.01
        assert rmse < 1.02 * best[2]


def test_counts_that_vary_more_are_close_to_negative_binomial_regression_on_pooled_rows() -> None:
    for (deviance, explained, rmse), best in pairs(dispersed_visits(), seeds=1):
        assert deviance < 1.02 * best[0]
        assert explained > best[1] - 0.01
        assert rmse < 1.02 * best[2]


def test_hazards_are_close_to_cox_regression_on_pooled_rows() -> None:
    for (concordance,), (best,) in pairs(survival(), seeds=1):
        assert concordance > best - 0.005


def test_amounts_are_close_to_gamma_regression_on_pooled_rows() -> None:
    for (deviance, explained, rmse), best in pairs(diabetes_amounts()):
        assert deviance < 1.03 * best[0]
        assert explained > best[1] - 0.02
        assert rmse < 1.03 * best[2]


def test_odds_of_few_rows_a_feature_are_close_to_those_of_pooled_rows() -> None:
    for (accuracy, auc, log_loss, brier), best in pairs(diabetes_odds()):
        assert accuracy > best[0] - 0.01
        assert auc > best[1] - 0.005
        assert log_loss < best[2] + 0.02
        assert brier < best[3] + 0.003


def test_curves_are_close_to_splines_and_products_of_pooled_rows() -> None:
    for (rmse, mae, r2), best in pairs(diabetes_curves()):
        assert rmse < 1.015 * best[0]
        assert mae < 1.015 * best[1]
        assert r2 > best[2] - 0.015


def test_random_waves_tell_odd_digits_which_no_line_does() -> None:
    """By a line .84 of them are told, by one owner's model or everybody's rows alike."""
    for (accuracy, auc, log_loss, brier), best in pairs(digits_waves(), seeds=1):
        assert accuracy > max(0.89, best[0] - 0.01)
        assert auc > best[1] - 0.005
        assert log_loss < best[2] + 0.02
        assert brier < best[3] + 0.005
