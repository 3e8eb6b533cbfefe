"""States that version 0.1.0 wrote: one type for all phases, each with the fields of all of them."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from protocol.codec import pack, unpack
from protocol.roles.dispatch import _Instance
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import losing, small_market

LANES = {
    "training_lane": {"updates": (), "mask": None},
    "evaluation": {"metrics": (), "record": None, "buyer_signature": None, "signatures": ()},
}


UNUSED: dict[str, Any] = {
    "absences": [],
    "answers": [],
    "blinding_seed": b"",
    "closed": False,
    "closing": False,
    "deliver_until": 0.0,
    "deliveries": 0,
    "dropped": b"\0",
    "ends_at": 0.0,
    "evaluation": None,
    "failure": None,
    "initial_model": None,
    "last_signed": False,
    "link": None,
    "n": b"\0",
    "next_model": None,
    "next_round": 1,
    "request": None,
    "signed_models": [],
    "sitting_out": b"\0",
    "trained": None,
    "training_lane": None,
}
"""The fields that every state had then, as they were when nothing was in them yet."""


def rewrite_as_0_1_0(market: PureMarket) -> None:
    """Have the aggregator's state stored as 0.1.0 would have stored it."""
    aggregator = market.aggregator
    assert aggregator.state is not None
    instance = unpack(_Instance, aggregator.state)
    state = {**UNUSED, **msgpack.unpackb(instance.state)}
    for lane, fields in LANES.items():
        if state[lane] is not None:
            state[lane] = {**fields, **state[lane]}
    state["public_key_proof"] = [b"proof"]
    state["last_recorded"] = state["phase"] in ("settling", "done")
    aggregator.state = pack(_Instance(state=msgpack.packb(state), held=instance.held))


@pytest.mark.parametrize("lost", ["nothing", "last opening"])
def test_a_training_goes_on_from_every_state_of_0_1_0(lost: str) -> None:
    market = small_market()
    if lost == "last opening":
        market.intercept = losing(lambda m: m.envelope.type == "opening" and m.envelope.round == 2)
    seen: set[str] = set()
    deliver = market.deliver

    def rewriting(party: Any, item: Any) -> Any:
        if party is market.aggregator and party.state is not None:
            rewrite_as_0_1_0(market)
            state = party.decoded
            lanes = (getattr(state, "training_lane", None), getattr(state, "evaluation", None))
            seen.update(lane.status for lane in lanes if lane is not None)
            seen.add(state.phase)
        return deliver(party, item)

    market.deliver = rewriting  # type: ignore[method-assign]
    market.finish()
    assert {"distributed", "refreshing", "measuring", "opening", "signing"} < seen
    if lost == "nothing":
        assert market.aggregator.shown == "FINISHED"
        assert_model_of_twin(market)
    else:
        assert market.aggregator.shown == "FAILED(buyer_silent)"
        assert market.contract.status == "settled"
