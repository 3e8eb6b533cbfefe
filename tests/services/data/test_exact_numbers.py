"""Whole numbers that a float would round are refused by row and column, and read where they are exact."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from services.common.errors import DataSetError
from tests.support.number_rows import read_rows

EXACT = 2**53
REFUSED = r"row 2: column 'a' has a whole number beyond 2\^53 \(9007199254740992\), which would be rounded; "


def csv(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return path


def parquet(tmp_path, values):
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pa.table({"a": values, "b": [1.0] * len(values)}), path)
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((str(number), number) for number in (EXACT - 1, EXACT, -EXACT, EXACT + 2, 10**18)),
        *(("1e300", 1e300), ("9.007199254740993e15", 9.007199254740993e15), ("0" * 30 + "7", 7)),
        *(("1e16", 1e16), ("9007199254740992.5", float(EXACT)), (f"{EXACT}.0", EXACT)),
    ],
)
def test_a_number_in_csv_that_is_kept_exactly_or_is_measured_is_read(tmp_path, text, value):
    _, rows = read_rows(csv(tmp_path, f"a,b\n1,2\n{text},3\n"))
    assert rows[1, 0] == value


@pytest.mark.parametrize(
    "text",
    [
        *(str(number) for number in (EXACT + 1, -EXACT - 1, 2**64 - 1, 12345678901234567890123)),
        *(f"+{EXACT + 1}", f" {EXACT + 1} ", f'"{EXACT + 1}"', f"00{EXACT + 1}"),
        *(f"{EXACT + 1}.", f"{EXACT + 1}.00", "9" * 300),
    ],
)
def test_a_whole_number_in_csv_that_would_be_rounded_is_refused(tmp_path, text):
    path = csv(tmp_path, f"a,b\n1,2\n{text},3\n{text},3\n")
    with pytest.raises(DataSetError, match=REFUSED) as refused:
        read_rows(path)
    assert text.strip('"+ ') not in str(refused.value)
    assert read_rows(path, ["b"])[1].tolist() == [[2], [3], [3]]


def test_the_row_is_told_across_the_blocks_of_a_file(tmp_path):
    lines = [f'{number}e17,"x\ny"' for number in range(300_000)]
    lines[5] = f"{10**18},x"
    lines[299_000] = f"{EXACT + 1},x"
    path = csv(tmp_path, "\n".join(["a,note", *lines, ""]))
    with pytest.raises(DataSetError, match="row 299001: column 'a' has a whole number beyond"):
        read_rows(path, ["a"])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, EXACT]),
        pa.array([1, -(2**63)]),
        pa.array([1, 2**63], pa.uint64()),
        pa.array([1, 1e300]),
        pa.array([Decimal("0.1"), Decimal("9007199254740993.5")], pa.decimal128(38, 1)),
        pa.array([Decimal(1), Decimal(10**18)], pa.decimal128(38, 0)),
    ],
)
def test_a_number_in_parquet_that_is_kept_exactly_or_is_measured_is_read(tmp_path, values):
    _, rows = read_rows(parquet(tmp_path, values))
    assert rows[1, 0] == pytest.approx(float(values[1].as_py()), rel=1e-15)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, EXACT + 1]),
        pa.array([1, 2**63 - 1]),
        pa.array([1, -EXACT - 1]),
        pa.array([1, 2**64 - 1], pa.uint64()),
        pa.array([Decimal(1), Decimal(EXACT + 1)], pa.decimal128(38, 0)),
        pa.array([Decimal(1), Decimal(10**37 + 1)], pa.decimal256(60, 2)),
    ],
)
def test_a_whole_number_in_parquet_that_would_be_rounded_is_refused(tmp_path, values):
    path = parquet(tmp_path, values)
    with pytest.raises(DataSetError, match=REFUSED) as refused:
        read_rows(path)
    assert str(values[1].as_py()) not in str(refused.value)
    assert read_rows(path, ["b"])[1].tolist() == [[1], [1]]


def test_the_row_is_told_across_the_batches_of_a_parquet_file(tmp_path):
    values = np.arange(1_500_000)
    values[1_200_000] = EXACT + 1
    with pytest.raises(DataSetError, match="row 1200001: column 'a' has a whole number beyond"):
        read_rows(parquet(tmp_path, values), ["a"], limit=2_000_000)
