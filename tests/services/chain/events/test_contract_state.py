"""What the contract's state says of an event, where a node's logs say something else."""

from dataclasses import dataclass

import pytest

from protocol.marketplace import Revealed
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
