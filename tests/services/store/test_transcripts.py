"""Entries as they are stored: each behind its link, in the transaction of its step."""

import dataclasses

import pytest
import sqlalchemy as sa

from protocol.errors import ProtocolViolation
from protocol.verification.links import FIRST, require_links
from services.store import Store
from services.store.tables import results
from tests.support.database.stores import SECOND, offered, writes

ENTRIES = [b"one", b"two", b"three"]


@pytest.fixture
def store(store_url):
    opened = Store(store_url)
    first = dataclasses.replace(writes(), transcript=ENTRIES[:2])
    opened.write_step(offered(opened), first, now=1.0)
    opened.write_step(offered(opened, SECOND), dataclasses.replace(writes(), transcript=ENTRIES[2:]), now=2.0)
    yield opened
    opened.close()


def test_entries_of_several_steps_are_one_chain(store):
    kept = store.transcript("1")
    assert [entry for entry, _link in kept] == ENTRIES
    require_links(kept)


def test_an_instance_without_entries_has_none(store):
    assert store.transcript("2") == []
    assert store.kept_head("2") == FIRST


def test_the_head_is_the_link_of_the_last_entry_and_the_same_until_the_next_step(store):
    assert store.kept_head("1") == store.kept_head("1") == require_links(store.transcript("1"))


def test_a_row_that_somebody_rewrites_breaks_the_chain(store, store_url):
    engine = sa.create_engine(store_url)
    of_the_first = (results.c.key == "1", results.c.name.like("transcript:%0"))
    with engine.begin() as connection:
        content = connection.execute(sa.select(results.c.content).where(*of_the_first)).scalar_one()
        changed = results.update().where(*of_the_first).values(content=content[:-1] + b"!")
        connection.execute(changed)
    engine.dispose()
    with pytest.raises(ProtocolViolation, match="entry 1 "):
        require_links(store.transcript("1"))
