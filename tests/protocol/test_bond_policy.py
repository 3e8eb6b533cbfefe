"""How much an aggregator deposits as a bond, in what."""

import pytest
from pydantic import ValidationError

from protocol.bond_policy import BondPolicy, TokenBond
from protocol.terms import NATIVE
from tests.support.deployment.documents import KEY_ID, any_request

TOKEN, OTHER = "0x" + "70" * 20, "0x" + "71" * 20
POLICY = BondPolicy(most_bond_wei=5, tokens=(TokenBond(token=TOKEN, most_bond=7),))


@pytest.mark.parametrize(
    ("token", "bond", "deposits"),
    [
        (NATIVE, 5, True),
        (NATIVE, 6, False),
        (TOKEN, 7, True),
        (TOKEN, 8, False),
        (OTHER, 0, True),
        (OTHER, 1, False),
    ],
)
def test_a_bond_up_to_the_most_is_deposited(token: str, bond: int, deposits: bool) -> None:
    terms = any_request().terms(KEY_ID).model_copy(update={"token": token, "aggregator_bond": bond})
    assert POLICY.accepts(terms) is deposits


def test_no_bond_is_deposited_unless_something_is_set() -> None:
    terms = any_request().terms(KEY_ID)
    assert BondPolicy().accepts(terms)
    assert not BondPolicy().accepts(terms.model_copy(update={"aggregator_bond": 1}))


@pytest.mark.parametrize(
    ("tokens", "told"), [((TOKEN, TOKEN), "is listed twice"), ((NATIVE,), "give most_bond_wei")]
)
def test_each_token_is_named_once_and_ether_by_its_own_field(tokens: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        BondPolicy(tokens=tuple(TokenBond(token=token, most_bond=1) for token in tokens))
