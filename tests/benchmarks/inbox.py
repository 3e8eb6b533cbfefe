"""`python -m tests.benchmarks.inbox`: messages a second through one daemon's gate and inbox, over RabbitMQ.

Signed and sealed bodies of 1 KiB from a publisher in another process, on durable quorum queues with publisher
confirms; the daemon's side verifies, stores in an SQLite file with synchronous=FULL, and acks. Once with both
sides at work, once with all messages on the queue before the daemon starts.
"""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from protocol.messages import Complaint
from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.amqp.message_properties import message_of
from services.bus.naming import EXCHANGE, message_key, queue_name
from services.bus.port import Outgoing
from services.config.daemons import Broker
from services.runtime.receiver import Receiver
from services.runtime.role_adapter import Role
from services.store import NewMessage, StepWrites, Store
from tests.benchmarks import machine
from tests.support.broker.amqp_market import AmqpMarket, amqp_market
from tests.support.broker.rabbitmq import Server, running_server
from tests.support.daemons.scripted_daemon import resources_of
from tests.support.daemons.service_world import FakeChain, Person

BODY_BYTES = 1024
UNCONFIRMED = 500
TRAININGS = 4


class InboxRun(BaseModel):
    """One run; the rate is from the first publish, or the daemon's start, to the last commit."""

    name: str
    messages: int
    body_bytes: int
    per_second: float
    commits: int
    daemon_processor_seconds: float


class InboxReport(BaseModel):
    """All runs, and what they ran on."""

    machine: machine.MachineReport
    runs: list[InboxRun]


class CountingStore(Store):
    """Tells when the last message is committed."""

    def __init__(self, url: str, expected: int) -> None:
        super().__init__(url)
        self.commits, self._left, self.complete = 0, expected, asyncio.Event()
        for training in range(1, TRAININGS + 1):  # under way, as those of a daemon with work are
            key = str(training)
            self.add_inputs([(key.encode() * 32, key, b"")])
            writes = StepWrites(training, b"", "IN_PROGRESS", finished=False, references=frozenset())
            item = self.next_input(key)
            assert item is not None
            self.write_step(item, writes, 0.0)

    def add_messages(self, messages: list[NewMessage]) -> list[int]:
        replayed = super().add_messages(messages)
        self.commits += 1
        self._left -= len(messages)
        if self._left <= 0:
            self.complete.set()
        return replayed


class Owner(Role):
    """Whoever's inbox is filled."""

    name = "data_owner"


def messages(sender: Person, recipient: Person, count: int) -> Iterator[Outgoing]:
    """Messages whose bodies are BODY_BYTES long when sealed."""
    filler = sender.signed(recipient, Complaint(code="filler", accused=sender.address, evidence=()))

    def made(length: int, number: int) -> Outgoing:
        evidence = filler.model_copy(update={"body": bytes(length)})
        body = Complaint(code="hello", accused=sender.address, evidence=(evidence,))
        return sender.outgoing(recipient, body, training=1 + number % TRAININGS)

    length = 300  # msgpack's header of byte strings has the same length from 256 bytes on
    length += BODY_BYTES - len(made(length, 0).sealed)
    return (made(length, number) for number in range(count))


def publish(
    broker: Broker, sender: Person, recipient: Person, count: int, ready: Event, go: Event, done: Event
) -> None:
    """The other process: sign and seal everything, then publish as fast as confirms come."""
    asyncio.run(_publish(broker, list(messages(sender, recipient, count)), ready, go))
    done.set()


async def _publish(broker: Broker, batch: list[Outgoing], ready: Event, go: Event) -> None:
    from services.bus.amqp.connection import Connection  # noqa: PLC0415

    async with Connection(broker, "benchmark") as link:
        channel = await link.channel()
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        unconfirmed = asyncio.Semaphore(UNCONFIRMED)

        async def send(message: Outgoing) -> None:
            envelope = message.envelope
            key = message_key(message.recipient_role, envelope.recipient, envelope.type)
            try:
                await exchange.publish(message_of(envelope, message.sealed, user=envelope.sender), key)
            finally:
                unconfirmed.release()

        ready.set()
        await asyncio.to_thread(go.wait)
        async with asyncio.TaskGroup() as tasks:
            for message in batch:
                await unconfirmed.acquire()
                tasks.create_task(send(message))


