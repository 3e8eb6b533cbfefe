"""Units are told from everything else that a peer may send in their place."""

import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.elements import are_units, is_unit, require_units
from protocol.errors import ProtocolViolation

MODULUS = mpz(3 * 5 * 7 * 11)
ANYTHING = st.one_of(
    st.integers(-5, int(MODULUS) ** 2 + 5),
    st.integers(-5, int(MODULUS) + 5).map(mpz),
    st.sampled_from((None, True, False, 1.0, "1", b"\1")),
)


@given(st.lists(ANYTHING, max_size=5), st.sampled_from((None, MODULUS**2)))
def test_all_of_them_are_units_where_each_one_is(values, below):
    assert are_units(values, MODULUS, below) == all(is_unit(one, MODULUS, below) for one in values)


@pytest.mark.parametrize("wrong", [0, 3, int(MODULUS), int(MODULUS) + 1, -2, True, 2.0, None])
def test_the_one_that_is_none_is_named(wrong):
    with pytest.raises(ProtocolViolation, match="root 1 is no unit") as refused:
        require_units((2, wrong, 4), 3, MODULUS, "bad_root", "root")
    assert refused.value.code == "bad_root"


def test_factors_that_only_together_fill_the_modulus_are_found():
    """Of a key's two factors each multiple alone would give the key away."""
    with pytest.raises(ProtocolViolation, match="root 0"):
        require_units((15, 77), 2, MODULUS, "bad_root", "root")


@pytest.mark.parametrize("values", [(2,), (2, 4, 8), [2, 4], None])
def test_another_number_of_them_is_refused(values):
    with pytest.raises(ProtocolViolation):
        require_units(values, 2, MODULUS, "bad_root", "root")


def test_units_of_a_square_pass_below_it():
    require_units((MODULUS + 1, MODULUS**2 - 1), 2, MODULUS, "bad_root", "root", MODULUS**2)
