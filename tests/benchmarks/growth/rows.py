"""The series of an owner's rows: its statistic out of a file, CSV or Parquet, of ten numbers and a target."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tests.benchmarks import machine
from tests.benchmarks.growth.series import Point, Series, Told, missing

WHOLE = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
COLUMNS = 11
_BATCH = 100_000
_DIGITS = 4
_FEW = 50
KINDS = {"csv": "CSV", "parquet": "Parquet"}


def written(path: Path, rows: int) -> None:
    """A file of so many rows of uniform numbers with four digits, a batch at a time, by its name's ending."""
    names = [*(f"x{index}" for index in range(COLUMNS - 1)), "y"]
    schema = pa.schema([(name, pa.float64()) for name in names])
    writer: Any = pa.csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
    chance = np.random.default_rng(5)
    with writer(str(path), schema) as out:
        for start in range(0, rows, _BATCH):
            values = chance.uniform(-1, 1, (min(_BATCH, rows - start), COLUMNS)).round(_DIGITS)
            out.write_table(pa.table(dict(zip(names, values.T, strict=True)), schema=schema))


def read(first: Path, path: Path) -> dict[str, float]:
    """What reading it took in a process of its own, after another of few rows.

    Raises RuntimeError where that did not end well.
    """
    command = [sys.executable, "-m", "tests.benchmarks.growth.reading", str(first), str(path)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"reading {path} ended with status {done.returncode}: {done.stderr}")
    return dict(json.loads(done.stdout))


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """Files of each size, made, read and removed again; raises RuntimeError where one could not be read."""
    before, points = machine.describe(), []
    with tempfile.TemporaryDirectory() as folder:
        for size in sorted(sizes):
            told(f"rows: {size}")
            points.append(Point(size=size, figures=_figures(Path(folder), size)))
    return Series(
        name="rows",
        title="A statistic by rows",
        axis="rows",
        how=(
            f"`read_statistic`, which an owner's daemon calls when a file is added: {COLUMNS} columns of "
            "numbers, in a process of its own with one thread of linear algebra. It reads a file twice, "
            "first for what its columns hold: that is the parsing below. Peaks are of the process' memory."
        ),
        points=points,
        left_out=missing(WHOLE, sizes),
        bottleneck=_bottleneck(points[-1]),
        moved_by=(
            "Parquet in place of CSV; a file is read and its triangular factor made once when it is added, "
            "and again only for generalized linear models and curves: no round depends on the number of rows"
        ),
        machine=before,
    )


def _figures(folder: Path, rows: int) -> dict[str, float]:
    found = dict[str, float]()
    for ending, kind in KINDS.items():
        first, path = folder / f"first.{ending}", folder / f"rows.{ending}"
        written(first, _FEW)
        written(path, rows)
        took = read(first, path)
        path.unlink()
        found[f"processor seconds, {kind}"] = took["seconds"]
        found[f"processor seconds, parsing {kind}"] = took["parsing"]
        found[f"peak megabytes, {kind}"] = took["peak"] / 1e6
    return found


def _bottleneck(point: Point) -> str:
    """Of CSV, the slower: both readings of the text, or what is made of the rows."""
    parsing = point.figures["processor seconds, parsing CSV"] / point.figures["processor seconds, CSV"]
    what, part = ("parsing text", parsing) if parsing > 0.5 else ("the triangular factor (QR)", 1 - parsing)
    return f"{what}, with {part:.0%} of the seconds for a CSV file of {point.size:,} rows"
