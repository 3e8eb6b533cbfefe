"""`python -m tests.benchmarks.growth.reading FIRST FILE`: read a file as an owner, and tell what it took.

As JSON; in a process of its own, so that its peak of memory is that of this file.
"""

import json
import resource
import sys
from pathlib import Path
from time import process_time

from services.data.column_kinds import read_kinds
from services.data.row_reader import read_statistic, read_tables


def reading(first: Path, path: Path) -> dict[str, float]:
    """Processor seconds of the whole statistic and of its two readings alone, and the peak of resident bytes.

    Another file is read before, of few rows: loading the libraries takes longer than a thousand rows.
    """
    read_statistic(first)
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
    sys.stdout.write(json.dumps(reading(Path(sys.argv[1]), Path(sys.argv[2]))))
