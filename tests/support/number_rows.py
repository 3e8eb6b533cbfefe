"""Files of numbers as matrices."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from protocol.learning.statistic import Matrix
from services.data.row_files import ROW_LIMIT, open_columns, plain_name
from services.data.row_reader import read_table


def read_rows(
    path: Path | str, columns: Sequence[str] | None = None, limit: int = ROW_LIMIT
) -> tuple[tuple[str, ...], Matrix]:
    """(columns, rows) of a file, all of its columns by default, as `read_table` reads numbers."""
    names = tuple(open_columns(path).written) if columns is None else tuple(map(plain_name, columns))
    table = read_table(path, dict.fromkeys(names, "number"), limit)
    return names, np.column_stack([table[name] for name in names])  # type: ignore[arg-type]
