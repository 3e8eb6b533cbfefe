"""Dispersion out of the published error of the delivered model."""

import numpy as np
import pytest
from scipy import special  # type: ignore[import-untyped]

from protocol.learning.inference.dispersion import digamma, dispersion, gamma_shape
from protocol.learning.kinds.interface import PublishedErrors


@pytest.mark.parametrize("x", [1e-3, 0.4, 1.0, 5.9, 6.0, 80.0, 1e6])
def test_digamma_is_scipys(x: float) -> None:
    assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-9)


@pytest.mark.parametrize("shape", [0.2, 1.0, 2.5, 300.0])
def test_the_shape_is_found_that_has_the_mean_deviance(shape: float) -> None:
    deviance = 2 * (np.log(shape) - special.digamma(shape))
    assert gamma_shape(float(deviance)) == pytest.approx(shape, rel=1e-6)


def test_what_the_weights_are_off_by_is_taken_out_of_an_error_on_other_rows() -> None:
    """σ² = 4 with 3 weights of 30 rows: other rows' squares are 4.4 on average."""
    errors = PublishedErrors(start=50.0, delivered=4.4)
    assert dispersion("linear_regression", errors, 3 / 30) == pytest.approx(4.0)
    assert dispersion("logistic_regression", errors, 0.1) == 1.0
    assert dispersion("poisson_regression", errors, 0.1) == 1.0
    assert dispersion("gamma_regression", errors, 0.1) == pytest.approx(1 / gamma_shape(4.0))
