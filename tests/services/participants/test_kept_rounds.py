"""A daemon whose rounds were changed under a training does not start."""

from contextlib import closing
from dataclasses import replace

import pytest

from protocol.roles.dispatch import run_step
from protocol.types import Rounds
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


def begun(store: Store, rounds: Rounds, *, training: int | None = 7, finished: bool = False) -> None:
    """A buyer's training of such rounds, in the store as its first step left it."""
    market = small_market(checked_request())
    context = replace(market.context(market.buyer), rounds=rounds)
    step = run_step(market.buyer.role, None, market.buyer.inbox[0], context)
    item = offered(store, key="order:1f")
    store.write_step(item, writes(training=training, state=step.state, finished=finished), 0.0)


@pytest.mark.parametrize(("rounds", "other"), [("plain", "checked"), ("checked", "plain")])
def test_a_training_under_way_is_named_with_the_remedy(store, rounds, other):
    begun(store, rounds)
    check_kept_rounds(store, rounds)
    with pytest.raises(
        ConfigurationError, match=rf"rounds: {other} is set, but training 7 .* set rounds: {rounds} until"
    ):
        check_kept_rounds(store, other)


def test_one_without_a_number_yet_is_named_by_its_order(store):
    begun(store, "plain", training=None)
    with pytest.raises(ConfigurationError, match="training order:1f was begun with plain rounds"):
        check_kept_rounds(store, "checked")


def test_one_that_is_over_is_no_reason(store):
    begun(store, "plain", finished=True)
    check_kept_rounds(store, "checked")


def test_nor_is_one_that_has_not_begun_or_that_cannot_be_read(store):
    store.add_inputs([(b"3" * 32, "3", b"input")])
    store.write_step(offered(store, key="4"), writes(state=b"unreadable", training=4), 0.0)
    check_kept_rounds(store, "checked")
