"""The schema: made and upgraded to the same tables, refused when not ours to read, whole after a crash."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.common.errors import ConfigurationError, StoreInUse
from services.store import SCHEMA_VERSION, Store
from services.store.database import Database
from services.store.schema import MIGRATIONS, version_of
from services.store.tables import metadata
from tests.support.database.schema_2 import make_schema_2
from tests.support.database.stores import everything, offered, writes

OLD_ROWS = {
    "instances": [
        {"key": "1", "training": 1, "state": b"s", "shown": "READY", "finished": False, "updated_at": 1.0}
    ],
    "inbox": [
        {"sequence": 3, "input_id": b"1" * 32, "key": "1", "content": None, "done": True, "arrived_at": 1.0},
        {"sequence": 4, "input_id": b"2" * 32, "key": "1", "content": b"i", "done": False, "arrived_at": 2.0},
    ],
    "outbox": [
        {
            "sequence": 7,
            "key": "1",
            "kind": "call",
            "content": b"c",
            "attempts": 2,
            "next_at": 3.0,
            "added_at": 1.0,
        }
    ],
    "facts": [{"sequence": 9, "key": "1", "name": "opened", "data": "{}", "at": 1.0}],
}


@pytest.fixture
def database(store_url):
    opened = Database(store_url)
    yield opened
    opened.close()


def version_is(database, version):
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE schema_version SET version = :v"), {"v": version})


def fill(database):
    with database.writing() as connection:
        for name, rows in OLD_ROWS.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(table.insert(), rows)
            if "sequence" in table.c and connection.dialect.name == "postgresql":
                last = f"SELECT setval('{name}_sequence_seq', (SELECT max(sequence) FROM {name}))"
                connection.exec_driver_sql(last)


def _options(index):
    return {name: str(value) for name, value in index["dialect_options"].items() if value is not None}


def described(database):
    """Everything about the tables that the database knows."""
    with database.reading() as connection:
        inspector = sa.inspect(connection)
        return {
            name: (
                [(one["name"], type(one["type"]), one["nullable"]) for one in inspector.get_columns(name)],
                inspector.get_pk_constraint(name)["constrained_columns"],
                sorted(
                    (str(one["name"]), one["column_names"], bool(one["unique"]), _options(one))
                    for one in inspector.get_indexes(name)
                    if not one.get("duplicates_constraint")
                ),
                [one["column_names"] for one in inspector.get_unique_constraints(name)],
            )
            for name in inspector.get_table_names()
        }


def test_the_last_migration_is_this_programs_schema():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == str(SCHEMA_VERSION)


def test_what_the_migrations_make_is_what_the_program_uses(store_url, database):
    make_schema_2(store_url)
    Store(store_url).close()
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    upgraded = described(database)
    with database.writing() as connection:
        for name in upgraded:
            connection.exec_driver_sql(f"DROP TABLE {name}")
    Store(store_url).close()
    assert described(database) == upgraded


def test_a_store_of_the_last_version_opens_with_everything_in_it(store_url, database):
    make_schema_2(store_url)
    fill(database)
    store = Store(store_url, exclusive=True)
    assert version_of(database) == SCHEMA_VERSION
    rows = everything(store)
    assert [row[:6] for row in rows["instances"]] == [("1", 1, b"s", "READY", False, 1.0)]
    assert [effect.sequence for effect in store.due_effects(3.0)] == [7]
    assert store.facts("1") == [("opened", {}, 1.0)]
    waiting = store.next_input("1")
    assert (waiting.sequence, waiting.content) == (4, b"i")
    store.add_inputs([(b"1" * 32, "1", b"again"), (b"3" * 32, "1", b"new")])
    store.write_step(waiting, writes(effects=[("call", b"d")], facts=[("started", {})]), now=4.0)
    assert store.next_input("1").content == b"new"
    assert [effect.sequence for effect in store.due_effects(4.0)] == [7, 8]
    store.close()


def test_a_number_in_the_outbox_is_never_used_again(store_url):
    store = Store(store_url)
    store.write_step(offered(store), writes(effects=[("call", b"c")]), now=0.0)
    (first,) = store.due_effects(0.0)
    store.effects_done([first])
    store.add_effects("1", [("call", b"c")], now=0.0)
    assert store.due_effects(0.0)[0].sequence > first.sequence
    store.close()


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (SCHEMA_VERSION + 1, r"version 4, from a newer DeltaML.*up to version 3.*cannot be taken back"),
        (1, r"version 1; this program upgrades from version 2 on"),
    ],
)
def test_a_store_that_is_not_ours_to_read_is_refused_and_left_alone(store_url, database, version, reason):
    Store(store_url).close()
    version_is(database, version)
    before = described(database)
    for options in ({}, {"exclusive": True}, {"existing": True}):
        with pytest.raises(ConfigurationError, match=reason):
            Store(store_url, **options)
    assert version_of(database) == version
    assert described(database) == before


def test_who_only_looks_upgrades_nothing(store_url, database):
    make_schema_2(store_url)
    with pytest.raises(ConfigurationError, match=r"version 2.*deltaml admin store upgrade"):
        Store(store_url, existing=True)
    assert version_of(database) == 2


def test_an_upgrade_that_dies_half_way_leaves_the_old_store(store_url, database):
    make_schema_2(store_url)
    fill(database)
    before = described(database)

    def die(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE schema_version"):  # the last step of the migration
            raise KeyboardInterrupt

    sa.event.listen(sa.Engine, "after_cursor_execute", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            Store(store_url)
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", die)
    assert described(database) == before
    Store(store_url).close()
    assert version_of(database) == SCHEMA_VERSION


def test_nobody_upgrades_a_store_under_its_daemon(store_url, database):
    daemon = Store(store_url, exclusive=True)
    version_is(database, 2)
    with pytest.raises(StoreInUse, match="stop its daemon"):
        Store(store_url)
    daemon.close()
