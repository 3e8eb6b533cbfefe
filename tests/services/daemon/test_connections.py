"""What needs the node or the broker waits for them, and for nothing else."""

import pytest
from structlog.testing import capture_logs

from services.bus.port import BusRefused, BusUnavailable
from services.chain.errors import ChainUnavailable
from services.daemon.connections import retry_until_reachable


async def test_it_is_done_once_they_are_there():
    away = [BusUnavailable("no broker"), ChainUnavailable("no node")]

    async def action():
        if away:
            raise away.pop()

        done.append("registered")

    done = []
    with capture_logs() as logs:
        # Given as a lambda, as calls with arguments are.
        await retry_until_reachable(lambda: action(), first_pause=0.001, longest_pause=0.01)  # noqa: PLW0108
    assert [line.get("reason") for line in logs] == ["no node", "no broker", None]
    assert logs[-1]["event"] == "waited"
    assert done == ["registered"]


async def test_what_a_person_has_to_mend_is_not_waited_for():
    async def action():
        raise BusRefused("ask the administrator")

    with pytest.raises(BusRefused):
        await retry_until_reachable(action)
