"""`python -m tests.benchmarks.growth.reading FILE`: read a file as an owner does, and tell what it took.

As JSON; in a process of its own, so that its peak of memory is that of this file.
"""

import importlib
import json
import resource
import sys
from pathlib import Path
from time import process_time

from services.data.column_kinds import read_kinds
from services.data.row_reader import read_statistic, read_tables

_LATE_MODULES = (
    "pyarrow.csv",
    "pyarrow.parquet",
    "services.data.column_kinds",
    "services.data.csv_rows",
    "services.data.parquet_rows",
    "services.data.readings",
)


def reading(path: Path) -> dict[str, float]:
    """Processor seconds of the whole statistic and of its two readings alone, and the peak of resident bytes.

    What is imported on the way is imported before: loading the libraries takes longer than a thousand rows.
    """
    for module in _LATE_MODULES:
        importlib.import_module(module)
    began = process_time()
    statistic = read_statistic(path)
    seconds, peak, began = process_time() - began, _resident(), process_time()
    for _ in read_tables(path, read_kinds(path)):
        pass
    return {"seconds": seconds, "parsing": process_time() - began, "peak": peak, "rows": statistic.rows}


def _resident() -> float:
    """The most that this process has held, in bytes (Linux tells KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(reading(Path(sys.argv[1]))))
