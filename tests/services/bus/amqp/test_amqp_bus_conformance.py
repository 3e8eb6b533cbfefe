"""RabbitMQ passes what every bus passes, under a login that is no address, as on a broker for development."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from services.bus.amqp.amqp_bus import AmqpBus
from tests.support.broker.amqp_market import AmqpMarket, amqp_market
from tests.support.broker.bus_conformance import ROLE_OF, BusConformance
from tests.support.broker.rabbitmq import Server


class AmqpHarness:
    """See Harness."""

    def __init__(self, market: AmqpMarket) -> None:
        self._market = market

    def connect(self, address: str) -> AmqpBus:
        """See Harness."""
        return AmqpBus(self._market.administrator())

    async def dead_letters(self) -> Sequence[tuple[str, bytes, str, str]]:
        """See Harness. The broker's own letters come some time after the last delivery: wait for one."""
        letters = await self._market.dead_letters()
        letters += await self._market.dead_letters(await self._market.depth("deltaml.dead.letters"))
        return [_read(letter.type, letter.message_id, letter.headers) for letter in letters]


def _read(kind: object, message_id: object, headers: dict[str, object]) -> tuple[str, bytes, str, str]:
    deaths = headers.get("x-death")
    code = deaths[0]["reason"] if isinstance(deaths, list) else headers["code"]
    return str(kind), bytes.fromhex(str(message_id)), str(code), str(headers.get("detail", ""))


class TestAmqpBus(BusConformance):
    """All of it on a real broker."""

    @pytest.fixture
    async def harness(self, rabbitmq: Server, tmp_path: Path) -> AsyncIterator[AmqpHarness]:
        participants = [(role, address) for address, role in ROLE_OF.items()]
        async with amqp_market(rabbitmq, participants, tmp_path) as market:
            yield AmqpHarness(market)
