"""Weights, standard errors, intervals and p-values as a CSV file for the model's buyer alone."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from protocol.learning.inference.estimates import Coefficient
from services.common.files import write_private


def write_coefficients(path: Path, lines: Sequence[Coefficient], *, replace: bool = False) -> None:
    """Write the file, whole or not at all, mode 0600: a line for each weight, below one of names.

    Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Coefficient._fields)
    writer.writerows((line.name, *map(repr, line[1:])) for line in lines)
    write_private(path, text.getvalue().encode(), replace=replace)
