"""Backups: made beside a running daemon, restored on either database, and never gone on from unasked."""

import stat

import pytest

from protocol.roles.engine.private import BOND
from protocol.terms import NATIVE
from services.admin.store_integrity import check
from services.common.errors import ConfigurationError, StoreInUse
from services.store import Store
from services.store.database import Database
from tests.support.daemons.command_line import refused, run
from tests.support.database.postgresql import fresh_schema
from tests.support.database.real_rows import ENDED, RUNNING, fill
from tests.support.database.stores import everything


@pytest.fixture
def store(store_url):
    opened = Store(store_url, exclusive=True)
    fill(opened)
    (effect,) = opened.due_effects(9.0)
    opened.effects_done([effect])
    opened.add_effects(RUNNING, [(effect.kind, effect.content)], now=1.0)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored' / 'daemon.sqlite'}"
        return
    with fresh_schema(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def file(store, store_url, tmp_path):
    """A backup, made while the daemon has the store."""
    path = tmp_path / "backup"
    run("admin", "store", "backup", path, "--store", store_url)
    return path


def test_a_backup_is_complete_private_and_never_overwritten(store, store_url, file):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []
    before = file.read_bytes()
    assert "exists already" in refused("admin", "store", "backup", file, "--store", store_url)
    assert file.read_bytes() == before


def test_what_is_restored_to_go_on_is_what_was(store, file, target):
    run("admin", "store", "restore", file, "--store", target, "--resume")
    again = Store(target, exclusive=True)
    assert everything(again) == everything(store)
    assert check(again._database) == []
    for one in (store, again):
        one.add_effects(RUNNING, [("call", b"c")], now=1.0)
    assert [one.sequence for one in again.due_effects(9.0)] == [
        one.sequence for one in store.due_effects(9.0)
    ]
    again.close()


def test_without_more_said_trainings_under_way_are_given_up(store, file, target):
    says = run("admin", "store", "restore", file, "--store", target).stdout
    assert "1 trainings were given up" in says
    again = Store(target, exclusive=True)
    row = again.instance(RUNNING)
    assert (row.display_status, row.finished, row.closed) == ("FAILED(restored)", True, "restored")
    assert again.facts(RUNNING)[-1][0] == "restored"
    assert again.waiting_inputs() == 0
    assert again.next_timer_at() is None
    assert again.blobs(RUNNING) == {}
    ended = again.instance(ENDED)
    assert (ended.display_status, ended.closed) == ("FINISHED", None)
    assert again.result(ENDED, "model") is not None
    assert again.values("announced:") == {"0xa": b"1"}
    assert again.values(BOND.prefix) == {RUNNING: NATIVE.encode()}, "deposited since, perhaps: it comes back"
    assert check(again._database) == []
    again.close()


def test_no_daemon_goes_on_from_a_backup_itself(file):
    with pytest.raises(ConfigurationError, match=r"is a backup.*deltaml admin store restore"):
        Store(f"sqlite:///{file}", exclusive=True)


def test_a_store_is_neither_restored_over_nor_restored_from(store, store_url, file, tmp_path):
    before = everything(store)
    with pytest.raises(StoreInUse):
        Database(store_url, exclusive=True)
    refused("admin", "store", "restore", file, "--store", store_url)
    other = tmp_path / "other.sqlite"
    Store(f"sqlite:///{other}").close()
    assert "exists; move it away" in refused("admin", "store", "restore", file, "--store", other)
    new = tmp_path / "new.sqlite"
    assert "not a backup" in refused("admin", "store", "restore", other, "--store", new)
    assert "there is no file" in refused("admin", "store", "restore", tmp_path / "none", "--store", new)
    assert everything(store) == before


def test_a_damaged_store_is_not_backed_up_and_a_damaged_backup_not_restored(store, store_url, file, tmp_path):
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM blobs")
    says = refused("admin", "store", "backup", tmp_path / "second", "--store", store_url)
    assert "is damaged" in says
    assert "blob_missing" in says
    assert not (tmp_path / "second").exists()
    content = bytearray(file.read_bytes())
    for place in range(4096, len(content), 4096):
        content[place : place + 16] = bytes(16)
    file.write_bytes(content)
    new = tmp_path / "new.sqlite"
    assert "is damaged" in refused("admin", "store", "restore", file, "--store", new, status=3)
    assert not new.exists() or Store(f"sqlite:///{new}").instances() == []


def test_upgrade_tells_what_it_did(store_url):
    from tests.support.database.schema_2 import make_schema_2  # noqa: PLC0415

    make_schema_2(store_url)
    assert "schema version 3, it was 2" in run("admin", "store", "upgrade", "--store", store_url).stdout
    assert run("admin", "store", "upgrade", "--store", store_url).stdout.strip() == "schema version 3"
