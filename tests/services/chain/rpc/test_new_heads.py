"""Heads from a real node's websocket, and from one that is away, closes or refuses."""

import asyncio
import contextlib
import logging
from urllib.parse import urlsplit

import pytest
import structlog
from websockets.asyncio.server import serve

from services.chain.events.event_outbox import EventOutbox
from services.chain.events.listener import ChainListener
from services.chain.rpc.http import HttpRpc
from services.chain.rpc.new_heads import NewHeads
from services.store import Store


class Wakes:
    """Counts wake-ups and waits for them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    async def reach(self, count) -> None:
        async with asyncio.timeout(300):
            while self.count < count:
                await asyncio.sleep(0.002)


def websocket_of(url) -> str:
    return f"ws://127.0.0.1:{urlsplit(url).port}"


async def test_every_block_of_a_real_node_wakes(anvil, anvil_url) -> None:
    wakes = Wakes()
    async with NewHeads(websocket_of(anvil_url)) as heads:
        heads.on_block(wakes)
        await wakes.reach(1)
        for number in range(2, 5):
            await anvil.call("evm_mine")
            await wakes.reach(number)


async def test_a_listener_that_would_sleep_for_an_hour_follows_at_once(anvil_market, anvil_url) -> None:
    place, first_block = anvil_market.deployment.market, anvil_market.deployment.block
    heard, published = Wakes(), []

    async def publish(stream, event) -> None:
        published.append((stream, event))
        heard()

    async with (
        NewHeads(websocket_of(anvil_url)) as heads,
        HttpRpc(anvil_url, heads=heads) as rpc,
        asyncio.TaskGroup() as tasks,
    ):
        outbox = EventOutbox(Store(), place)
        listener = ChainListener(
            rpc, place, outbox, confirmations=0, first_block=first_block, poll_seconds=3600
        )
        running = [tasks.create_task(listener.run()), tasks.create_task(outbox.run(publish))]
        await anvil_market.register()
        await heard.reach(14)
        for task in running:
            task.cancel()
    confirmed = [event for stream, event in published if stream == "confirmed"]
    assert len({(event.block_hash, event.log_index) for event in confirmed}) == 7


async def answering(*answers):
    """A server that gives each connection the next answers and closes it; the last ones again and again."""
    left = list(answers)

    async def handle(connection) -> None:
        await connection.recv()
        for answer in left.pop(0) if len(left) > 1 else left[0]:
            await connection.send(answer)

    return await serve(handle, "127.0.0.1", 0)


@contextlib.asynccontextmanager
async def heads_of(*answers):
    server = await answering(*answers)
    port = server.sockets[0].getsockname()[1]
    wakes = Wakes()
    try:
        async with NewHeads(f"ws://127.0.0.1:{port}", first_pause=0.01, longest_pause=0.02) as heads:
            heads.on_block(wakes)
            yield wakes
    finally:
        server.close()
        await server.wait_closed()


SUBSCRIBED = '{"jsonrpc":"2.0","id":1,"result":"0x1"}'
REFUSED = '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'


@pytest.mark.parametrize("first", [(), (REFUSED,), ("not JSON",), ("[]",), ("[" * 5000,)])
async def test_a_socket_that_fails_is_opened_again(first) -> None:
    async with heads_of(first, first, (SUBSCRIBED, "{}")) as wakes:
        await wakes.reach(2)


async def test_a_refusal_wakes_nobody() -> None:
    async with heads_of((REFUSED,)) as wakes:
        await asyncio.sleep(0.1)
        assert wakes.count == 0


async def test_a_node_that_comes_back_is_heard_again(anvil, anvil_url) -> None:
    """Between the node and us stands a proxy that breaks the connection."""
    address = urlsplit(anvil_url)
    connections = []

    async def forward(reader, writer) -> None:
        there = await asyncio.open_connection(address.hostname, address.port)
        connections.append((writer, there[1]))
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def pump(reader, writer) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    proxy = await asyncio.start_server(forward, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    wakes = Wakes()
    async with NewHeads(f"ws://127.0.0.1:{port}", first_pause=0.01) as heads:
        heads.on_block(wakes)
        await wakes.reach(1)
        for again in (1, 2):
            for writer in connections[-1]:
                writer.transport.abort()
            await wakes.reach(1 + 2 * again - 1)
            await anvil.call("evm_mine")
            await wakes.reach(1 + 2 * again)
    proxy.close()
    await proxy.wait_closed()


async def test_the_url_is_never_logged(caplog) -> None:
    """A provider's URL is often its access key."""
    caplog.set_level(logging.DEBUG)
    server = await answering((REFUSED,))
    port = server.sockets[0].getsockname()[1]
    with structlog.testing.capture_logs() as logs:
        async with NewHeads(f"ws://127.0.0.1:{port}/secret-key", first_pause=0.01), asyncio.timeout(300):
            while not logs:
                await asyncio.sleep(0.005)
    server.close()
    await server.wait_closed()
    assert logs[0]["event"] == "heads_lost"
    assert "secret" not in repr(logs)
    assert not [
        record
        for record in caplog.records
        if record.name != "websockets.server" and "secret" in record.message
    ]


async def test_the_log_says_how_a_subscription_was_lost() -> None:
    async def handle(connection) -> None:
        await connection.recv()
        await connection.send(SUBSCRIBED)
        connection.transport.abort()

    server = await serve(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with structlog.testing.capture_logs() as logs:
        async with NewHeads(f"ws://127.0.0.1:{port}", first_pause=0.01), asyncio.timeout(300):
            while not logs:
                await asyncio.sleep(0.005)
    server.close()
    await server.wait_closed()
    assert logs[0]["reason"] == "ConnectionClosedError"
