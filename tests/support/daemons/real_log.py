"""What a daemon writes to its log, as its operator configures and reads it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from services.observability.logging import configure


class RealLog:
    """The lines so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line, in order."""
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def troubles(self) -> list[str]:
        """The events of the lines that warn, and of those that take a warning back."""
        return [line["event"] for line in self.lines if line["level"] != "info" or "attempts" in line]


@contextmanager
def real_log() -> Iterator[RealLog]:
    """JSON lines of level info, in the block; then the log is as it was."""
    names = ("", "services", "protocol", "aiormq")
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names}
    stream = io.StringIO()
    configure(style="json", stream=stream)
    try:
        yield RealLog(stream)
    finally:
        for name, (handlers, level) in before.items():
            logging.getLogger(name).handlers[:] = handlers
            logging.getLogger(name).setLevel(level)
        structlog.reset_defaults()
