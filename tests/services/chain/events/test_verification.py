"""What one's own node shows is believed, and nothing else: on the embedded chain and on a real node."""

import asyncio
import itertools

import pytest

from protocol.errors import ProtocolViolation
from protocol.marketplace import Cancelled, Opened, Settled
from protocol.terms import Terms
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable, RpcError
from services.chain.events.verification import EMPTY_SECONDS, FRESH_SECONDS, EventVerifier
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import ChainMarket
from tests.support.chain.interposed import Interposed
from tests.support.chain.reorganisation import reorganise
from tests.support.daemons.scripted_training import ScriptedTraining

NOTHING_OPENED = "0x" + "00" * 32 * (2 + len(Terms.model_fields))
"""What `termsOf` answers of a training that is not there."""


class CountingNode(Interposed):
    """Counts what it is asked, and answers as the chain behind it unless a test says otherwise."""

    def __init__(self, inner) -> None:
        super().__init__(inner)
        self.asked = []

    async def call(self, method, *parameters):
        self.asked.append(method)
        return await super().call(method, *parameters)


class Checked:
    """A verifier over a node, and what it says of an event in one word."""

    def __init__(self, market, **options) -> None:
        self.node = CountingNode(market.rpc)
        views = MarketplaceViews(self.node, market.deployment.market)
        self.verifier = EventVerifier(views, **{"confirmations": 0, "pause_seconds": 0.0} | options)

    async def __call__(self, event) -> str:
        try:
            await self.verifier.check(event)
        except ProtocolViolation as violation:
            return violation.code
        return "believed"


@pytest.fixture
async def opened(registered):
    """(market, its opening's event): a deposit of a little over one ether."""
    await registered.open()
    *_, event = await chain_events(registered.buyer)
    assert isinstance(event.event, Opened)
    return registered, event


def changed(event, **fields):
    return event.model_copy(update={"event": event.event.model_copy(update=fields)})


async def test_every_event_of_a_training_is_believed_and_costs_a_few_questions_a_block(market):
    training = ScriptedTraining(market)
    while not training.finished:
        await training.advance()
    events = await chain_events(market.buyer)
    checked = Checked(market)
    for _ in range(2):
        assert {await checked(event) for event in events} == {"believed"}
    asked, blocks = checked.node.asked, {event.block_hash for event in events}
    assert len(events) > len(blocks) > 20
    assert asked.count("eth_getLogs") == asked.count("eth_getBlockByNumber") == len(blocks)
    assert asked.count("eth_call") <= len(blocks)
    assert len(asked) <= 4 * len(blocks)


async def test_whoever_asks_at_once_has_the_node_asked_once(opened):
    market, event = opened
    checked = Checked(market)
    assert await asyncio.gather(*(checked(event) for _ in range(8))) == ["believed"] * 8
    assert sorted(checked.node.asked) == [
        "eth_call",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getLogs",
    ]


async def test_what_the_chain_does_not_show_is_refused_by_its_kind(opened):
    market, event = opened
    checked = Checked(market)
    older = event.model_copy(update={"block_number": event.block_number - 1})
    assert await checked(older) == "event_not_on_chain"  # nothing of its block is known yet
    forged = {
        "event_altered": [
            changed(event, deposit=160_000),
            changed(event, training=2),
            changed(event, buyer=market.owners[0].address),
            changed(event, terms=event.event.terms.model_copy(update={"rounds": 1})),
            event.model_copy(update={"event": Settled(training=1, improvement=0, paid=0, refund=0)}),
            event.model_copy(update={"transaction_hash": b"x" * 32}),
            event.model_copy(update={"timestamp": event.timestamp + 1}),
            older,
        ],
        "event_not_on_chain": [
            event.model_copy(update={"block_hash": b"x" * 32}),
            event.model_copy(update={"log_index": 1}),
        ],
        "event_of_other_chain": [event.model_copy(update={"chain_id": 1})],
        "event_retracted": [event.model_copy(update={"removed": True})],
    }
    for code, events in forged.items():
        for one in events:
            assert await checked(one) == code
    assert await checked(event) == "believed"
    for code, events in forged.items():  # a true one that is remembered vouches for no other
        for one in events:
            assert await checked(one) == code


async def test_an_event_of_another_contract_on_the_same_chain_is_refused(opened):
    market, event = opened
    other = await ChainMarket.create(market.rpc)
    await other.register()
    await other.open()
    *_, foreign = await chain_events(other.buyer)
    assert isinstance(foreign.event, Opened)
    assert await Checked(other)(foreign) == "believed"
    assert await Checked(market)(foreign) == "event_not_on_chain"
    assert await Checked(market)(event) == "believed"


