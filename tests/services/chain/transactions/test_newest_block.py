"""One question for all that wait for a block."""

import asyncio

from services.chain.errors import ChainUnavailable
from services.chain.transactions.newest_block import NewestBlock


class Node:
    """Counts how often it is asked for its newest block."""

    def __init__(self) -> None:
        self.number, self.asked, self.away = 7, 0, False
        self.announce = lambda: None

    async def call(self, method):
        assert method == "eth_blockNumber"
        self.asked += 1
        if self.away:
            raise ChainUnavailable("no answer")
        return hex(self.number)

    def on_block(self, wake) -> None:
        self.announce = wake


async def seen(node, poll_seconds) -> NewestBlock:
    """Whoever waits has seen block 7."""
    newest = NewestBlock(node, poll_seconds)
    await newest.wait_for_next(-1, newest.announced, 1)
    assert newest.number == 7
    return newest


async def test_all_that_wait_ask_once_a_poll_and_go_on_at_a_new_block() -> None:
    node = Node()
    newest = await seen(node, 0.02)
    waiting = [asyncio.create_task(newest.wait_for_next(7, newest.announced, 10)) for _ in range(20)]
    await asyncio.sleep(0.2)
    assert not any(task.done() for task in waiting)
    assert node.asked < 20
    node.number = 8
    async with asyncio.timeout(300):
        await asyncio.gather(*waiting)


async def test_an_announced_block_ends_the_wait_before_the_next_poll() -> None:
    node = Node()
    newest = NewestBlock(node, 3600)
    waiting = [asyncio.create_task(newest.wait_for_next(7, newest.announced, 3600)) for _ in range(3)]
    await asyncio.sleep(0)
    node.number = 8
    node.announce()
    async with asyncio.timeout(300):
        await asyncio.gather(*waiting)
    assert node.asked == 1


async def test_the_wait_is_bounded_and_a_silent_node_ends_it() -> None:
    node = Node()
    newest = await seen(node, 0.01)
    async with asyncio.timeout(300):
        await newest.wait_for_next(7, newest.announced, 0.05)
        node.away = True
        await newest.wait_for_next(7, newest.announced, 3600)
    assert newest.number == -1
