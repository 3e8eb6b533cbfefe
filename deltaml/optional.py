"""Packages that daemons do not need: a missing one is told with what installs it."""

from collections.abc import Iterator
from contextlib import contextmanager

EXTRA = "python"
_PACKAGES = frozenset({"onnx", "sklearn"})


@contextmanager
def extra() -> Iterator[None]:
    """Around imports of packages of the extra; raises ImportError with the remedy where one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        raise ImportError(f"{package} is not installed; run: pip install 'deltaml[{EXTRA}]'") from None