async def test_logs_that_the_state_does_not_bear_out_are_refused(opened):
    """A node whose logs say that the deposit went back; the contract says that the training is open."""
    market, event = opened
    await market.draw(1)
    *_, drawn = await chain_events(market.buyer)
    checked = Checked(market)

    async def logs_of_a_cancelling(query):
        (log,) = await market.rpc.call("eth_getLogs", query)
        (topic,) = {"0x" + topic for topic in [_topic("Cancelled")]}
        return [{**log, "topics": [topic, log["topics"][1]], "data": "0x" + "00" * 32}]

    checked.node.handlers["eth_getLogs"] = logs_of_a_cancelling
    ending = drawn.model_copy(update={"event": Cancelled(training=1, refund=0)})
    assert await checked(ending) == "event_contradicts_state"
    assert checked.node.asked.count("eth_call") == 3
    assert await checked(drawn) == "event_altered"
    assert await checked(event) == "event_altered"


def _topic(name):
    from services.chain.contract.abi import event_topic  # noqa: PLC0415

    return event_topic(name).removeprefix("0x")


async def test_a_state_that_is_behind_its_logs_is_asked_again(opened):
    market, event = opened
    checked, states = Checked(market), itertools.chain([NOTHING_OPENED], itertools.repeat(None))

    async def first_of_an_older_block(request, block):
        return next(states) or await market.rpc.call("eth_call", request, block)

    checked.node.handlers["eth_call"] = first_of_an_older_block
    assert await checked(event) == "believed"
    assert checked.node.asked.count("eth_call") == 2


async def test_a_block_before_its_logs_is_asked_for_again_and_not_denied_for_good(opened):
    """A node without receipts of whole blocks, whose index of logs is behind for a while.

    What is refused is lost for good: the event waits while its transaction is in the block.
    """
    market, event = opened
    now = 0.0
    checked, left = Checked(market, monotonic=lambda: now), iter(range(3))

    async def behind(query):
        return [] if next(left, None) is not None else await market.rpc.call("eth_getLogs", query)

    async def no_receipts(_block):
        raise RpcError("eth_getBlockReceipts", -32601, "no such method")

    receipt = None

    async def its_receipt(transaction):
        return receipt if transaction == its_transaction else None

    async def with_transactions(number, _full):
        header = await market.rpc.call("eth_getBlockByNumber", number, False)
        return header | {"transactions": [its_transaction]}

    its_transaction = "0x" + event.transaction_hash.hex()
    forged = event.model_copy(update={"transaction_hash": b"x" * 32})
    place = {"address": market.deployment.market.contract, "blockHash": "0x" + event.block_hash.hex()}
    (log,) = await market.rpc.call("eth_getLogs", place)
    checked.node.handlers |= {
        "eth_getLogs": behind,
        "eth_getBlockReceipts": no_receipts,
        "eth_getTransactionReceipt": its_receipt,
        "eth_getBlockByNumber": with_transactions,
    }
    with pytest.raises(ChainUnavailable, match="without its logs"):
        await checked(event)
    receipt = {"blockHash": log["blockHash"], "logs": [log]}
    with pytest.raises(ChainUnavailable, match="without its logs"):
        await checked(event)
    assert checked.node.asked.count("eth_getLogs") == 2
    assert await checked(forged) == "event_not_on_chain"
    for other in ({"logs": []}, {"logs": [log | {"logIndex": "0x7"}]}, {"blockHash": "0x" + "12" * 32}):
        receipt |= other
        assert await checked(event) == "event_not_on_chain"
    assert checked.node.asked.count("eth_getLogs") == 3  # announcing it again costs nobody a wait
    now += EMPTY_SECONDS + 1
    assert await checked(event) == "believed"
    assert checked.node.asked.count("eth_getLogs") == 4


@pytest.mark.parametrize("code", [None, -32601], ids=["with receipts", "without receipts"])
async def test_logs_announced_in_many_busy_blocks_cost_no_wait(opened, code):
    """Whose bloom filters say of every address that it may have logs there."""
    market, event = opened
    checked = Checked(market, pause_seconds=3600.0)

    async def busy(number, _full):
        block_hash = f"0x{int(number, 16):064x}"
        return {"hash": block_hash, "logsBloom": "0x" + "ff" * 256, "transactions": ["0x" + "ab" * 32]}

    async def no_logs(_query):
        return []

    async def receipts(_block):
        if code is not None:
            raise RpcError("eth_getBlockReceipts", code, "no such method")
        return []

    async def block(_hash, _full):
        return {"timestamp": "0x5"}

    async def no_receipt(_transaction):
        return None

    checked.node.handlers |= {
        "eth_getBlockByNumber": busy,
        "eth_getLogs": no_logs,
        "eth_getBlockReceipts": receipts,
        "eth_getBlockByHash": block,
        "eth_getTransactionReceipt": no_receipt,
    }
    async with asyncio.timeout(300):
        for number in range(100):
            place = {"block_number": number, "block_hash": number.to_bytes(32, "big")}
            assert await checked(event.model_copy(update=place)) == "event_not_on_chain"


