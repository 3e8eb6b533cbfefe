"""A buyer, an aggregator and two owners on a real broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.broker.amqp_market import AmqpMarket, address, amqp_market
from tests.support.broker.rabbitmq import Server

ROLES = ("model_buyer", "federated_aggregator", "data_owner", "data_owner")


@pytest.fixture
async def market(rabbitmq: Server, tmp_path: Path) -> AsyncIterator[AmqpMarket]:
    """Provisioned as an administrator would."""
    async with amqp_market(rabbitmq, [(role, address()) for role in ROLES], tmp_path) as provisioned:
        yield provisioned


@pytest.fixture
async def empty_market(rabbitmq: Server, tmp_path: Path) -> AsyncIterator[AmqpMarket]:
    """Nobody but a chain listener."""
    async with amqp_market(rabbitmq, [], tmp_path) as provisioned:
        yield provisioned
