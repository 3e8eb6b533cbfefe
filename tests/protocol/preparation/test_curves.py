"""What bases make of prepared columns, against scikit-learn's transformers and by hand."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.preprocessing import PolynomialFeatures

from protocol.preparation.bases import Fourier
from protocol.preparation.curves import legendre, waves_of, with_bases
from protocol.preparation.design import design_matrix
from tests.support.curved import curved_request, curved_rows


def functions_of(basis, rows):
    """What a request's one basis adds to each row."""
    request = curved_request(basis=[basis])
    whole = design_matrix(request.features, rows, request.basis)
    return whole[:, len(request.weight_names) - (whole.shape[1] - own(rows).shape[1]) :]


def own(rows):
    return design_matrix(curved_request(basis=[]).features, rows)


def test_polynomials_span_the_powers():
    values = np.linspace(-1, 1, 50)
    found = np.column_stack([np.ones(50), values, legendre(values, 3)])
    wanted = PolynomialFeatures(3).fit_transform(values[:, None])
    solved, *_ = np.linalg.lstsq(found, wanted, rcond=None)
    np.testing.assert_allclose(found @ solved, wanted, atol=1e-12)
    np.testing.assert_allclose(legendre(np.array([-1.0, 1.0]), 3), [[1, -1], [1, 1]])


def test_products_are_of_every_level_and_of_numbers_brought_to_their_range():
    rows = curved_rows(30)
    size = (np.nan_to_num(rows["size"], nan=110.0) - 110) / 100
    found = functions_of({"kind": "interaction", "columns": ["size", "heat"]}, rows)
    codes = rows["heat"].codes
    np.testing.assert_allclose(found, size[:, None] * np.column_stack([codes == 1, codes == 2]))


def test_a_logarithm_s_knots_are_in_the_column_s_own_units():
    rows = {**curved_rows(3), "price": np.array([1.0, 50.0, 1000.0])}
    found = functions_of({"kind": "spline", "column": "price", "knots": [50]}, rows)
    assert found[[0, 2], 0] == pytest.approx([0, 0], abs=1e-12)
    assert found[1, 0] > 0.5


def test_beyond_the_declared_range_functions_are_those_of_the_nearest_end():
    rows = {**curved_rows(4), "size": np.array([-1e6, 10.0, 210.0, 1e6])}
    request = curved_request(basis=[{"kind": "polynomial", "column": "size", "degree": 3}])
    found = with_bases(request.features, request.basis, own(rows))[:, -2:]
    np.testing.assert_allclose(found, [[1, -1], [1, -1], [1, 1], [1, 1]])


def test_random_waves_approximate_their_kernel():
    basis = Fourier(kind="fourier", columns=("a", "b"), number=1024, length_scale="0.7", seed=5)
    rows = np.random.default_rng(1).uniform(-1, 1, (40, 2))
    waves, shifts = waves_of(basis)
    features = np.cos(rows @ waves + shifts) * np.sqrt(2 / basis.number)
    assert np.abs(features @ features.T - RBF(0.7)(rows)).max() < 0.15


def test_waves_are_the_same_for_everybody():
    """An owner and a buyer with other waves would train and predict with other models, unnoticed."""
    basis = Fourier(kind="fourier", columns=("a",), number=2, seed=1)
    waves, shifts = waves_of(basis)
    wanted = [-0.2047609190170146, 0.43098856760619514, 3.095483584995514, 2.2608752567710497]
    again, _ = waves_of(basis.model_copy(update={"seed": 2}))
    np.testing.assert_allclose([*waves[0], *shifts], wanted, rtol=1e-13)
    assert not np.isclose(again, waves).any()


def test_every_function_stays_within_one():
    """A row that is longer would break the bounds of residuals that every slot is cut for."""
    request, rows = curved_request(), curved_rows(500)
    whole = design_matrix(request.features, rows, request.basis)
    assert whole.shape == (500, len(request.weight_names))
    assert np.abs(whole[:, own(rows).shape[1] :]).max() <= 1 + 1e-12
