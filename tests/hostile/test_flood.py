"""Daemons under a flood of hostile messages: bounded memory, a loop that turns, an honest training."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from protocol.envelope import SignedMessage
from protocol.messages import MESSAGE_TYPES, size_limit
from services.bus.port import Outgoing
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, demo_request, load_data
from services.participants.assembly import Participant
from services.sandbox.local_market import LocalMarket
from tests.support.daemons.daemon_market import TWO_FEATURES
from tests.support.daemons.scripted_daemon import until
from tests.support.daemons.service_world import Person, sealed
from tests.support.hostile.bodies import HOSTILE_BODIES
from tests.support.hostile.envelopes import OPERATOR, routes

GROWTH_BYTES = 256 << 20
"""By how much the process's resident memory may rise, with all daemons of a market in it."""

STALL_SECONDS = 2.0
"""Processor seconds for which the loop may stand still; the market's arithmetic runs in it, too."""

OPTIONS = DemoOptions(
    **TWO_FEATURES,
    rounds=2,
    local_steps=2,
    tolerance=Decimal(0),
    owners=4,
    key_bits=1024,
    workers=0,
)
SEALING_BYTES = 256


@asynccontextmanager
async def watched_loop() -> AsyncIterator[list[float]]:
    """The longest time of the processor between two turns of the loop, kept as the list's only element."""
    longest = [0.0]

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest[0] = max(longest[0], time.thread_time() - before)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(watch())
    try:
        yield longest
    finally:
        task.cancel()


def forget_peak() -> int:
    """The resident memory in bytes; from now on the kernel keeps its peak anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(name: str) -> int:
    """A figure of the process's memory in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def hostile_messages(market: LocalMarket) -> list[Outgoing]:
    """Every hostile body of every type, to everybody who takes the type, from a party and from a stranger."""
    place = market.deployment.market.model_dump()
    stranger = Person("data_owner")
    people = [Person(party.runtime.role.name, party.identity) for party in market.parties]
    messages = []
    for kind, sender_role, role in routes(MESSAGE_TYPES):
        recipient = next(one for one in people if one.role == role)
        sender = recipient if sender_role == OPERATOR else next(p for p in people if p.role == sender_role)
        for make in HOSTILE_BODIES.values():
            body = make(kind)
            if len(body) + SEALING_BYTES > size_limit(kind):
                continue  # this bus does not even take it
            for author in (sender, stranger):
                envelope = author.envelope(recipient, kind, **place)
                signed = SignedMessage.create(envelope, body, author.identity.signing_key)
                messages.append(sealed(signed, recipient))
    return messages


async def flood(messages: list[Outgoing], market: LocalMarket) -> None:
    """One after another, at the pace at which a bus takes them."""
    for message in messages:
        await market.buyer.bus.publish(message)
        await asyncio.sleep(0)


async def test_an_honest_training_finishes_beside_a_flood_in_bounded_memory():
    data = load_data(OPTIONS)
    market = LocalMarket(data_sets_of(data), OPTIONS, least_key_bits=1024)
    async with market:
        messages = hostile_messages(market)
        before = forget_peak()
        async with watched_loop() as longest:
            flooding = asyncio.create_task(flood(messages, market))
            key = await market.order(demo_request(OPTIONS, data, market.aggregator.identity.address))
            await market.wait_for(lambda: finished(market.buyer, key))
            await flooding
            await until(lambda: len(market.broker.dead_letters) >= len(messages))
        grown = memory("VmHWM") - before
    assert refusals(market) == Counter(message.envelope.message_id for message in messages)
    assert {letter.code for letter in market.broker.dead_letters} == {
        "malformed",
        "not_registered",
        "wrong_route",
    }
    assert grown <= GROWTH_BYTES, f"{grown >> 20} MiB"
    assert longest[0] <= STALL_SECONDS


def finished(party: Participant, key: str) -> bool:
    row = party.store.instance(key)
    assert row is None or row.display_status != "FAILED"
    return row is not None and row.display_status == "FINISHED"


def refusals(market: LocalMarket) -> Counter[bytes]:
    return Counter(letter.envelope_fields["message_id"] for letter in market.broker.dead_letters)
