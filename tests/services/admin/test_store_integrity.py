"""Damage of every kind is found and named; a sound store is called sound, also while it is in use."""

import pytest
import sqlalchemy as sa

from protocol.roles.dispatch import ROLES, decode_state
from protocol.roles.engine.state import references
from services.admin.store_integrity import check, read_state
from services.store import Store
from services.store.tables import blobs, inbox, instances, outbox, results, timers
from tests.support.daemons.command_line import run, run_json
from tests.support.database.real_rows import ENDED, RUNNING, fill
from tests.support.roles.golden_states import FOLDER
from tests.support.roles.phases import snapshots

FILES = sorted(FOLDER.glob("*/*.msgpack"))


@pytest.fixture
def store(store_url):
    opened = Store(store_url, exclusive=True)
    fill(opened)
    yield opened
    opened.close()


def findings(store, role="federated_aggregator"):
    return [(one.code, one.place.partition("/")[0]) for one in check(store._database, role)]


def test_a_sound_store_is_called_sound_also_while_it_is_in_use(store, store_url):
    assert findings(store) == []
    assert findings(store, None) == []
    assert run_json("admin", "store", "check", "--store", store_url) == {"sound": True, "damage": []}
    assert "the store is sound" in run("admin", "store", "check", "--store", store_url).stdout


DAMAGE = {
    "a state that is no state": (
        instances.update().where(instances.c.key == RUNNING).values(state=b"x"),
        {("state_unreadable", "instances")},
    ),
    "a blob that changed": (
        blobs.update().where(blobs.c.key == RUNNING).values(content=b"other"),
        {("blob_changed", "blobs")},
    ),
    "blobs that are gone": (
        blobs.delete().where(blobs.c.key == RUNNING),
        {("blob_missing", "instances")},
    ),
    "a blob that nobody needs": (
        blobs.insert().values(key=RUNNING, digest=b"d" * 32, content=b"c"),
        {("blob_changed", "blobs"), ("blob_unused", "blobs")},
    ),
    "a timer of nobody": (
        timers.insert().values(key="none", name="step", fire_at=1.0),
        {("orphan", "timers")},
    ),
    "a result of nobody": (
        results.insert().values(key="none", name="other", content=b"c"),
        {("orphan", "results")},
    ),
    "a model that is none": (
        results.update().values(content=b"c"),
        {("result_unreadable", "results")},
    ),
    "an input that cannot be read": (
        inbox.update().where(~inbox.c.done).values(content=b"c"),
        {("input_unreadable", "inbox")},
    ),
    "an input without content": (
        inbox.update().values(done=False, content=None),
        {("input_unreadable", "inbox")},
    ),
    "content of an input that is done": (
        inbox.update().values(done=True, content=b"c"),
        {("input_kept", "inbox")},
    ),
    "an effect that cannot be read": (
        outbox.update().values(content=b"c"),
        {("effect_unreadable", "outbox")},
    ),
    "an effect of no kind": (outbox.update().values(kind="wish"), {("effect_unreadable", "outbox")}),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_named(store, store_url, kind):
    statement, expected = DAMAGE[kind]
    with store._database.writing() as connection:
        connection.execute(statement)
    assert set(findings(store)) == expected
    told = run_json("admin", "store", "check", "--store", store_url, status=1)
    assert not told["sound"]
    assert {one["code"] for one in told["damage"]} == {code for code, _ in expected}


def test_a_state_of_another_role_is_damage(store):
    assert set(findings(store, "model_buyer")) == {("state_unreadable", "instances")}


def test_a_file_with_flipped_bytes_is_damaged(tmp_path):
    path = tmp_path / "daemon.sqlite"
    store = Store(f"sqlite:///{path}", exclusive=True)
    fill(store)
    store.close()
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 4096):  # the head of every page but the first
        content[place : place + 16] = bytes(b ^ 0xFF for b in content[place : place + 16])
    path.write_bytes(content)
    told = run_json("admin", "store", "check", "--store", str(path), status=1)
    assert {one["code"] for one in told["damage"]} <= {"unreadable", "file_damaged"}
    assert told["damage"]


def test_a_closed_instance_needs_no_blobs_and_refuses_inputs(store):
    assert store.archive(before=1.5) == 0  # too early
    assert store.archive(before=3.0) == 1
    assert store.archive(before=3.0) == 0
    row = store.instance(ENDED)
    assert (row.closed, row.display_status, row.finished) == ("archived", "FINISHED", True)
    assert store.result(ENDED, "model") is not None
    assert store.blobs(ENDED) == {}
    assert store.blobs(RUNNING)
    assert findings(store) == []
    with store._database.reading() as connection:
        keys = list(connection.scalars(sa.select(inbox.c.key)))
    assert keys == [RUNNING, RUNNING]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_state_of_one_role_is_not_taken_for_anothers(path):
    content = path.read_bytes()
    own = decode_state(path.stem.partition("-")[0], content)
    read = read_state(content, tuple(ROLES))
    assert read is not None
    assert set(references(read)) == set(references(own))


def test_nor_is_one_that_this_version_wrote():
    for (role, _phase), taken in snapshots().items():
        for snapshot in taken:
            state = snapshot.party.state
            assert state is not None
            read = read_state(state, tuple(ROLES))
            assert read is not None
            assert set(references(read)) == set(references(decode_state(role, state)))
