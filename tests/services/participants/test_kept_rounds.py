"""A daemon does not start on a training under way that only an earlier version can end."""

from contextlib import closing

import pytest

from protocol.codec import pack, unpack
from protocol.roles.dispatch import _Instance, run_step
from services.common.errors import ConfigurationError
from services.participants.kept_rounds import check_kept_rounds
from services.store import Store
from tests.support.database.stores import offered, writes
from tests.support.roles.checked_markets import checked_request
from tests.support.roles.small_markets import small_market


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/buyer.sqlite")) as opened:
        yield opened


def begun(store: Store, *, plain: bool, training: int | None = 7, finished: bool = False) -> None:
    """A buyer's training in the store as its first step left it, of this version or of an earlier one."""
    market = small_market(checked_request())
    step = run_step(market.buyer.role, None, market.buyer.inbox[0], market.context(market.buyer))
    state = pack(_Instance(state=unpack(_Instance, step.state).state)) if plain else step.state
    item = offered(store, key="order:1f")
    store.write_step(item, writes(training=training, state=state, finished=finished), 0.0)


def test_a_training_under_way_is_named_with_the_remedy(store):
    begun(store, plain=True)
    with pytest.raises(
        ConfigurationError, match=r"training 7 was begun with plain rounds.*the version before"
    ):
        check_kept_rounds(store)


def test_one_without_a_number_yet_is_named_by_its_order(store):
    begun(store, plain=True, training=None)
    with pytest.raises(ConfigurationError, match="training order:1f was begun with plain rounds"):
        check_kept_rounds(store)


def test_one_of_this_version_goes_on(store):
    begun(store, plain=False)
    check_kept_rounds(store)


def test_one_that_is_over_is_no_reason(store):
    begun(store, plain=True, finished=True)
    check_kept_rounds(store)


def test_nor_is_one_that_has_not_begun_or_that_cannot_be_read(store):
    store.add_inputs([(b"3" * 32, "3", b"input")])
    store.write_step(offered(store, key="4"), writes(state=b"unreadable", training=4), 0.0)
    check_kept_rounds(store)
