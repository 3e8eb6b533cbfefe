"""Serving a console beside the runtime."""

import pytest

from services.common.errors import ConfigurationError
from services.config.console import ConsoleSettings
from services.console.app import Console, serving
from services.console.party import Party
from services.console.web.hub import Hub
from services.store import Store
from tests.support.daemons.service_world import MARKET


def console(tmp_path, port):
    async def never(*_arguments):
        raise AssertionError

    party = Party("model_buyer", "0x" + "b1" * 20, MARKET, Store(), never, never)
    return Console(party, ConsoleSettings(port=port, users_file=tmp_path / "users.json"), Hub())


async def test_a_port_that_is_taken_is_told(tmp_path):
    async with serving(console(tmp_path, 0)) as port:
        with pytest.raises(ConfigurationError, match="choose another console"):
            async with serving(console(tmp_path, port)):
                pass


async def test_no_console_serves_nothing():
    async with serving(None) as port:
        assert port is None
