"""Bonds on the embedded chain, whose clock is the test's: given, lost for each fault, and released."""

import time

import pytest
from eth_abi.abi import encode

from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords, SignedOpening
from protocol.marketplace import (
    BondForfeited,
    Cancel,
    Claim,
    Close,
    Credited,
    Draw,
    OpeningDoubted,
    ReleaseBond,
    Withdraw,
)
from protocol.signatures import sign_digest
from protocol.terms import NATIVE
from services.chain.contract import client as contract_client
from services.chain.contract.abi import encode_function_call
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.codec import to_words
from services.chain.contract.tokens import deploy_test_token, minting
from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.errors import CallReverted, InsufficientFunds, WrongChain
from services.chain.rpc.values import octets
from services.chain.transactions.sender import Sender
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import POLICY, ChainMarket, revealing
from tests.support.chain.interposed import Interposed
from tests.support.chain.registered_market import registered_market

FORFEIT = "0x" + "33" * 20
OWNER, AGGREGATOR, BUYER = 10**15, 2 * 10**15, 3 * 10**15
BONDS = {"owner_bond": OWNER, "aggregator_bond": AGGREGATOR, "buyer_bond": BUYER, "forfeit_to": FORFEIT}


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def bonded(clock):
    market = await registered_market(clock)
    yield market
    await market.rpc.close()


async def closed(market, **changes):
    """A training whose owners, aggregator and buyer have deposited their bonds."""
    training = await market.open(market.opening(**BONDS, **changes))
    _, _, terms = await market.buyer.opening_of(training)
    for owner in market.owners:
        call = await market.admitted(owner, training)
        with_bond = call.model_copy(update={"bond": terms.owner_bond, "token": terms.token})
        await market.submit(owner, with_bond)
        await market.submit(owner, with_bond)  # which is done already
    bond = {"bond": terms.aggregator_bond, "token": terms.token}
    await market.submit(market.aggregator, Close(training=training, **bond))
    return training


async def drawn(market, *, late=0, **changes):
    training = await closed(market, **changes)
    for owner in market.owners[late:]:
        await market.submit(owner, revealing(owner, training))
    return training


async def of_kind(market, kind):
    return [one.event for one in await chain_events(market.buyer) if isinstance(one.event, kind)]


async def later(market, clock, seconds):
    clock.now += seconds
    await market.rpc.call("evm_mine")


async def test_bonds_are_deposited_and_come_back_a_quarter_of_a_round_after_the_end(bonded, clock):
    training = await drawn(bonded)
    views = bonded.buyer
    everything = 5 * OWNER + AGGREGATOR + BUYER
    assert await views.total_bonds() == everything
    assert await views.bond_of(training, bonded.owners[0].address) == OWNER
    assert await views.bond_until(training, views.address) == 0
    await bonded.submit(bonded.aggregator, Draw(training=training))
    with pytest.raises(CallReverted, match="wrong_status"):
        await views.submit(ReleaseBond(training=training))
    await later(bonded, clock, 600 + 1.25 * 3600 + 60)
    await bonded.submit(bonded.owners[0], Cancel(training=training))
    until = await views.bond_until(training, views.address)
    with pytest.raises(CallReverted, match="too_early"):
        await views.submit(ReleaseBond(training=training))
    await later(bonded, clock, until - clock.now + 1)
    for client in bonded.clients:
        await bonded.submit(client, ReleaseBond(training=training))
        await bonded.submit(client, ReleaseBond(training=training))
    credited = [event for event in await of_kind(bonded, Credited) if event.share == "bond"]
    assert sum(event.amount for event in credited) == everything
    assert await views.total_bonds() == 0
    for owner in bonded.owners:
        await bonded.submit(owner, Claim(training=training))
    for client in bonded.clients:
        await bonded.submit(client, Withdraw())
    assert await views.balance_of(bonded.deployment.market.contract) == 0


async def test_who_does_not_confirm_its_seat_loses_its_bond(bonded, clock):
    training = await drawn(bonded, late=1)
    await later(bonded, clock, 660)
    await bonded.submit(bonded.aggregator, Draw(training=training))
    late = bonded.owners[0].address
    lost = await of_kind(bonded, BondForfeited)
    assert lost == [
        BondForfeited(training=training, account=late, fault="no_reveal", token=NATIVE, amount=OWNER)
    ]
    assert await bonded.buyer.credit_of(FORFEIT) == OWNER
    assert await bonded.buyer.bond_of(training, late) == 0


