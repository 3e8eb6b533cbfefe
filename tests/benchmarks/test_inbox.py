"""The inbox's benchmark runs, and what it counts has been checked, stored and acked; speed is not tested."""

import pytest

from tests.benchmarks.inbox import BODY_BYTES, measure, messages
from tests.support.daemons.service_world import Person

COUNT = 40


@pytest.mark.parametrize("backlog", [False, True])
async def test_every_message_passes_gate_and_inbox(rabbitmq, tmp_path, backlog):
    run = await measure(rabbitmq, tmp_path, COUNT, backlog=backlog)
    assert run.messages == COUNT
    assert 1 <= run.commits <= COUNT
    assert run.per_second > 0


def test_bodies_have_the_size_that_is_told():
    sizes = {len(one.sealed) for one in messages(Person("federated_aggregator"), Person("data_owner"), 3)}
    assert sizes == {BODY_BYTES}
