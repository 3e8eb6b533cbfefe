"""A broker that delivers messages to one recipient twice, late, out of order, or damaged."""

import asyncio

from aio_pika.abc import AbstractIncomingMessage

from services.bus.amqp.message_properties import copy_of
from tests.faults.fault import Fault
from tests.faults.market import Training
from tests.faults.outcome import dead_letters
from tests.faults.traffic import Forward, same

_FLUSH_SECONDS = 0.4


class Tampering(Fault):
    """All messages to one recipient pass through `tamper`."""

    async def before(self) -> None:
        self.victim = self.anybody()
        self.hits = 0
        self.earlier = [one for one in self.market.traffic.seen if self._is_for_victim(one.recipient)]
        await self.market.traffic.tamper(
            self.market.role_of(self.victim), self.market.addresses[self.victim], self.tamper
        )

    async def tamper(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        raise NotImplementedError

    async def after(self, training: Training) -> str:
        await self.market.traffic.stop_tampering()
        assert self.hits
        return f"to {self.victim}: {self.hits} times"

    def _is_for_victim(self, recipient: str) -> bool:
        return recipient == self.market.addresses[self.victim]


class Duplicated(Tampering):
    """Most messages come two or three times, at once or later."""

    async def tamper(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        await forward(same(message))
        for _ in range(self.chance.randint(0, 2)):
            self.hits += 1
            await forward(same(message))


class Reordered(Tampering):
    """Up to four messages are held back and passed on in another order."""

    async def before(self) -> None:
        self.held: list[tuple[AbstractIncomingMessage, Forward]] = []
        self.flushes: set[asyncio.Task[None]] = set()
        await super().before()

    async def tamper(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        self.held.append((message, forward))
        if len(self.held) >= 4:
            await self._pass_on()
        elif len(self.held) == 1:
            flush = asyncio.create_task(self._later())
            self.flushes.add(flush)
            flush.add_done_callback(self.flushes.discard)

    async def _later(self) -> None:
        await asyncio.sleep(_FLUSH_SECONDS)
        await self._pass_on()

    async def _pass_on(self) -> None:
        held, self.held = self.held, []
        shuffled = self.chance.sample(held, len(held))
        if not self.hits and shuffled == held:
            shuffled.reverse()  # a recipient of few messages may never hold two again
        self.hits += shuffled != held
        for message, forward in shuffled:
            await forward(same(message))

    async def after(self, training: Training) -> str:
        await asyncio.gather(*self.flushes)
        return await super().after(training)


class Damaged(Tampering):
    """Some messages come damaged, before or after the one that is whole."""

    async def tamper(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        if self.hits and self.chance.random() < 0.6:
            await forward(same(message))
            return
        self.hits += 1
        whole_first = self.chance.random() < 0.5
        if whole_first:
            await forward(same(message))
        await self.damage(message, forward)
        if not whole_first:
            await forward(same(message))

    async def damage(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        raise NotImplementedError

    async def after(self, training: Training) -> str:
        told = await super().after(training)
        codes = sorted({code for _, code in await dead_letters(self.market, training)})
        assert codes, "no damaged message was refused"
        return f"{told}, refused as {', '.join(codes)}"


class Truncated(Damaged):
    """A copy's end is missing."""

    async def damage(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        await forward(same(message, message.body[: self.chance.randrange(len(message.body))]))


class BitFlipped(Damaged):
    """One bit of a copy is another, in its body or in what its envelope says."""

    async def damage(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        if self.chance.random() < 0.7:
            place = self.chance.randrange(8 * len(message.body))
            body = bytearray(message.body)
            body[place // 8] ^= 1 << place % 8
            await forward(same(message, bytes(body)))
            return
        headers = dict(message.headers)
        name = self.chance.choice(["round", "attempt", "sent_at"])
        headers[name] = int(headers[name]) ^ 1 << self.chance.randrange(8)
        await forward(copy_of(message, message.body, user=message.user_id, headers=headers))


class Stale(Tampering):
    """Messages of earlier rounds and of earlier trainings come again in between."""

    async def tamper(self, message: AbstractIncomingMessage, forward: Forward) -> None:
        await forward(same(message))
        now = [one for one in self.market.traffic.seen if self._is_for_victim(one.recipient)]
        for one in self.chance.sample(now, min(len(now), self.chance.randint(0, 3))):
            if one.message_id != message.message_id:
                self.hits += 1
                await forward(same(one.original))
