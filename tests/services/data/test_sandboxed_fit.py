"""An owner's file fitted in a process of its own."""

from pathlib import Path

import numpy as np
import pytest

from protocol.learning.glm.fitting import with_fit
from services.common.errors import DataSetError
from services.data.row_reader import read_statistic
from services.data.sandboxed_fit import fit_apart
from tests.support.generalized import NAMES, Matrix, request_of, rows_of, table_of

KIND = "poisson_regression"


def written(place: Path, rows: Matrix) -> Path:
    lines = [",".join(NAMES), *(",".join(map(repr, row)) for row in rows.tolist())]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


async def test_a_file_is_fitted_as_its_rows_in_memory_are(tmp_path: Path) -> None:
    rows, request = rows_of(KIND, 80), request_of(KIND)
    file = written(tmp_path / "rows.csv", rows)
    found = await fit_apart(file, request, read_statistic(file))
    expected = with_fit(request, read_statistic(file), lambda: [table_of(rows)])
    assert found.fitted is not None
    assert expected.fitted is not None
    np.testing.assert_allclose(found.fitted.training, expected.fitted.training, atol=1e-12)
    np.testing.assert_allclose(found.fitted.measuring, expected.fitted.measuring, atol=1e-12)


async def test_a_file_that_has_other_rows_now_is_not_fitted(tmp_path: Path) -> None:
    """The error tells no value: it may reach a log."""
    file = written(tmp_path / "rows.csv", rows_of(KIND, 20))
    statistic = read_statistic(file)
    written(file, rows_of(KIND, 19))
    with pytest.raises(DataSetError, match="19 rows now and were 20"):
        await fit_apart(file, request_of(KIND), statistic)


async def test_a_file_that_exceeds_the_bounds_ends_only_its_own_process(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.csv", rows_of(KIND, 20))
    with pytest.raises(DataSetError, match="more than memory and time allow"):
        await fit_apart(file, request_of(KIND), read_statistic(file), memory_bytes=1 << 20)
