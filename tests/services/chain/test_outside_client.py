"""Plain web3.py with the shipped ABI, as an outside program uses the contract: it must see what we see."""

import json
from importlib.resources import files

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractCustomError

from protocol.marketplace import STATUS_NAMES, Joined, Opened, Settle, Settled
from tests.support.chain.chain_events import chain_events

ABI = json.loads(files("services.chain").joinpath("artifacts/Marketplace.json").read_text())["abi"]


@pytest.fixture
async def outside(anvil_url):
    web3 = AsyncWeb3(AsyncHTTPProvider(anvil_url))
    yield web3
    await web3.provider.disconnect()


@pytest.fixture
async def settled(anvil_market):
    await anvil_market.register()
    training = await anvil_market.open()
    await anvil_market.draw(training)
    call = await anvil_market.record(training, 1, 10**21, last=True)
    await anvil_market.submit(anvil_market.aggregator, call)
    await anvil_market.submit(anvil_market.aggregator, Settle(training=training))
    return training, call.record


def contract_of(outside, market):
    address = outside.to_checksum_address(market.deployment.market.contract)
    return outside.eth.contract(address=address, abi=ABI)


async def test_views_and_events_agree(outside, anvil_market, settled):
    training, record = settled
    contract = contract_of(outside, anvil_market)
    assert STATUS_NAMES[await contract.functions.statusOf(training).call()] == "settled"
    seats, trainers, validators = await contract.functions.ownersOf(training).call()
    ours = await anvil_market.buyer.owners(training)
    assert [seat.lower() for seat in seats] == list(ours.seats)
    assert (trainers, validators) == (ours.trainers, ours.validators)

    first = anvil_market.deployment.block
    events = await chain_events(anvil_market.buyer, first)
    joined = await contract.events.Joined.get_logs(from_block=first)
    assert [(log.args.owner.lower(), log.args.seat) for log in joined] == [
        (item.event.owner, item.event.seat) for item in events if isinstance(item.event, Joined)
    ]
    (log,) = await contract.events.Settled.get_logs(from_block=first)
    (ended,) = (item.event for item in events if isinstance(item.event, Settled))
    assert (log.args.paid, log.args.refund) == (ended.paid, ended.refund)
    (opened,) = (item for item in events if isinstance(item.event, Opened))
    (log,) = await contract.events.Opened.get_logs(from_block=first)
    assert bytes(log.blockHash) == opened.block_hash
    assert log.logIndex == opened.log_index
    (log,) = await contract.events.RoundRecorded.get_logs(from_block=first)
    assert tuple(log.args.record.own) == record.own
    assert tuple(log.args.record.cross) == record.cross


async def test_the_record_digest_is_the_contracts(outside, anvil_market, settled):
    _, record = settled
    contract = contract_of(outside, anvil_market)
    words = tuple(getattr(record, name) for name in type(record).model_fields)
    digest = await contract.functions.hashRecord(words).call()
    assert bytes(digest) == record.digest(anvil_market.deployment.market)


async def test_refusals_carry_the_custom_error(outside, anvil_market, settled):
    training, _ = settled
    contract = contract_of(outside, anvil_market)
    with pytest.raises(ContractCustomError):
        await contract.functions.settle(training).call()
