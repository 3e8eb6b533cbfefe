"""Files of ordinary columns: CSV and Parquet give the same statistic, that of the rows."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from protocol.preparation.tables import Texts
from services.common.errors import DataSetError
from services.data.row_reader import Import, first_rows, read_statistic, read_table, read_tables

COLUMNS = {
    "area": [50.5, None, 70.0, 9.0],
    "garden": [True, False, None, True],
    "heating": ["gas", "oil", None, "gas"],
    "built": [date(2000, 1, 8), date(1999, 12, 25), None, date(1970, 1, 2)],
}
KINDS = {"area": "number", "garden": "boolean", "heating": "text", "built": "date"}
CSV = """area,garden,heating,built
50.5,yes, gas,2000-01-08
,no,oil,1999-12-25
70,,,
9,Y,gas ,1970-01-02
"""


@pytest.fixture(params=["csv", "parquet"])
def path(request, tmp_path):
    file = tmp_path / f"rows.{request.param}"
    if request.param == "csv":
        file.write_text(CSV)
    else:
        pyarrow.parquet.write_table(pa.table(COLUMNS), file, row_group_size=3)
    return file


def test_columns_are_read_as_what_they_are(path):
    table = read_table(path, KINDS)
    np.testing.assert_array_equal(table["area"], [50.5, np.nan, 70, 9])
    np.testing.assert_array_equal(table["garden"], [1, 0, np.nan, 1])
    np.testing.assert_array_equal(table["built"], [10964, 10950, np.nan, 1])
    assert isinstance(table["heating"], Texts)
    assert [table["heating"].levels[code] if code >= 0 else None for code in table["heating"].codes] == [
        *("gas", "oil", None, "gas")
    ]


def test_the_statistic_is_that_of_the_parts_of_all_columns(path):
    seen = []
    statistic = read_statistic(path, progress=seen.append)
    assert (statistic.rows, seen[-1]) == (4, 4)
    area, gap = np.array([50.5, 0, 70, 9]), np.array([0.0, 1, 0, 0])
    log = np.where(gap, 0, np.log(area + gap))
    garden, gas, oil, built = [1.0, 0, 0, 1], [1.0, 0, 0, 1], [0.0, 1, 0, 0], [10964.0, 10950, 0, 1]
    third = [0.0, 0, 1, 0]
    parts = np.column_stack([area, log, gap, garden, third, gas, oil, third, built, third, np.ones(4)])
    np.testing.assert_allclose(
        statistic.factor.T @ statistic.factor, parts.T @ parts / 4, rtol=1e-10, atol=1e-9
    )
    assert first_rows(path, statistic, 2) == [[50.5, 1, "gas", "2000-01-08"], [None, 0, "oil", "1999-12-25"]]


def test_columns_are_clipped_as_declared(path):
    clip = {"area": (10.0, 60.0), "built": (10950.0, 20000.0)}
    statistic = read_statistic(path, Import(["area", "built"], clip=clip))
    assert [(one.minimum, one.maximum, one.clipped) for one in statistic.kept] == [
        (10, 60, 2),
        (10950, 20000, 1),
    ]


def test_numbers_may_be_levels(tmp_path):
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"zip": [8001, None, 8002], "f": [1.5, 2.5, 1.5]}), path)
    statistic = read_statistic(path, Import(categorical=["zip"]))
    assert (statistic.kept[0].kind, statistic.kept[0].levels) == ("categorical", ("8001", "8002"))
    with pytest.raises(DataSetError, match="column 'f' holds double, which cannot be read as levels"):
        read_statistic(path, Import(categorical=["f"]))


@pytest.mark.parametrize(
    ("text", "kinds", "says"),
    [
        ("a\n1\nx8675309\n", {"a": "boolean"}, "row 2: column 'a' is neither yes nor no"),
        ("a\n2024-01-01\n8675309\n", {"a": "date"}, "row 2: column 'a' is no date; write it like 2024-02-29"),
        ("a\n1\n8675309x\n", {"a": "number"}, "row 2: column 'a' is not numeric"),
        ("a\n1\n-inf\n", {"a": "number"}, "row 2: column 'a' has an infinite value"),
        ("a\n1\n", {"b": "number"}, "has no column 'b'"),
    ],
)
def test_what_a_kind_does_not_take_is_refused_by_row_and_never_by_value(tmp_path, text, kinds, says):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataSetError) as refused:
        list(read_tables(path, kinds))
    assert says in str(refused.value)
    assert "8675309" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n", "has a header but no rows"),
        (b"a,b\n,1\n,2\n", "column 'b'|column 'a' has no value in any row; leave it out"),
        (b"n,a\ncaf\xe9,1\n", "row 1: column 'n' is not UTF-8; save the file as UTF-8"),
    ],
)
def test_files_that_make_no_statistic(tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataSetError, match=says):
        read_statistic(path)


def test_a_table_for_memory_is_bounded(path):
    assert len(read_table(path, {"area": "number"}, limit=4)["area"]) == 4
    with pytest.raises(DataSetError, match="more than 3 rows; take a sample"):
        read_table(path, {"area": "number"}, limit=3)
