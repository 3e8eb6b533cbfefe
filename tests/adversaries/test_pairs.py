"""A few adversaries beside a fault; `make adversaries ARGS=pairs` plays a hundred."""

import pytest

from tests.adversaries.catalogue import by_name
from tests.adversaries.faults import Fault
from tests.adversaries.pairs import Pair, drawn_pairs
from tests.support.roles.depositors import COINS

CHOSEN = (
    ("trainer: copied update", Fault.REORDER),
    ("first checker: false complaint: proof", Fault.DUPLICATE),
    ("buyer: silence: projection_answer", Fault.KILL),
    ("buyer: second record", Fault.DUPLICATE),
    ("validator: second record", Fault.KILL),
)


def test_pairs_differ_and_follow_from_the_seed() -> None:
    pairs = drawn_pairs(7, 100)
    assert pairs == drawn_pairs(7, 100)
    assert len({(one.adversary.who, one.adversary.name, one.fault) for one in pairs}) == 100
    assert {one.fault for one in pairs} == set(Fault)
    assert pairs != drawn_pairs(8, 100)


def test_both_coins_are_among_those_that_bonds_are_deposited_in() -> None:
    assert {one.coin for one in drawn_pairs(7, 100)} == set(COINS)


@pytest.mark.parametrize(("name", "fault"), CHOSEN)
def test_a_fault_changes_nothing_of_what_is_declared(name: str, fault: Fault) -> None:
    assert Pair(by_name()[name], fault, "1").run().differences == ()
