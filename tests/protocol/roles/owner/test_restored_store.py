"""An owner whose store was put back from an older copy has lost what opens its seat: it proves nothing."""

from typing import Any

import pytest

from protocol.codec import pack
from protocol.join_digests import nonce_digest, secret_nonce
from protocol.marketplace import Closed, Joined, Reveal
from protocol.messages import OwnerDecision
from protocol.owner_policy import OwnerPolicy
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from protocol.roles.engine.state import replace
from protocol.types import Digest
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, owning_rows
from tests.support.roles.small_markets import COLUMNS, small_data, small_market
from tests.support.roles.states import stored

BY_HAND = OwnerPolicy(budget=AMPLE)


def reveals_of(market: PureMarket, owner: Party) -> list[bytes]:
    """The nonces that the owner tells from now on; they reach the contract."""
    told: list[bytes] = []
    call = market.call

    def noting(party: Party, asked: Any) -> None:
        if party is owner and isinstance(asked, Reveal):
            told.append(asked.nonce)
        call(party, asked)

    market.call = noting  # type: ignore[method-assign]
    return told


def deciding(*data_sets: str) -> tuple[PureMarket, Party]:
    """A market whose first owner has these data sets, each of other rows, and waits for a decision."""
    market = small_market(data=small_data(owners=5))
    owner = market.owners[0]
    owner.policy = pack(BY_HAND)
    for seed, name in enumerate(data_sets):
        owner.private.update(owning_rows(COLUMNS, small_data(owners=1, seed=seed)[0], name))
    while owner.phase != "ready":
        market.deliver_next()
    return market, owner


def join_and_restore(market: PureMarket, owner: Party, data_set: str, *, loses: str = "") -> None:
    """The owner joins; when the joining is closed its store is the one from before its decision.

    The data set that it `loses` is gone as well.
    """
    copy, blobs, values, known = owner.state, owner.blobs, dict(owner.values), len(owner.inbox)
    decision = OwnerDecision(training=TRAINING, accept=True, data_set=data_set)
    market.deliver(owner, MessageReceived(signed=market.message(owner, owner, decision)))
    while market.contract.status != "drawing":
        market.deliver_next()
    since = owner.inbox[known:]
    owner.state, owner.blobs, owner.values = copy, blobs, values
    for kind in ("data_set", "card"):
        owner.private.pop(f"{kind}:{loses}", None)
    for item in since:  # the chain is read again from where the copy was; messages are acknowledged
        if isinstance(item, EventConfirmed):
            market.deliver(owner, item)


@pytest.mark.parametrize("lost", ["", "more"])
def test_an_owner_restored_from_before_its_join_reveals_nothing(lost: str) -> None:
    """Its commitments were drawn by chance, and went with the state: the same rows do not open them."""
    market, owner = deciding(*("rows", lost)[: 1 + bool(lost)])
    told = reveals_of(market, owner)
    join_and_restore(market, owner, lost or "rows", loses=lost)
    market.finish()
    assert told == []
    assert owner.shown == "FAILED(data_set_gone)"
    assert market.contract.drawn == 31 & ~(1 << market.contract.seats.index(owner.address))
    assert market.buyer.shown == "FINISHED"


def seat_with(owner: Party, binding: Digest, nonce: bytes) -> Joined:
    digest = nonce_digest(TRAINING, owner.address, nonce)
    return Joined(training=TRAINING, owner=owner.address, seat=0, commitment=binding, nonce_digest=digest)


def told_after_close(market: PureMarket, owner: Party, seat: Joined) -> list[bytes]:
    told = reveals_of(market, owner)
    market.deliver(owner, market.event_input(seat))
    market.deliver(owner, market.event_input(Closed(training=TRAINING, draw_block=1)))
    return told


def initiated() -> tuple[PureMarket, Party]:
    market = small_market()
    owner = market.owners[0]
    while owner.phase != "initiated":
        market.deliver_next()
    return market, owner


def test_a_nonce_that_a_stored_state_holds_is_revealed_where_the_seat_was_taken_with_it() -> None:
    market, owner = initiated()
    owner.state = stored(replace(owner.decoded, nonce=b"k" * 32))
    seat = seat_with(owner, owner.decoded.commitment, b"k" * 32)
    assert told_after_close(market, owner, seat) == [b"k" * 32]


def test_the_aggregator_cannot_compute_an_owner_s_nonce() -> None:
    """It knows all that the nonce binds, and keys of its own."""
    market, owner = initiated()
    bound = owner.decoded.commitment
    for other in (market.aggregator, market.buyer, *market.owners[1:]):
        assert secret_nonce(other.signing_key, MARKET, TRAINING, bound) != owner.decoded.nonce
