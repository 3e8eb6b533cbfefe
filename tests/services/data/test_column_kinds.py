"""What the columns of a file are taken for, in CSV and in Parquet, and what is refused as a slip."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet
import pytest

from services.common.errors import UnusableColumn
from services.data.column_kinds import read_kinds


def csv(tmp_path, *values):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f'"{value}",1\n' if value else ",1\n" for value in values))
    return path


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2.5", ".5e3", ""], "number"),
        (["1", "0", ""], "number"),
        (["yes", "No", ""], "boolean"),
        (["True", "FALSE"], "boolean"),
        (["1", "yes"], "boolean"),
        (["2024-02-29", ""], "date"),
        (["2024-02-29 10:30", "2024-02-29T10:30:15.5"], "date"),
        (["2024-02-29", "2024-02-30"], "text"),
        (["gas", "oil", ""], "text"),
        (["A1", "B2", "3"], "text"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_texts_are_taken_for_what_all_of_them_are(tmp_path, values, kind, suffix):
    path = csv(tmp_path, *values)
    if suffix == "parquet":
        path = tmp_path / "t.parquet"
        texts = pa.array([value or None for value in values])
        pyarrow.parquet.write_table(pa.table({"a": texts, "b": [1] * len(values)}), path)
    assert read_kinds(path)["a"] == kind


def test_words_for_gaps_in_csv_are_gaps(tmp_path):
    assert read_kinds(csv(tmp_path, "", "NA", "nan"))["a"] == "number"


def test_types_of_parquet_are_believed(tmp_path):
    table = pa.table(
        {
            "number": [1, 2],
            "truth": [True, None],
            "day": [date(2024, 2, 29), None],
            "level": pa.array(["x", "y"]).dictionary_encode(),
            "list": [[1], [2]],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    found = read_kinds(tmp_path / "t.parquet")
    assert found == {"number": "number", "truth": "boolean", "day": "date", "level": "text", "list": "number"}


@pytest.mark.parametrize(
    ("values", "row", "words"),
    [
        (["1", "2", "8675309x", "4"], 3, "(found: a number with a unit; write the number alone)"),
        (["oops", "2", "3", "4"], 1, "is not numeric; encode"),
        (["8,675,309", "1,234"], 1, "(found: a number with commas or spaces; write it like 1234.5)"),
        (["8675309 kg", "71 kg"], 1, "(found: a number with a unit"),
    ],
)
def test_a_slip_among_numbers_is_refused_by_its_row_and_not_shown(tmp_path, values, row, words):
    path = csv(tmp_path, *values)
    with pytest.raises(UnusableColumn) as refused:
        read_kinds(path)
    assert f"row {row}: column 'a' is not numeric" in str(refused.value)
    assert words in str(refused.value)
    assert "deltaml datasets add --categorical takes such values as levels" in str(refused.value)
    assert "8675309" not in str(refused.value)
    assert read_kinds(path, categorical=["a"])["a"] == "text"


def test_the_rows_of_a_slip_are_counted_across_batches(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "1.5\n" * 400_000 + "2,5x\n".replace(",", ".") + "1.5\n" * 10)
    with pytest.raises(UnusableColumn, match="row 400001: column 'a' is not numeric"):
        read_kinds(path)
