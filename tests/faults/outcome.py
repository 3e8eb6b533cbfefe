"""What must be true when a training under a fault has ended, however it ended."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.envelope import Envelope
from protocol.learning.descent import affine_map
from protocol.learning.plaintext import mean_squared_error
from protocol.marketplace import Cancelled, Credited, Joined, Opened, RoundRecorded, Settled, training_of
from protocol.messages import ChainEvent
from protocol.records import Market
from protocol.roles.dispatch import inputs_of
from protocol.types import seats_of
from services.bus.naming import DEAD_QUEUE
from services.chain.contract.client import MarketplaceClient
from services.runtime.input_codec import event_identity, message_identity
from tests.faults.market import FaultMarket, Training
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_outcome import owner_data, weighed
from tests.support.roles.pay import credited, recomputed

_FIXED_POINT = 10**18
_LATEST_SECONDS = 60.0
_MODEL = "SELECT content FROM results WHERE key = ? AND name = 'model'"
"""Beside it stands the transcript of the training."""


async def check(market: FaultMarket, training: Training, shown: dict[str, str]) -> str:
    """Model, pay, messages and events of a training that has ended; returns how it ended for the buyer."""
    async with asyncio.timeout(_LATEST_SECONDS):
        left = await paid_out(_client(market), market.addresses)
    assert await _client(market).balance_of(market.contract) == left
    events = await _events(market, training)
    published = [one.event for one in events]
    outcome = shown["buyer"]
    if outcome == "FINISHED":
        _check_model(market, training, published)
    else:
        assert outcome.startswith("FAILED("), shown
        assert not market.rows("buyer", _MODEL, training.key)
    _check_money(market, published)
    _check_rounds(published)
    await _in_time(market, training, events)
    return outcome


async def _in_time(market: FaultMarket, training: Training, events: Sequence[ChainEvent]) -> None:
    """What the broker has for somebody that a fault kept away arrives after the training's end."""
    until = time.monotonic() + _LATEST_SECONDS
    while True:
        letters = await dead_letters(market, training)
        try:
            _check_messages(market, training, letters)
            _check_events(market, events)
        except AssertionError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.5)
        else:
            return


async def _events(market: FaultMarket, training: Training) -> list[ChainEvent]:
    client = _client(market)
    found = await chain_events(client, market.first_block)
    return [one for one in found if training_of(one.event) == training.number]


def _client(market: FaultMarket) -> MarketplaceClient:
    place = Market(chain_id=31337, contract=market.contract)
    return MarketplaceClient(market.node.rpc, place, first_block=market.first_block)


# ---- the model ----


def _check_model(market: FaultMarket, training: Training, published: Sequence[object]) -> None:
    """Plain federated averaging by whoever took part in each round; the best round's model is delivered."""
    request = training.request
    seats = [one.owner for one in published if isinstance(one, Joined)]
    names = {address: name for name, address in market.addresses.items()}
    data = {
        name: owner_data(request, market.columns, part)
        for name, part in zip(market.owners, market.parts, strict=True)
    }
    weights = delivered = np.array([float(weight) for weight in request.start_weights()])
    left, best = 1.0, np.inf
    for one in [one for one in published if isinstance(one, RoundRecorded)]:
        trainers = [data[names[seats[seat]]] for seat in seats_of(one.record.trainers)]
        maps = [affine_map(owner.factor, step_size=0.05, l2=0.0, local_steps=2) for owner in trainers]
        drawn = [data[names[seats[seat]]] for seat in seats_of(one.record.validators)]
        validators = weighed(drawn)
        before = mean_squared_error(validators, weights)
        weights = np.mean([matrix @ weights + offset for matrix, offset in maps], axis=0)
        error = mean_squared_error(validators, weights)
        assert abs(one.mse_after / _FIXED_POINT - error) < 1e-5 * error, (one.round, one.mse_after, error)
        left *= error / before
        if left < best:
            best, delivered = left, weights
    ((content,),) = market.rows("buyer", _MODEL, training.key)
    bought, wanted = unpack(BoughtModel, content), BoughtModel.of(request, delivered.tolist())
    errors = np.array([*bought.weights, bought.intercept]) - np.array([*wanted.weights, wanted.intercept])
    assert np.abs(errors).max() < 1e-6, (bought, wanted)


# ---- the money ----


def _check_money(market: FaultMarket, published: Sequence[object]) -> None:
    """Every wei of the deposit is credited as the published numbers say."""
    opened = [one for one in published if isinstance(one, Opened)]
    ends = [one for one in published if isinstance(one, Settled | Cancelled)]
    market.spent |= not opened  # a later training will have this one's number
    if opened:
        assert len(opened) == len(ends) == 1, (opened, ends)
        assert credited(published) == recomputed(published)
        assert credited(published).total() == opened[0].deposit


def _check_rounds(published: Sequence[object]) -> None:
    rounds = [one.round for one in published if isinstance(one, RoundRecorded)]
    assert rounds == list(range(1, len(rounds) + 1))
    paid = [one for one in published if isinstance(one, Credited)]
    refunds = sum(one.share == "refund" for one in paid)
    assert refunds <= 2, paid  # at the end, and of what the division left over
    shares = Counter((one.account, one.share) for one in paid if one.share != "refund")
    assert set(shares.values()) <= {1}, paid


# ---- messages and events ----


async def dead_letters(market: FaultMarket, training: Training) -> list[tuple[str, str]]:
    """(message id, code) of the training's dead letters so far; they are taken off their queue."""
    channel = await market.broker.channel()
    queue = await channel.get_queue(DEAD_QUEUE, ensure=False)
    while (letter := await queue.get(no_ack=True, fail=False)) is not None:
        market.letters.append(
            (letter.correlation_id or "", letter.message_id or "", str(letter.headers["code"]))
        )
    await channel.close()
    return [(one, code) for number, one, code in market.letters if number == str(training.number)]


def _check_messages(market: FaultMarket, training: Training, letters: Sequence[tuple[str, str]]) -> None:
    """Every message that was sent was processed once, or lies among the dead letters with its reason."""
    names = {address: name for name, address in market.addresses.items()}
    buried = {message_id for message_id, _code in letters}
    processed = {name: _processed(market, name) for name in market.addresses}
    for one in market.traffic.of(training.number):
        times = processed[names[one.recipient]][_identity(one.sender, one.message_id)]
        wanted = 0 if one.message_id in market.lost else 1
        assert times == wanted or one.message_id in buried, (one.type, one.recipient, times)
    for name, ledger in processed.items():
        assert set(ledger.values()) <= {1}, f"{name} processed an input twice"


def _identity(sender: str, message_id: str) -> bytes:
    envelope = Envelope.model_construct(sender=sender, message_id=bytes.fromhex(message_id))
    return message_identity(envelope)


def _processed(market: FaultMarket, name: str) -> Counter[bytes]:
    return Counter(row[0] for row in market.rows(name, "SELECT input_id FROM processed"))


def _check_events(market: FaultMarket, events: Sequence[ChainEvent]) -> None:
    """Every event of the training that a role acts on was processed once by everybody."""
    for name in market.addresses:
        ledger, known = _processed(market, name), inputs_of(market.role_of(name))
        for one in events:
            if one.event.event in known:
                assert ledger[event_identity(one)] == 1, (name, one.event.event)
