"""A store in an SQLite file: whose it is, what reaches the disk, who may work on it."""

import stat

import pytest
import sqlalchemy as sa

from services.store import Store
from tests.support.database.stores import full_writes, offered


@pytest.fixture
def path(tmp_path):
    return tmp_path / "private" / "daemon.sqlite"


@pytest.fixture
def store(path):
    opened = Store(f"sqlite:///{path}")
    yield opened
    opened.close()


def test_the_file_and_its_folder_are_the_owners_alone(store, path):
    store.write_step(offered(store), full_writes(), now=0.0)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert path.name in modes
    assert f"{path.name}-wal" in modes
    assert set(modes.values()) == {0o600}


def test_commits_are_synchronised_to_the_disk(store):
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def write_and_fail(store, error):
    with store._database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO role_values (name, content) VALUES ('a', x'00')")
        if error is not None:
            raise error
        connection.exec_driver_sql("INSERT INTO role_values (name, content) VALUES ('a', x'01')")


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, None])
def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_begins(store, error):
    with pytest.raises(error or sa.exc.IntegrityError):
        write_and_fail(store, error)
    assert store.values("") == {}
    store.put_value("b", b"1")
    assert store.values("") == {"b": b"1"}


def test_a_name_is_found_by_its_prefix_alone_whatever_is_in_it(store):
    for name in ("100%/_x", "100%/zx", "100x/_x", "100%/_y"):
        store.put_value(name, b"1")
    assert set(store.values("100%/_")) == {"x", "y"}
