"""Logs for people and machines: structlog, with secrets taken out before anything is rendered.

Values are redacted by key and shortened by type: one whose type is not known to be harmless is shown as its
type alone. What others send is in some of them, so each has a length and a depth that it cannot exceed.
Records of other libraries pass through the same processors.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import PurePath
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

from protocol.errors import MisuseError

LOG_FILE = "DELTAML_LOG_FILE"
"""The variable of the environment by which a daemon is told which file its output goes to."""
MOST_LOG_BYTES = 16 << 20

REDACTED = "[redacted]"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_SECRET_KEY = re.compile(
    r"""(?ix)
    .* (?: secret | passphrase | password | passwd | credential | private | plaintext | mnemonic ) .*
    | (?: .*_ )? (?: signing_key | data_key | token | seed | residuals? | factor | statistic )
    | masks? (?: _.* )? | (?: .*_ )? masks? | blinding .*
    | rows | weights | (?: start | local | model )_weights | intercept | model | gradient s?
    """
)
_URL = re.compile(r"""(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,30}://)(?P<rest>[^\s"']*)""")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONG_NUMBER = re.compile(r"\b(?:0x)?[0-9a-fA-F]{129,}\b")
_STRUCTLOG_KEYS = frozenset({"_record", "_from_structlog"})
_LONGEST_INTEGER_BITS = 256
_LONGEST_FIELD, _LONGEST_TRACEBACK = 4_096, 20_000
"""Characters that a field may take, all that is in it together."""

_COST, _COST_OF_COLLECTION = 8, 64
"""Of a value in a field, in characters, beside its text: so its depth is bounded, too."""


def place_in_code(error: BaseException) -> str:
    """Where an error was raised, "file:line": its text and its frames may hold secrets, this does not."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


class _FollowedFile(RotatingFileHandler):
    """A log put aside when it is long, and what the process prints with it: both have the file as output."""

    @override
    def doRollover(self) -> None:
        super().doRollover()
        if self.stream is not None:  # it is open again
            for output in (1, 2):
                os.dup2(self.stream.fileno(), output)


def configure(
    *,
    style: Literal["json", "console"] = "console",
    level: str = "INFO",
    stream: TextIO | None = None,
    file: str | None = None,
) -> None:
    """Set up logging for this process: JSON lines or console text, by default on standard error.

    `file` is where that goes already; beyond MOST_LOG_BYTES it becomes `file`.1, and a new one is begun.
    Raises MisuseError for a level that does not exist.
    """
    if level.upper() not in _LEVELS:
        raise MisuseError(f"there is no log level {level!r}; choose one of {', '.join(_LEVELS).lower()}")
    output = stream or sys.stderr
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: Processor = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=_takes_colours(output), exception_formatter=structlog.dev.plain_traceback
        )
    handler: logging.Handler = logging.StreamHandler(output)
    if file is not None:
        handler = _FollowedFile(file, maxBytes=MOST_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it would tell of every attempt
    for ours in ("services", "protocol"):
        logging.getLogger(ours).setLevel(level.upper())


def configure_for_library() -> None:
    """Hand lines to the logging of the program that imports us, which decides what is shown of them.

    What that program has already set up of structlog stays.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
            logger_factory=structlog.stdlib.LoggerFactory(),
        )


def _takes_colours(output: TextIO) -> bool:
    return output.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bound(
    *, training: int | None = None, round_number: int | None = None, message_id: bytes | None = None
) -> AbstractContextManager[None]:
    """Every line logged in the block, by any module, names its training, round and message."""
    message = None if message_id is None else message_id.hex()
    named = {"training": training, "round": round_number, "message_id": message}
    return structlog.contextvars.bound_contextvars(
        **{key: value for key, value in named.items() if value is not None}
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: no secret by name, no raw bytes, no big integer, no URL with credentials."""
    return {
        key: value if key in _STRUCTLOG_KEYS else _Field(key).shown(key, value)
        for key, value in event.items()
    }


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,  # text without local variables, before the redaction
    redact,
]


class _Field:
    """A field of a line, and how many characters are left for what is in it."""

    def __init__(self, name: str) -> None:
        self._left = _LONGEST_TRACEBACK if name == "exception" else _LONGEST_FIELD

    def shown(self, key: str, value: Any) -> Any:
        """What a line shows of a value; cut where the field is full, with the length of what it was."""
        if _SECRET_KEY.fullmatch(key):
            return REDACTED
        self._left -= _COST
        shown: Any = f"[{type(value).__name__}]"
        match value:
            case None | bool() | float():
                shown = value
            case int():
                bits = value.bit_length()
                shown = value if bits <= _LONGEST_INTEGER_BITS else f"[integer of {bits} bits]"
            case str():
                shown = self._text(value)
            case bytes() | bytearray() | memoryview():
                shown = f"[{len(value)} bytes]"
            case Mapping():
                shown = self._mapping(value)
            case list() | tuple() | set() | frozenset():
                shown = self._items(value)
            case BaseException():
                shown = self._text(f"{type(value).__name__}: {value}")
            case PurePath() | datetime():
                shown = self._text(str(value))
        return shown

    def _text(self, text: str) -> str:
        left = max(0, self._left)
        shown = _clean(text[: left + _LONGEST_FIELD])  # a password must not lose the end by which it is known
        if len(text) > left:
            shown = f"{shown[:left]} [{len(text)} characters]"
        self._left -= len(shown)
        return shown

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        self._left -= _COST_OF_COLLECTION
        shown: dict[str, Any] = {}
        for name, item in value.items():
            if self._left <= 0:
                return {**shown, "…": f"[{len(value) - len(shown)} more]"}
            label = name if isinstance(name, str) else str(self.shown("", name))
            shown[self._text(label)] = self.shown(label, item)
        return shown

    def _items(self, value: Collection[Any]) -> list[Any]:
        self._left -= _COST_OF_COLLECTION
        shown: list[Any] = []
        for item in value:
            if self._left <= 0:
                return [*shown, f"[{len(value) - len(shown)} more]"]
            shown.append(self.shown("", item))
        return shown


def _clean(text: str) -> str:
    """Without credentials, long numbers, and what would command a terminal."""
    text = _URL.sub(lambda url: url["scheme"] + url["rest"].rpartition("@")[2], text)
    text = _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)
    return _LONG_NUMBER.sub(lambda number: f"[{len(number[0])} digits]", text)
