"""Changes by the driver are those by SQLAlchemy: rows, counts, defaults, types and errors."""

import time

import pytest
import sqlalchemy as sa

from services.store.database import Database
from services.store.prepared_writes import PREPARED, change, first_row
from services.store.tables import inbox, instances, metadata, outbox, role_values

INSTANCE = {
    "key": "k",
    "state": b"\0s",
    "shown": "READY",
    "finished": True,
    "updated_at": 1,
    "training": None,
}
NEW_INPUT, NEW_EFFECT, NEW_VALUE = inbox.insert(), outbox.insert(), role_values.insert()
DONE = inbox.update().where(inbox.c.key == sa.bindparam("of"), ~inbox.c.done).values(done=True, content=None)
GONE = role_values.delete().where(role_values.c.name == sa.bindparam("gone"))
VALUE = sa.select(role_values.c.content).where(role_values.c.name == sa.bindparam("of"))


def _database():
    made = Database("sqlite://")
    metadata.create_all(made.engine)
    return made


@pytest.fixture
def database():
    made = _database()
    yield made
    made.close()


def _input(number: int, **changes: object) -> dict[str, object]:
    return {"input_id": bytes([number]) * 32, "key": "k", "content": b"c", "training": None} | changes


def _everything(database):
    with database.reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for name, table in metadata.tables.items()
        }


def _work(connection) -> list[int]:
    """Every kind of statement, with one row and with several, once and again."""
    counts = list[int]()
    for turn in range(3):
        counts.append(change(connection, instances.insert(), [INSTANCE | {"key": f"k{turn}"}]))
        rows = [_input(10 * turn + place, arrived_at=float(place)) for place in range(3)]
        counts.append(change(connection, NEW_INPUT, rows))
        counts.append(change(connection, NEW_INPUT, [_input(10 * turn + 9, key="other", arrived_at=2.0)]))
        counts.append(change(connection, DONE, [{"of": "k"}, {"of": "nobody"}]))
        counts.append(
            change(connection, NEW_VALUE, [{"name": f"{turn}{one}", "content": b""} for one in "ab"])
        )
        counts.append(change(connection, GONE, [{"gone": f"{turn}a"}]))
        counts.append(change(connection, GONE, [{"gone": "' OR 1=1 --"}]))
    return counts


def test_rows_counts_and_types_are_those_by_sqlalchemy(database):
    plain = _database()
    with plain.writing() as connection:
        del connection.info[PREPARED]
        expected = _work(connection)
    with database.writing() as connection:
        assert _work(connection) == expected
    assert _everything(database) == _everything(plain)
    plain.close()


def test_a_column_that_no_row_names_gets_its_default_anew_each_time(database):
    before = time.time()
    with database.writing() as connection:
        for number in range(2):
            change(connection, NEW_EFFECT, [{"key": "k", "kind": "call", "content": b"", "next_at": 0.0}])
            change(connection, NEW_INPUT, [_input(2 * number), _input(2 * number + 1)])
    effects, inputs = (_everything(database)[name] for name in ("outbox", "inbox"))
    assert [row[4] for row in effects] == [0, 0]
    assert all(before <= row[6] <= time.time() for row in effects)
    assert all(before <= row[-1] <= time.time() and row[5] is False for row in inputs)


def test_a_row_that_is_there_already_is_passed_over_and_not_counted(database):
    new = database.insert_new(inbox)
    with database.writing() as connection:
        assert change(connection, new, [_input(1)]) == 1
        assert change(connection, new, [_input(1), _input(2), _input(2)]) == 1


def test_a_transaction_sees_what_it_has_changed(database):
    with database.writing() as connection:
        for number in range(3):
            assert first_row(connection, VALUE, {"of": str(number)}) is None
            change(connection, NEW_VALUE, [{"name": str(number), "content": bytes([number])}])
            assert first_row(connection, VALUE, {"of": str(number)}).content == bytes([number])


def test_a_parameter_that_is_missing_is_an_error_and_not_null(database):
    for _ in range(2):
        with pytest.raises(KeyError), database.writing() as connection:
            change(connection, GONE, [{"other": "a"}])
    with pytest.raises(KeyError), database.writing() as connection:
        change(connection, NEW_VALUE, [{"name": "a", "content": b""}, {"name": "b"}])
    assert _everything(database)["role_values"] == []


def test_what_fails_is_told_as_sqlalchemy_tells_it_without_the_parameters(database):
    secret = "a secret"
    rows = [{"name": secret, "content": b""}, {"name": secret, "content": b""}]
    with database.writing() as connection, pytest.raises(sa.exc.IntegrityError) as told:
        change(connection, NEW_VALUE, rows)
    assert secret not in str(told.value)


def test_what_one_store_has_made_another_takes(database, monkeypatch):
    with database.writing() as connection:
        _work(connection)
        change(connection, database.insert_new(inbox), [_input(99)])

    def fail(*_arguments: object, **_named: object) -> None:
        pytest.fail("it is made again")

    monkeypatch.setattr(sa.Insert, "compile", fail)
    monkeypatch.setattr(sa.Delete, "compile", fail)
    monkeypatch.setattr(sa.Update, "compile", fail)
    other = _database()
    with other.writing() as connection:
        change(connection, NEW_INPUT, [_input(9, key="other", arrived_at=2.0)])
        change(connection, DONE, [{"of": "other"}])
        change(connection, GONE, [{"gone": "a"}])
        change(connection, other.insert_new(inbox), [_input(99)])
    other.close()
