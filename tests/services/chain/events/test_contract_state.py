"""What the contract's state says of an event, where a node's logs say something else."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from protocol.marketplace import Credited, Revealed, RolesDrawn
from services.chain.contract.views import RoleDraw
from services.chain.events.contract_state import difference

OWNER = "0x" + "0a" * 20


@dataclass
class Drawing:
    """A contract in which these seats have revealed."""

    revealed: int

    async def draw_of(self, training: int) -> RoleDraw:
        assert training == 7
        return RoleDraw(reveal_until=1, draw_hash=b"h" * 32, revealed=self.revealed)


@pytest.mark.parametrize(("revealed", "fits"), [(0, False), (0b1011, False), (0b0100, True), (0b1111, True)])
async def test_a_nonce_that_the_contract_does_not_know_was_not_revealed(revealed, fits):
    event = Revealed(training=7, owner=OWNER, seat=2, nonce=b"n" * 32)
    found = await difference(Drawing(revealed), event)
    assert (found is None) == fits


@dataclass
class Kept:
    """A contract that keeps so much for an owner to claim."""

    amount: int

    async def claimable_of(self, training: int, account: str) -> int:
        assert (training, account) == (7, OWNER)
        return self.amount


@pytest.mark.parametrize(("left", "fits"), [(0, True), (5, False)])
async def test_who_was_credited_has_nothing_left_to_claim(left, fits):
    event = Credited(training=7, account=OWNER, share="validation", amount=5)
    assert (await difference(Kept(left), event) is None) == fits


@dataclass
class Dealt:
    """A contract of four rounds, so many of them recorded, whose validators are now seats 2 and 3 of four."""

    folds: int
    recorded: int

    async def owners(self, training: int) -> SimpleNamespace:
        assert training == 7
        return SimpleNamespace(trainers=0b0011, validators=0b1100)

    async def opening_of(self, _training: int) -> tuple[str, int, SimpleNamespace]:
        return OWNER, 1, SimpleNamespace(rounds=4, folds=self.folds)

    async def progress(self, _training: int) -> SimpleNamespace:
        return SimpleNamespace(recorded=self.recorded)


@pytest.mark.parametrize(
    ("folds", "recorded", "trainers", "validators", "fits"),
    [
        (1, 0, 0b0011, 0b1100, True),
        (1, 3, 0b1100, 0b0011, False),
        (2, 0, 0b0011, 0b1100, True),
        (2, 2, 0b1100, 0b0011, True),
        (2, 1, 0b1100, 0b0011, False),
        (2, 2, 0b1010, 0b0101, False),
        (2, 2, 0b01100, 0b10011, False),
    ],
    ids=["drawn", "others", "first fold", "fold before", "no fold before", "validates twice", "other seats"],
)
async def test_other_roles_than_the_contract_has_are_those_of_a_fold_before(
    folds: int, recorded: int, trainers: int, validators: int, fits: bool
) -> None:
    event = RolesDrawn(training=7, trainers=trainers, validators=validators)
    assert (await difference(Dealt(folds, recorded), event) is None) == fits
