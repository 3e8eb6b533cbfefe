"""An owner's pay: claimed when the training is over and withdrawn after that, however late it hears of it."""

from dataclasses import replace

import pytest

from protocol.marketplace import Cancelled, Claim, RolesDrawn, Withdraw
from protocol.owner_policy import OwnerPolicy
from protocol.roles.engine.effects import SubmitCall
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import small_data, small_market
from tests.support.roles.states import stored

CLAIM, WITHDRAWAL = Claim(training=1), Withdraw()


def calls_of(market: PureMarket, owner: Party) -> list[str]:
    """What an owner has asked of the contract at the end."""
    return [call for caller, call in market.contract.calls if caller == owner.address][2:]  # joined, revealed


@pytest.mark.parametrize("withdraw", [True, False])
def test_owners_claim_and_withdraw_as_their_policies_say(withdraw: bool) -> None:
    policy = OwnerPolicy(automatic=True, budget=AMPLE, withdraw=withdraw)
    market = small_market(data=small_data(owners=5), policy=policy)
    market.finish()
    ledger = market.contract.ledger
    assert ledger is not None
    for owner in market.owners:
        assert owner.phase == "finished"
        assert calls_of(market, owner) == (["claim", "withdraw"] if withdraw else ["claim"])
        assert not ledger.claimable(owner.address)
        assert (ledger.withdrawn if withdraw else ledger.credits)[owner.address] > 0
    assert ledger.escrow == 0


def test_an_owner_that_slept_through_the_end_claims_when_it_wakes() -> None:
    market = small_market(data=small_data(owners=5))
    sleeper = market.owners[0]
    while market.contract.status != "settled":
        if not market.pending:
            assert market.tick()
        market.deliver_next()
    asleep = [item for address, item in market.pending if address == sleeper.address]
    market.pending = [one for one in market.pending if one[0] != sleeper.address]
    market.run()
    ledger = market.contract.ledger
    assert ledger is not None
    kept = ledger.claimable(sleeper.address)
    assert kept > 0
    assert ledger.escrow >= kept  # whatever the others have done
    for item in asleep:
        market.deliver(sleeper, item)
    assert calls_of(market, sleeper) == ["claim", "withdraw"]
    assert ledger.withdrawn[sleeper.address] == kept
    assert ledger.escrow == 0


@pytest.mark.parametrize("drawn", [True, False])
def test_an_owner_whose_rows_were_gone_claims_what_leaving_costs_if_it_has_a_role(drawn: bool) -> None:
    market = small_market(data=small_data(owners=6))
    owner = market.owners[0]
    while owner.phase != "initiated" or len(owner.decoded.parties.seats) < 6:
        market.deliver_next()
    seat = owner.decoded.parties.seats.index(owner.address)
    owner.state = stored(owner.decoded.model_copy(update={"rows": 0}))
    trainers = 0b1111 if drawn else 0b1111 & ~(1 << seat)
    roles = RolesDrawn(training=1, trainers=trainers, validators=0b110000)
    taken = replace(owner, state=owner.state)
    market.deliver(taken, market.event_input(roles))
    assert taken.phase == "failed"
    step = market.deliver(taken, market.event_input(Cancelled(training=1, refund=1)))
    calls = [effect.call for effect in step.effects if isinstance(effect, SubmitCall)]
    assert calls == ([CLAIM, WITHDRAWAL] if drawn else [])
