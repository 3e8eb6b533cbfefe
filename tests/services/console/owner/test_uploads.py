"""Uploaded files: what stays of them, their names, and what they cannot do to the daemon."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from services.common.errors import DataSetError
from services.console.owner.uploads import data_set_name, forget_uploads
from services.console.web.uploads import clean_name
from services.data.catalog import Catalog
from services.data.row_reader import Import
from services.data.sandboxed_reader import read_apart


def test_what_a_crash_left_behind_is_removed(tmp_path):
    catalogue = Catalog(tmp_path / "datasets")
    forget_uploads(catalogue)
    uploads = catalogue.folder / ".uploads"
    (uploads / "half.csv").write_bytes(b"age,bmi\n1,2\n")
    forget_uploads(catalogue)
    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "clean", "data_set"),
    [
        ("C:\\Users\\me\\rows.csv", "rows.csv", "rows"),
        ("../../.ssh/rows.csv", "rows.csv", "rows"),
        ("a\x00\n\x1b[31mb.csv", "a[31mb.csv", "a-31mb"),
        ("\u202egnp.csv", "gnp.csv", "gnp"),
        ("datos de año.csv", "datos de año.csv", "datos-de-ano"),
        ("...csv", "...csv", "rows"),
    ],
)
def test_names_of_files_lose_what_could_harm(given, clean, data_set):
    assert clean_name(given) == clean
    assert data_set_name(clean) == data_set


async def test_a_file_made_to_fill_the_memory_ends_its_own_process_alone(tmp_path):
    """Thirty million zeros take 260 kB as Parquet."""
    path = tmp_path / "bomb.parquet"
    zeros = pa.array(np.zeros(30_000_000))
    table = pa.table({f"x{number}": zeros for number in range(4)})
    parquet.write_table(table, path, compression="zstd", data_page_size=1 << 30, use_dictionary=False)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataSetError, match=r"mine\.parquet needs more than 400 MiB"):
        await read_apart(path, Import(), "mine.parquet", memory_bytes=400 << 20)


async def test_the_index_of_pandas_is_left_out_and_named(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"a": [1.0], "__index_level_0__": [7]}), path)
    found = await read_apart(path, Import(), "mine.parquet")
    assert (found.statistic.columns, found.left_out) == (("a",), ("__index_level_0__",))
    assert found.preview == ((1.0,),)


async def test_a_file_that_cannot_be_used_is_named_as_its_owner_calls_it(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("age,bmi\n1,2\n3,secret\n")
    with pytest.raises(DataSetError, match=r"^mine\.csv, row 2: column 'bmi' is not numeric;"):
        await read_apart(path, Import(), "mine.csv")


async def test_a_file_is_read_as_it_is_declared(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("area,zip,note\n40,8001,x\n900,8002,y\n")
    declared = Import(["zip", "area"], ["zip"], {"area": (0.0, 500.0)})
    zip_code, area = (await read_apart(path, declared, "mine.csv")).statistic.kept
    assert (zip_code.kind, zip_code.levels) == ("categorical", ("8001", "8002"))
    assert (area.maximum, area.clipped) == (500.0, 1)