async def test_a_bond_in_a_token_is_allowed_and_taken_exactly(bonded):
    key = bonded.keys[bonded.buyer.address]
    sender = Sender(bonded.rpc, key, bonded.deployment.market.chain_id, POLICY)
    token = await deploy_test_token(sender)
    with pytest.raises(InsufficientFunds, match=f"open takes {10**18 + 7 + BUYER}"):
        await bonded.open(bonded.opening(token=token, **BONDS))
    for client in bonded.clients:
        await sender.send(token, minting(client.address, 2 * 10**18))
    training = await closed(bonded, token=token)
    views, contract = bonded.buyer, bonded.deployment.market.contract
    everything = 5 * OWNER + AGGREGATOR + BUYER
    assert await views.total_bonds(token) == everything
    assert await views.balance_of(contract, token) == everything + 10**18 + 7
    assert await views.bond_of(training, bonded.aggregator.address) == AGGREGATOR


async def test_two_records_of_one_round_cost_the_bond_of_whoever_signed_both(bonded):
    training = await drawn(bonded)
    await bonded.submit(bonded.aggregator, Draw(training=training))
    first = await bonded.record(training, 1, 10**20, last=False)
    second = first.record.model_copy(update={"transcript_digest": b"u" * 32})
    digest = second.digest(bonded.deployment.market)
    accusation = AccuseOfTwoRecords(
        first=first.record,
        first_signature=first.buyer_signature,
        second=second,
        second_signature=sign_digest(bonded.keys[bonded.buyer.address], digest),
        account=bonded.buyer.address,
    )
    await bonded.submit(bonded.owners[0], accusation)
    later = bonded.owners[1].address
    before = await bonded.rpc.call("eth_getTransactionCount", later, "latest")
    await bonded.submit(bonded.owners[1], accusation)
    after = await bonded.rpc.call("eth_getTransactionCount", later, "latest")
    assert after == before, "whose turn comes later sees that it is done, and pays nothing"
    [lost] = await of_kind(bonded, BondForfeited)
    assert (lost.account, lost.fault, lost.amount) == (bonded.buyer.address, "two_records", BUYER)
    same = accusation.model_copy(update={"second": first.record, "second_signature": first.buyer_signature})
    owner = bonded.owners[2].address
    with pytest.raises(CallReverted, match="no_fault"):
        await bonded.owners[0].submit(same.model_copy(update={"account": owner}))


N = 0xC9A1 << 500 | 0x5B61
"""Any odd number does: the contract raises to a power, and knows nothing of factors."""


def opening_of(training, *, false):
    root, plaintext = 12345, 678
    ciphertext = (1 + plaintext * N) * pow(root, N, N * N) % (N * N)
    return SignedOpening.of(
        training, 1, n=N, ciphertext=ciphertext, plaintext=plaintext + int(false), root=root
    )


async def test_a_false_opening_costs_the_buyers_bond_however_many_calls_it_takes(bonded, monkeypatch):
    monkeypatch.setattr(contract_client, "steps_in_a_call", lambda _opening: 2)
    training = await drawn(bonded)
    opening = opening_of(training, false=True)
    digest = opening.digest(bonded.deployment.market)
    words = to_words(opening)
    assert await bonded.view("hashOpening", words) == (digest,)
    key, account = bonded.keys[bonded.buyer.address], bonded.buyer.address
    accusation = AccuseOfFalseOpening(opening=opening, signature=sign_digest(key, digest), account=account)
    await bonded.submit(bonded.owners[0], accusation)
    [lost] = await of_kind(bonded, BondForfeited)
    assert (lost.account, lost.fault, lost.amount) == (account, "false_opening", BUYER)
    doubts = await of_kind(bonded, OpeningDoubted)
    assert [(event.done, event.steps) for event in doubts] == [(2, 6), (4, 6)]
    assert {event.opening_digest for event in doubts} == {digest}