async def measure(server: Server, folder: Path, count: int, *, backlog: bool) -> InboxRun:
    """One run on a virtual host of its own."""
    sender, recipient = Person("federated_aggregator"), Person("data_owner")
    places = [(person.role, person.address) for person in (sender, recipient)]
    async with amqp_market(server, places, folder) as market:
        context = multiprocessing.get_context("spawn")
        ready, go, done = context.Event(), context.Event(), context.Event()
        broker = market.config(sender.address)
        arguments = (broker, sender, recipient, count, ready, go, done)
        publisher = context.Process(target=publish, args=arguments, daemon=True)
        publisher.start()
        await _until_set(ready, publisher)
        if backlog:
            go.set()
            await _until_set(done, publisher)
        store = CountingStore(f"sqlite:///{folder / recipient.address}.sqlite", count)
        try:
            run = await _intake(market, recipient, FakeChain(sender, recipient), store, go)
            await asyncio.to_thread(publisher.join)
            assert store.waiting_inputs() == count
        finally:
            publisher.kill()
            store.close()
    seconds, processor = run
    return InboxRun(
        name="backlog on the queue" if backlog else "publisher at work",
        messages=count,
        body_bytes=BODY_BYTES,
        per_second=count / seconds,
        commits=store.commits,
        daemon_processor_seconds=processor,
    )


async def _until_set(event: Event, publisher: multiprocessing.process.BaseProcess) -> None:
    """Wait for the other process; an error when it has died."""
    while not await asyncio.to_thread(event.wait, 1.0):
        if not publisher.is_alive() and not event.is_set():
            raise RuntimeError(f"the publisher ended with status {publisher.exitcode}")


async def _intake(
    market: AmqpMarket, recipient: Person, chain: FakeChain, store: CountingStore, go: Event
) -> tuple[float, float]:
    """Wall and processor seconds until everything is committed; the queue must be empty after that."""
    bus = AmqpBus(market.config(recipient.address))
    resources = resources_of(recipient, chain, store, bus, role=Owner(store))
    receiver = Receiver(resources, lambda _key: None)
    started, processor = time.perf_counter(), time.process_time()
    task = asyncio.create_task(receiver.run(bus.deliveries("data_owner", recipient.address)))
    go.set()
    finished = asyncio.create_task(store.complete.wait())
    await asyncio.wait({task, finished}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        finished.cancel()
        task.result()
    figures = time.perf_counter() - started, time.process_time() - processor
    async with asyncio.timeout(30):
        while await market.depth(queue_name("data_owner", recipient.address)):
            await asyncio.sleep(0.1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await bus.close()
    return figures


def report(count: int) -> InboxReport:
    """Both runs on one broker."""
    described = machine.describe()
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        runs = [_run(measure(server, Path(folder), count, backlog=backlog)) for backlog in (False, True)]
    return InboxReport(machine=described, runs=runs)


def _run(work):
    import uvloop  # noqa: PLC0415  as the daemons do

    return uvloop.run(work)


def main(
    count: Annotated[int, typer.Option("--messages", min=100, help="Messages in each run.")] = 10_000,
    json: Annotated[Path | None, typer.Option(help="Also write every figure to this file.")] = None,
) -> None:
    """Measure the inbox of one daemon."""
    console = Console()
    figures = report(count)
    shown = figures.machine
    console.print(f"{shown.processor}, {shown.cores} cores, load before {shown.load_before:.1f}")
    table = Table("run", "messages", "bytes each", "messages/s", "messages a commit", "daemon's CPU s")
    for run in figures.runs:
        table.add_row(
            run.name,
            str(run.messages),
            str(run.body_bytes),
            f"{run.per_second:.0f}",
            f"{run.messages / run.commits:.1f}",
            f"{run.daemon_processor_seconds:.1f}",
        )
    console.print(table)
    if json is not None:
        json.write_text(figures.model_dump_json(indent=2))


if __name__ == "__main__":
    typer.run(main)
