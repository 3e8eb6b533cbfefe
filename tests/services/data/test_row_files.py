import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from services.common.errors import DataSetError
from services.data.row_files import column_names, index_columns, open_columns
from services.data.row_reader import read_statistic
from tests.support.number_rows import read_rows

ROOT = Path(__file__).parents[3]
SECRET = "8675309"
MEASURE = """
import resource, sys
from pathlib import Path
from services.data.row_reader import read_statistic
rows = read_statistic(sys.argv[1]).rows
status = Path("/proc/self/status")
if status.exists():
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(rows, peak)
"""


def write(path, text):
    path.write_text(text)
    return path


def test_statistic_of_csv_and_parquet_agree_with_the_rows(tmp_path):
    rows = np.random.default_rng(1).normal(size=(1000, 3))
    table = pa.table({name: rows[:, index] for index, name in enumerate("abc")})
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=300)
    gram = np.column_stack([rows, np.ones(1000)])
    for name in ("t.csv", "t.parquet"):
        seen = []
        statistic = read_statistic(tmp_path / name, progress=seen.append)
        assert statistic.columns == ("a", "b", "c")
        assert statistic.rows == seen[-1] == 1000
        assert np.allclose(statistic.factor.T @ statistic.factor, gram.T @ gram / 1000)
        assert [one.maximum for one in statistic.kept] == rows.max(axis=0).tolist()


def test_columns_are_chosen_in_the_order_asked_and_others_may_hold_text(tmp_path):
    path = write(tmp_path / "t.csv", "id,a,b\nx1,1,2\nx2,3,4\n")
    names, rows = read_rows(path, ["b", "a"])
    assert names == ("b", "a")
    assert rows.tolist() == [[2, 1], [4, 3]]
    assert column_names(path) == ("id", "a", "b")