@pytest.mark.parametrize("steps", [6, 7, 2**256 - 1])
async def test_no_steps_are_never_sent_whatever_a_node_says_of_those_done(bonded, steps):
    """The contract refuses zero steps (`accuseOfFalseOpening`), and there are none below zero."""
    training = await drawn(bonded)
    opening = opening_of(training, false=True)
    key, account = bonded.keys[bonded.buyer.address], bonded.buyer.address
    signature = sign_digest(key, opening.digest(bonded.deployment.market))
    accusation = AccuseOfFalseOpening(opening=opening, signature=signature, account=account)
    lying = Interposed(bonded.rpc)
    asked = encode_function_call("doubtOf", opening.digest(bonded.deployment.market))

    async def lies_of_steps(request, block):
        if octets(request["data"]) == asked:
            return "0x" + encode(["uint256", "bytes32"], [steps, bytes(32)]).hex()
        return await bonded.rpc.call("eth_call", request, block)

    lying.handlers["eth_call"] = lies_of_steps
    accuser = bonded.owners[0].address
    client = MarketplaceClient(lying, bonded.deployment.market, bonded.keys[accuser], policy=POLICY)
    before = await bonded.rpc.call("eth_getTransactionCount", accuser, "latest")
    with pytest.raises(WrongChain, match=f"doubtOf with {steps} steps of 6"):
        await client.submit(accusation)
    assert await bonded.rpc.call("eth_getTransactionCount", accuser, "latest") == before
    await bonded.submit(bonded.owners[0], accusation)
    assert await of_kind(bonded, BondForfeited)


async def test_nobody_pays_more_for_a_check_than_the_bond_is(clock):
    """Else a buyer with a bond of one wei had all others burn their ether."""
    market = await ChainMarket.create(EmbeddedRpc(clock=clock))
    await market.register()
    training = await market.open(market.opening(**{**BONDS, "buyer_bond": 1}))
    opening = opening_of(training, false=True)
    account, accuser = market.buyer.address, market.owners[0]
    signature = sign_digest(market.keys[account], opening.digest(market.deployment.market))
    before = await market.rpc.call("eth_getTransactionCount", accuser.address, "latest")
    with pytest.raises(CallReverted, match="the bond is worth 1 wei, and to have the contract take it costs"):
        await accuser.submit(AccuseOfFalseOpening(opening=opening, signature=signature, account=account))
    assert await market.rpc.call("eth_getTransactionCount", accuser.address, "latest") == before
    await market.rpc.close()


async def test_a_bond_in_a_token_is_worth_what_its_accuser_says(bonded):
    """Else a buyer that makes a token of its own had all others burn their ether for nothing."""
    sender = Sender(bonded.rpc, bonded.keys[bonded.buyer.address], bonded.deployment.market.chain_id, POLICY)
    token = await deploy_test_token(sender)
    for client in bonded.clients:
        await sender.send(token, minting(client.address, 2 * 10**18))
    training = await closed(bonded, token=token)
    opening, accuser = opening_of(training, false=True), bonded.owners[0]
    account = bonded.buyer.address
    signature = sign_digest(bonded.keys[account], opening.digest(bonded.deployment.market))
    accusation = AccuseOfFalseOpening(opening=opening, signature=signature, account=account)
    with pytest.raises(CallReverted, match="the bond is worth 0 wei, and to have the contract take it costs"):
        await accuser.submit(accusation)
    accuser.worth_of = lambda what, amount: 10**18 * amount if what == token else 0
    await accuser.submit(accusation)
    [lost] = await of_kind(bonded, BondForfeited)
    assert (lost.account, lost.fault, lost.token) == (account, "false_opening", token)


async def test_a_true_opening_costs_nothing(bonded):
    training = await drawn(bonded)
    opening = opening_of(training, false=False)
    signature = sign_digest(bonded.keys[bonded.buyer.address], opening.digest(bonded.deployment.market))
    accusation = AccuseOfFalseOpening(opening=opening, signature=signature, account=bonded.buyer.address)
    with pytest.raises(CallReverted, match="no_fault"):
        await bonded.owners[0].submit(accusation)
    assert await bonded.buyer.bond_of(training, bonded.buyer.address) == BUYER
