"""A training's transcript out of a store: as its steps kept it, or refused."""

import dataclasses

import pytest
import sqlalchemy as sa

from protocol.codec import pack
from protocol.verification.transcript import Entry
from services.common.errors import ConfigurationError
from services.records.transcripts import kept_entries
from services.store import Store
from services.store.tables import results
from tests.support.database.stores import offered, writes

KEPT = [Entry(kind="sent", content=b"one"), Entry(kind="received", content=b"two")]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def store(url):
    opened = Store(url)
    packed = [pack(one) for one in KEPT]
    opened.write_step(offered(opened), dataclasses.replace(writes(), transcript=packed), now=1.0)
    yield opened
    opened.close()


def test_entries_come_in_the_order_of_the_steps(store):
    assert kept_entries(store, store.instance("1"), 1) == KEPT


def test_a_store_whose_entries_were_altered_is_refused(store, url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        second = results.c.name == "transcript:000000001"
        content = connection.execute(sa.select(results.c.content).where(second)).scalar_one()
        connection.execute(results.update().where(second).values(content=content[:-1] + b"!"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match="was altered: entry 2 "):
        kept_entries(store, store.instance("1"), 1)


def test_a_training_of_which_nothing_is_kept_is_refused(store):
    store.write_step(offered(store, b"\x09" * 32), writes(), now=2.0)
    row = dataclasses.replace(store.instance("1"), key="2")
    with pytest.raises(ConfigurationError, match="keeps no transcript of training 1"):
        kept_entries(store, row, 1)
