"""Confirmed messages through a broker that is killed again and again while they pass.

`make test` sends 240 of them, with one kill. Ten thousand, with seven: DELTAML_MESSAGES=10000, as
`make campaigns` does.
"""

import asyncio
import os
import time
from collections import Counter

from protocol.messages import Complaint
from protocol.roles.engine.effects import RecordFact
from services.bus.amqp.amqp_bus import AmqpBus
from services.runtime.effects import packed_message
from services.runtime.outbox_relay import OutboxRelay
from services.runtime.runtime import Runtime
from services.store import Store
from tests.support.broker.amqp_market import AmqpMarket, amqp_market
from tests.support.broker.own_rabbitmq import OwnBroker
from tests.support.daemons.scripted_daemon import ScriptedPool, resources_of, said, step
from tests.support.daemons.service_world import FakeChain, Person

SENDERS = 4
EACH = int(os.environ.get("DELTAML_MESSAGES", "240")) // SENDERS
MESSAGES = SENDERS * EACH
KILLS = 1 + MESSAGES // 1500
KILLED_AT = tuple((2 * number + 1) * MESSAGES // (2 * KILLS) for number in range(KILLS))
SECONDS = 600


class Sending:
    """A daemon's outbox with messages waiting in it."""

    def __init__(self, market: AmqpMarket, sender: Person, recipient: Person, chain: FakeChain) -> None:
        self.store, self.bus = Store(), AmqpBus(market.config(sender.address))
        bodies = (
            Complaint(code=f"from_{sender.address[2:10]}_{number}", accused=sender.address, evidence=())
            for number in range(EACH)
        )
        self.store.add_effects(
            "1", [packed_message(sender.outgoing(recipient, body)) for body in bodies], time.time()
        )
        self.outbox = OutboxRelay(resources_of(sender, chain, self.store, self.bus))


def noting(_state, item, _context):
    """Every message leaves a fact in the transaction that processes it."""
    return step(b"", RecordFact(name="heard", data={"of": said(item)}))


async def test_none_is_lost_and_none_is_processed_twice(own: OwnBroker, tmp_path) -> None:
    recipient, senders = Person("data_owner"), [Person("federated_aggregator") for _ in range(SENDERS)]
    chain = FakeChain(recipient, *senders)
    places = [(person.role, person.address) for person in (recipient, *senders)]
    async with amqp_market(own.broker.server, places, tmp_path) as market:
        sending = [Sending(market, sender, recipient, chain) for sender in senders]
        store = Store(f"sqlite:///{tmp_path}/recipient.sqlite")
        bus = AmqpBus(market.config(recipient.address))
        runtime = Runtime(resources_of(recipient, chain, store, bus, pool=ScriptedPool(noting)))
        work = [asyncio.create_task(one.outbox.run()) for one in sending]
        work.append(asyncio.create_task(runtime.run()))
        killed = []
        async with asyncio.timeout(SECONDS):
            while not await complete(store, sending, work) or len(killed) < len(KILLED_AT):
                if len(killed) < len(KILLED_AT) and len(store.facts("1")) >= KILLED_AT[len(killed)]:
                    killed.append(own.broker.kill())
                    await asyncio.to_thread(own.broker.start)
        heard = Counter(data["of"] for name, data, _at in store.facts("1") if name == "heard")
        assert len(heard) == MESSAGES
        assert set(heard.values()) == {1}
        assert len(set(killed)) == KILLS
        assert store.waiting_inputs() == 0
        assert await market.depth("deltaml.dead.letters") == 0
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for one in (bus, *(sender.bus for sender in sending)):
            await one.close()
        for database in (store, *(sender.store for sender in sending)):
            database.close()


async def complete(store: Store, sending: list[Sending], work: list[asyncio.Task]) -> bool:
    """Whether everything has left the senders and was processed; looked at now and then."""
    await asyncio.sleep(0.05)
    for task in work:
        if task.done():
            task.result()
    left = sum(one.store.waiting_effects() for one in sending)
    return not left and len(store.facts("1")) >= MESSAGES and store.waiting_inputs() == 0
