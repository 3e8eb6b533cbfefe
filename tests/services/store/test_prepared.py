"""Reads by the driver are those by SQLAlchemy: rows, names, types and errors."""

import gc
import sqlite3

import pytest
import sqlalchemy as sa

from services.common.errors import StoreUnavailable
from services.store.database import Database
from services.store.prepared import PreparedReads
from services.store.tables import instances, metadata, role_values

KEYED = sa.select(instances).where(instances.c.key == sa.bindparam("of"))
FINISHED = sa.select(instances.c.key, sa.func.length(instances.c.state)).where(instances.c.finished)
LISTED = sa.select(role_values).where(role_values.c.name.in_(sa.bindparam("names", expanding=True)))
PREFIXED = (
    sa.select(role_values.c.content)
    .where(role_values.c.name.startswith("a_", autoescape=True))
    .order_by(role_values.c.name)
    .limit(sa.bindparam("most"))
)


@pytest.fixture
def database():
    made = Database("sqlite://")
    metadata.create_all(made.engine)
    row = {"state": b"\0s", "shown": "READY", "finished": False, "updated_at": 1, "training": None}
    with made.writing() as connection:
        connection.execute(instances.insert(), [row | {"key": "k"}, row | {"key": "l", "finished": True}])
        connection.execute(
            role_values.insert(), [{"name": name, "content": name.encode()} for name in ("a_1", "a_2", "ab")]
        )
    yield made
    made.close()


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (KEYED, {"of": "l"}),
        (KEYED, {"of": "' OR 1=1 --"}),
        (FINISHED, {}),
        (PREFIXED, {"most": 1}),
        (LISTED, {"names": ["ab", "a_1"]}),
        (sa.text("SELECT 1"), {}),
    ],
)
def test_each_time_a_query_is_asked_it_gives_the_rows_that_sqlalchemy_gives(database, query, values):
    with database.reading() as connection:
        expected = connection.execute(query, values).all()
    for _ in range(3):
        assert [tuple(row) for row in database.rows(query, **values)] == [tuple(row) for row in expected]
        first = database.row(query, **values)
        assert (first and tuple(first)) == (tuple(expected[0]) if expected else None)
        assert database.scalar(query, **values) == (expected[0][0] if expected else None)


def test_rows_have_their_columns_names_and_types(database):
    for _ in range(3):
        row = database.row(KEYED, of="l")
        assert (row.key, row.state, row.finished, row.training) == ("l", b"\0s", True, None)
        assert isinstance(row.finished, bool)
        assert isinstance(row.updated_at, float)


def test_a_parameter_that_is_missing_is_an_error_and_not_null(database):
    for _ in range(3):
        assert database.row(KEYED, of="k") is not None
    with pytest.raises(KeyError):
        database.row(KEYED)


def test_what_fails_is_told_as_the_store_tells_it_and_a_read_leaves_nothing_open(database, tmp_path):
    file = Database(f"sqlite:///{tmp_path / 'store'}", rest_seconds=0.0)
    metadata.create_all(file.engine)
    for _ in range(3):
        assert file.row(FINISHED) is None
    with sqlite3.connect(tmp_path / "store") as other:
        other.execute("DROP TABLE instances")  # no read of ours holds it
    other.close()
    with pytest.raises(StoreUnavailable, match="no such table"):
        file.row(FINISHED)
    file.close()


def test_a_query_of_one_use_is_not_kept(database):
    reads = PreparedReads(database.engine.dialect)
    assert reads.of(FINISHED) is None
    assert reads.of(FINISHED) is reads.of(FINISHED) is not None
    for number in range(50):
        assert reads.of(sa.select(instances).limit(number)) is None
    gc.collect()
    assert len(reads._known) == 1


def test_a_query_that_sqlalchemy_is_to_run_is_looked_at_once(database, monkeypatch):
    compiled, reads = list[str](), PreparedReads(database.engine.dialect)
    compiling = sa.Select.compile
    monkeypatch.setattr(
        sa.Select, "compile", lambda *a, **b: (compiled.append("once"), compiling(*a, **b))[1]
    )
    assert [reads.of(LISTED) for _ in range(4)] == [None] * 4
    assert len(compiled) == 1