def test_parquet_takes_every_kind_of_number(tmp_path):
    table = pa.table(
        {
            "i": pa.array([1, 2**60], pa.int64()),
            "f": pa.array([0.5, 1.5], pa.float32()),
            "d": pa.array([Decimal("1.25"), Decimal("2.50")]),
            "b": pa.array([True, False]),
            "u": pa.array([2**63, 1], pa.uint64()),
            "h": pa.array(np.array([1.5, 2.5], np.float16)),
            "n": pa.array([1.5, 2.5]).dictionary_encode(),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    rows = read_rows(tmp_path / "t.parquet")[1]
    assert rows.tolist() == [[1, 0.5, 1.25, 1, 2.0**63, 1.5, 1.5], [2.0**60, 1.5, 2.5, 0, 1, 2.5, 2.5]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n", "has a header but no rows"),
        ("\n\n", "is not a CSV file with a header"),
        ("1,2\n3,4\n", "holds numbers; put the columns' names there"),
        ("a,a\n1,2\n", "two columns named 'a'"),
        ("a,\n1,2\n", "column 2 needs a name"),
        (f"a,b\n1,2\n{SECRET},x{SECRET}\n", "row 2: column 'b' is not numeric"),
        (f"a,b\n{SECRET},inf\n", "row 1: column 'b' has an infinite value"),
        (f"a,b\n1,2\n{SECRET}\n", "row 2: 1 values for 2 columns; separate values by commas"),
        (f'a,b\n1,"{SECRET}\n3,4\n', "column 'b' is not numeric"),
    ],
)
def test_a_wrong_csv_is_refused_by_place_and_never_by_value(tmp_path, text, says):
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(DataSetError) as refusal:
        read_rows(path)
    assert says in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"a;b\n{SECRET},5;2\n".encode(), "separates values by semicolons; save it with commas"),
        (b"a\tb\n1\t2\n", "separates values by tabs"),
        (f"a,b\n{SECRET},2\n".encode("utf-16"), "UTF-16 or no text"),
        (f"a,b\n{SECRET},2\n".encode("utf-16-le"), "UTF-16 or no text"),
        (b"a,b\n1,\x002\n", "holds zero bytes"),
        (b"a,b\nTrue,1\n", "row 1: column 'a' is not numeric (found: yes or no; write 1 and 0)"),
        (
            f'a,b\n"{SECRET},000",1\n'.encode(),
            "row 1: column 'a' is not numeric (found: a number with commas",
        ),
        (f"a,b\n{SECRET} kg,1\n".encode(), "found: a number with a unit; write the number alone"),
        (b"a,b\n2026-01-02,1\n", "found: a date; write it as a number"),
        (b"a,b,\n1,2,\n", "column 3 needs a name of 1 to 200 printable characters"),
        (b",a\n0,1\n", "pandas writes its index so"),
        (b"a,b\n1,2,\n", "row 1: 3 values for 2 columns"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 600_000, "a row longer than 1 MiB, or a quote that is not closed"),
        (b"n,a,b\n1,2,3\ncaf\xe9,1,2,3\n", "row 2: 4 values for 3 columns"),
        (b"a,b\n1,caf\xe9\n", "row 1: column 'b' is not numeric"),
    ],
)
def test_what_is_no_csv_of_numbers_is_told_by_its_kind(tmp_path, capfd, content, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataSetError) as refusal:
        read_rows(path)
    assert says in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert capfd.readouterr() == ("", ""), "a library's traceback would show bytes of values"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a,b\r1,2\r",
        b"a,b\r\n1,2\r\n",
        b" a , b\n1 , 2\n",
        b",a,b\n0,1,2\n",
        b"x,x,a,b\n0,0,1,2\n",
        b"n,a,b\ncaf\xe9,1,2\n",
    ],
)
def test_what_the_chosen_columns_do_not_need_may_be_as_it_is(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    names, rows = read_rows(tmp_path / "t.csv", ["b", "a"])
    assert (names, rows.tolist()) == (("b", "a"), [[2.0, 1.0]])


def test_line_ends_in_quotes_are_read_in_every_block(tmp_path):
    notes = ("\n".join(["x" * 70] * (1 + number % 37)) for number in range(3000))
    path = write(tmp_path / "t.csv", "a,n\n" + "".join(f'{i},"{note}"\n' for i, note in enumerate(notes)))
    assert path.stat().st_size > 3 << 20, "some blocks"
    assert read_rows(path, ["a"])[1][:, 0].tolist() == list(range(3000))


def test_accents_are_compared_as_people_read_them(tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    write(tmp_path / "t.csv", f"{decomposed},b\n1,2\n")
    pyarrow.parquet.write_table(pa.table({decomposed: [1.0], "b": [2.0]}), tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert column_names(tmp_path / name) == (composed, "b")
        for asked in (composed, decomposed):
            assert read_rows(tmp_path / name, ["b", asked])[1].tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize(
    "described", ['{"index_columns": ["id"]}', "{nonsense", '{"index_columns": 5}', "[1]"]
)
def test_the_index_of_pandas_is_not_read(tmp_path, described):
    table = pa.table({"a": [1.0], "b": [2.0], "id": [8], "__index_level_0__": [7]})
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table.replace_schema_metadata({"pandas": described}), path)
    told = index_columns(path)
    assert "__index_level_0__" in told
    assert ("id" in told) == ("id" in described)
    assert set(column_names(path)) == {"a", "b", "id", "__index_level_0__"} - set(told)
    with pytest.raises(DataSetError, match="has no column '__index_level_0__'"):
        read_rows(path, ["__index_level_0__"])


def test_columns_that_hold_no_numbers_are_refused_by_their_type(tmp_path):
    for values, kind in (
        (pa.array([{"x": 1}]), "struct"),
        (pa.array([[1]]), "list"),
        (pa.array([SECRET]).dictionary_encode(), "dictionary"),
        (pa.array([datetime(2026, 1, 2, tzinfo=UTC)]), "timestamp"),
    ):
        pyarrow.parquet.write_table(pa.table({"a": values}), tmp_path / "t.parquet")
        with pytest.raises(DataSetError, match=rf"column 'a' is not numeric \(found: {kind}"):
            read_rows(tmp_path / "t.parquet")


def test_rows_are_counted_across_blocks(tmp_path):
    lines = ["a,b", *("1.5,2.5" for _ in range(400_000))]
    lines[300_001] = "1.5,oops"
    with pytest.raises(DataSetError, match="row 300001: column 'b' is not numeric"):
        read_rows(write(tmp_path / "t.csv", "\n".join(lines)))
    lines[300_001] = "1.5,inf"
    with pytest.raises(DataSetError, match="row 300001: column 'b' has an infinite value"):
        read_rows(write(tmp_path / "t.csv", "\n".join(lines)))


def test_a_header_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\xff\n1,2\n")
    with pytest.raises(DataSetError, match="not UTF-8"):
        column_names(tmp_path / "t.csv")


def test_a_wrong_parquet_is_refused(tmp_path):
    def refusal(table):
        pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
        with pytest.raises(DataSetError) as refused:
            read_rows(tmp_path / "t.parquet")
        assert SECRET not in str(refused.value)
        return str(refused.value)

    assert "column 'b' is not numeric" in refusal(pa.table({"a": [1], "b": [SECRET]}))
    assert "row 2: column 'a' has an infinite value" in refusal(pa.table({"a": [1, np.inf], "b": [1, 2]}))
    assert "no rows" in refusal(pa.table({"a": pa.array([], pa.float64())}))
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert "two columns named 'a'" in refusal(twice)
    (tmp_path / "t.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataSetError, match="not a Parquet file"):
        read_rows(tmp_path / "t.parquet")


def test_a_damaged_page_of_a_parquet_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    values = np.random.default_rng(1).normal(size=50_000)
    pyarrow.parquet.write_table(pa.table({"a": values}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[1000:200_000] = bytes(199_000)
    path.write_bytes(content)
    with pytest.raises(DataSetError, match="damaged"):
        read_rows(path)


def test_paths_that_are_no_data_file_are_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for name, says in (
        ("missing.csv", "there is no file"),
        ("folder.csv", "is a directory"),
        ("rows.xlsx", "convert it"),
        ("loop.csv", "cannot be read"),
    ):
        with pytest.raises(DataSetError, match=says):
            read_rows(tmp_path / name)


def test_a_file_whose_name_is_not_utf8_is_refused_by_it(tmp_path):
    place = Path(os.fsdecode(bytes(tmp_path) + b"/rows\xff.csv"))
    place.write_text("a,b\n1,2\n")
    for read in (open_columns, column_names, index_columns):
        with pytest.raises(DataSetError, match=r"rows\\udcff\.csv' is not UTF-8; rename it"):
            read(place)


def test_columns_that_cannot_be_chosen_are_refused(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\n1,2\n")
    with pytest.raises(DataSetError, match="no column 'c'; it has a, b"):
        open_columns(path, ["a", "c"])
    with pytest.raises(DataSetError, match="each column"):
        open_columns(path, ["a", "a"])
    with pytest.raises(DataSetError, match="at least one"):
        open_columns(path, [])


def test_rows_for_memory_are_bounded(tmp_path):
    path = write(tmp_path / "t.csv", "a\n1\n2\n3\n")
    assert len(read_rows(path, limit=3)[1]) == 3
    with pytest.raises(DataSetError, match="more than 2 rows; take a sample"):
        read_rows(path, limit=2)


def peak_memory(path):
    """(rows, kilobytes of the largest resident set) of a process that reads the file's statistic."""
    output = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows, peak = output.stdout.split()
    return int(rows), int(peak)


def write_parquet(path, groups):
    block = np.random.default_rng(1).normal(size=(100_000, 4))
    table = pa.table({f"x{index}": block[:, index] for index in range(4)})
    with pyarrow.parquet.ParquetWriter(
        path, table.schema, compression="none", use_dictionary=False
    ) as writer:
        for _ in range(groups):
            writer.write_table(table)
    return table


def test_three_million_rows_take_no_more_memory_than_half_a_million(tmp_path):
    write_parquet(tmp_path / "large.parquet", 30)
    table = write_parquet(tmp_path / "small.parquet", 5)
    pyarrow.csv.write_csv(pa.concat_tables([table] * 5), tmp_path / "small.csv")
    large = peak_memory(tmp_path / "large.parquet")
    small = peak_memory(tmp_path / "small.parquet")
    csv = peak_memory(tmp_path / "small.csv")
    assert (large[0], small[0], csv[0]) == (3_000_000, 500_000, 500_000)
    assert max(large[1], small[1], csv[1]) < 400_000
    assert large[1] < small[1] + 50_000  # the 2.5 million more rows are 80 MB as numbers
