"""An aggregator and an owner on a real broker, inboxes that take messages in, and an administrator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import yaml

from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.messages import Complaint
from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.amqp.message_properties import message_of
from services.bus.naming import EXCHANGE, message_key
from services.bus.port import Outgoing
from services.config.daemons import Broker
from services.runtime.input_codec import unqueued
from services.runtime.receiver import Receiver
from services.store import Store
from tests.support.broker.amqp_market import AmqpMarket, amqp_market
from tests.support.broker.rabbitmq import Server
from tests.support.daemons.scripted_daemon import code_of, resources_of
from tests.support.daemons.service_world import FakeChain, Person, sealed


class Inbox:
    """One participant's side, from the queue to its store."""

    def __init__(self, person: Person, bus: AmqpBus, chain: FakeChain) -> None:
        self.person, self.bus, self.store = person, bus, Store()
        self.receiver = Receiver(resources_of(person, chain, self.store, bus), lambda _key: None)

    async def run(self) -> None:
        await self.receiver.run(self.bus.deliveries(self.person.role, self.person.address))

    def said(self) -> list[str]:
        """The codes of the complaints that came in, in order."""
        found = []
        while (item := self.store.next_input("1")) is not None:
            found.append(code_of(unqueued(item.content).signed.body))
            self.store.finish_input(item, 0.0)
        return found


class RefusingMarket:
    """See the module; `late` is registered on chain and has no queue."""

    def __init__(self, market: AmqpMarket, people: tuple[Person, Person, Person], folder: Path) -> None:
        self.market, self.folder = market, folder
        self.aggregator, self.owner, self.late = people
        self.chain = FakeChain(*people)
        self.bus = market.bus(self.aggregator.address)

    @asynccontextmanager
    async def inbox(self, person: Person | None = None) -> AsyncIterator[Inbox]:
        """The owner's inbox, or another's, at work."""
        who = person or self.owner
        broker = self.market.config(self.owner.address)
        place = broker.url.rpartition("@")[2]
        login = Broker(url=f"amqp://{who.address}@{place}", password_file=self.folder / who.address)
        inbox = Inbox(who, AmqpBus(login), self.chain)
        task = asyncio.create_task(inbox.run())
        try:
            yield inbox
        finally:
            assert not task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await inbox.bus.close()
            inbox.store.close()

    def message(self, code: str, recipient: Person | None = None, **changes: object) -> Outgoing:
        """The aggregator says something."""
        body = Complaint(code=code, accused=self.owner.address, evidence=())
        return self.aggregator.outgoing(recipient or self.owner, body, **changes)

    def with_body(self, body: bytes) -> Outgoing:
        """Signed and sealed as it should be, whatever is in it."""
        envelope = self.aggregator.envelope(self.owner, "complaint")
        return sealed(SignedMessage.create(envelope, body, self.aggregator.identity.signing_key), self.owner)

    def signed_by_another(self) -> Outgoing:
        """The aggregator's envelope, and the signature of a key that is not the aggregator's."""
        body = Complaint(code="forged", accused=self.owner.address, evidence=())
        envelope = self.aggregator.envelope(self.owner, "complaint")
        signed = SignedMessage.create(envelope, pack(body), self.late.identity.signing_key)
        return sealed(signed, self.owner)

    async def publish_raw(self, message: Outgoing, user: Person, **headers: object) -> None:
        """As a client of its own could, under a participant's login."""
        channel = await self.market.channel(user.address)
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        envelope = message.envelope
        key = message_key(message.recipient_role, envelope.recipient, envelope.type)
        raw = message_of(envelope, message.sealed, user=user.address, headers=headers)  # type: ignore[arg-type]
        await exchange.publish(raw, key)

    def document(self, *added: Person) -> Path:
        """The administrator's document, with participants who were added."""
        server = self.market.server
        participants = [
            {"role": one.role, "address": one.address, "password_file": str(one.password_file)}
            for one in self.market.places.participants
        ]
        for person in added:
            password = self.folder / person.address
            password.write_text("a long password of tests")
            password.chmod(0o600)
            new = {"role": person.role, "address": person.address, "password_file": str(password)}
            participants.append(new)
        listener = self.market.places.chain_listeners[0]
        file = self.folder / "broker.yaml"
        document = {
            "management": {
                "url": server.management_url,
                "user": server.user,
                "password_file": str(self.folder / "administrator"),
            },
            "amqp": {"url": server.amqp_url},
            "vhost": self.market.vhost,
            "participants": participants,
            "chain_listeners": [{"user": listener.user, "password_file": str(listener.password_file)}],
        }
        file.write_text(yaml.safe_dump(document))
        return file


@asynccontextmanager
async def refusing_market(server: Server, folder: Path) -> AsyncIterator[RefusingMarket]:
    people = (Person("federated_aggregator"), Person("data_owner"), Person("data_owner"))
    places = [(person.role, person.address) for person in people[:2]]
    async with amqp_market(server, places, folder) as market:
        yield RefusingMarket(market, people, folder)