async def test_a_log_announced_in_a_block_that_has_none_costs_no_wait(opened):
    market, event = opened
    await market.rpc.call("evm_mine")
    header = await market.rpc.call("eth_getBlockByNumber", "latest", False)
    checked = Checked(market, pause_seconds=3600.0)
    place = {"block_number": event.block_number + 1, "block_hash": bytes.fromhex(header["hash"][2:])}
    async with asyncio.timeout(300):
        for index in range(3):
            assert (
                await checked(event.model_copy(update=place | {"log_index": index})) == "event_not_on_chain"
            )
            assert await checked(event.model_copy(update={"log_index": 7 + index})) == "event_not_on_chain"
    assert checked.node.asked.count("eth_getLogs") == 2


@pytest.mark.parametrize("method", ["eth_getBlockByNumber", "eth_getLogs", "eth_call"])
async def test_a_node_that_does_not_answer_refuses_nothing(opened, method):
    market, event = opened
    checked = Checked(market)

    async def down(*_parameters):
        raise ChainUnavailable("no answer from the node")

    checked.node.handlers[method] = down
    with pytest.raises(ChainUnavailable):
        await checked(event)
    checked.node.handlers.clear()
    assert await checked(event) == "believed"


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("eth_getBlockByNumber", None),
        ("eth_getBlockByNumber", []),
        ("eth_getBlockByNumber", {"hash": 1, "timestamp": "0x0"}),
        ("eth_getBlockByNumber", {"hash": "0x" + "zz" * 32, "timestamp": "0x0"}),
        ("eth_getLogs", None),
        ("eth_getLogs", [1]),
        ("eth_getLogs", [{"address": None}]),
        ("eth_getLogs", [{"address": "0x", "blockHash": "0x"}] * 2 + [{}]),
    ],
)
async def test_an_answer_without_form_refuses_nothing(opened, method, answer):
    market, event = opened
    checked = Checked(market)

    async def nonsense(*_parameters):
        return answer

    checked.node.handlers[method] = nonsense
    with pytest.raises(ChainUnavailable):
        await checked(event)


async def test_a_block_that_the_node_does_not_know_by_its_hash_is_waited_for(opened):
    market, event = opened
    checked = Checked(market)

    async def unknown(_query):
        raise RpcError("eth_getLogs", -32000, "unknown block")

    checked.node.handlers["eth_getLogs"] = unknown
    with pytest.raises(RpcError):
        await checked(event)


async def test_only_what_a_chain_can_have_reached_meanwhile_may_be_reached(opened):
    market, event = opened
    now = event.timestamp
    verifier = Checked(market, clock=lambda: now).verifier
    assert verifier.may_be_reached(10**12)  # nothing is known yet
    assert verifier.newest_block() == -1
    assert await verifier.has_confirmed(event.block_number)
    assert verifier.newest_block() == event.block_number
    assert verifier.may_be_reached(event.block_number + 6000)
    assert not verifier.may_be_reached(event.block_number + 6001)
    now += 3600
    assert verifier.may_be_reached(event.block_number + 366_000)
    assert not verifier.may_be_reached(event.block_number + 366_001)


async def test_depth_is_counted_at_the_own_node(opened):
    market, event = opened
    verifier = Checked(market, confirmations=2).verifier
    for reached in (False, False, True):
        assert await verifier.has_confirmed(event.block_number) is reached
        assert verifier.has_reached(event.block_number)
        await market.rpc.call("evm_mine")
    assert not await verifier.has_confirmed(10**9)
    assert not verifier.has_reached(10**9)


async def test_a_node_is_behind_when_its_newest_block_is_old(opened):
    market, event = opened
    now = event.timestamp
    verifier = Checked(market, clock=lambda: now).verifier
    assert await verifier.has_confirmed(event.block_number)
    now += FRESH_SECONDS
    assert verifier.lag() is None
    now += 1
    assert verifier.lag() == f"the node's newest block, {event.block_number}, is 61 seconds old"


async def test_after_a_reorganisation_the_new_event_is_believed_and_the_old_is_not(anvil_market):
    market = anvil_market
    await market.register()
    await market.open()
    *_, before = await chain_events(market.buyer, market.deployment.block)
    checked = Checked(market)
    await market.rpc.call("evm_mine")
    await reorganise(market.rpc, 2, "in the last block")
    *_, after = await chain_events(market.buyer, market.deployment.block)
    assert after.event == before.event
    assert after.block_hash != before.block_hash
    assert await checked(before) == "event_not_on_chain"
    assert await checked(after) == "believed"
