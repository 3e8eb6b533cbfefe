"""What comes too early cannot brick a training, whoever sends it, and is used once."""

from eth_hash.auto import keccak

from protocol.codec import MAXIMUM_BYTES, pack, unpack
from protocol.roles.dispatch import early_references, run_step
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.types import FrozenModel
from tests.support.roles.phases import message_of
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import small_market

FLOOD = 63 * 2**20


class InstanceBefore(FrozenModel):
    """What an earlier version stored of a training, early inputs inside."""

    state: bytes
    rounds: str = "checked"
    held: tuple[bytes, ...] = ()


class HeldBefore(FrozenModel):
    item: Input


def opened_market() -> PureMarket:
    market = small_market()
    market.post(market.run_until("training_request"))
    return market


def flood(sender: Party, recipient: Party, kind: str, number: int, size: int = FLOOD) -> MessageReceived:
    return message_of(sender, recipient, kind, bytes(size), 1, number)


def test_five_of_63_mebibytes_leave_the_state_small_and_the_training_alive():
    market = opened_market()
    names: list[str] = []
    for number in range(5):
        step = market.deliver(
            market.buyer, flood(market.owners[0], market.buyer, "projection_request", number)
        )
        names += [effect.name for effect in step.effects if effect.effect == "fact"]
    assert names == ["input_dropped"] * 4
    assert len(market.buyer.state) < 10_000
    assert sum(map(len, market.buyer.blobs.values())) < 70 * 2**20 < MAXIMUM_BYTES
    market.run()
    assert market.buyer.phase == "finished"


def test_a_stranger_has_nothing_held():
    market = opened_market()
    stranger = Party("federated_aggregator", b"\x77" * 32, b"\x78" * 32, {})
    before = market.buyer.state
    step = market.deliver(market.buyer, flood(stranger, market.buyer, "round_completed", 1, 100))
    [violation] = [effect for effect in step.effects if effect.effect == "violation"]
    assert (violation.code, violation.accused) == ("not_a_party", stranger.address)
    assert market.buyer.state == before
    assert not market.buyer.blobs


def test_what_an_earlier_version_held_in_the_state_waits_on_in_blobs_and_is_used_once():
    market = small_market()
    started = market.run_until("checked_started", market.buyer)
    buyer = market.buyer
    held = pack(HeldBefore(item=MessageReceived(signed=started)))
    instance = unpack_instance(buyer.state)
    buyer.state = pack(InstanceBefore(state=instance, held=(held,)))
    assert early_references(buyer.state) == frozenset()
    early = message_of(market.aggregator, buyer, "round_completed", b"")
    step = run_step(buyer.role, buyer.state, early, market.context(buyer))
    blobs = {effect.digest: effect.content for effect in step.effects if effect.effect == "blob"}
    assert early_references(step.state) <= set(blobs)
    assert all(keccak(content) == digest for digest, content in blobs.items())


def unpack_instance(content: bytes) -> bytes:
    return unpack(InstanceBefore, content, newer=True).state
