"""What the inbox's benchmark sends is what it tells."""

from tests.benchmarks.inbox import BODY_BYTES, messages
from tests.support.daemons.service_world import Person


def test_bodies_have_the_size_that_is_told():
    sizes = {len(one.sealed) for one in messages(Person("federated_aggregator"), Person("data_owner"), 3)}
    assert sizes == {BODY_BYTES}
