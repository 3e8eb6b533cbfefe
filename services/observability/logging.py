"""Logs for people and machines: structlog, with secrets taken out before anything is rendered.

Values are redacted by key and shortened by type: one whose type is not known to be harmless is shown as its
type alone. Records of other libraries pass through the same processors.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from protocol.errors import MisuseError

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
_CREDENTIALS = re.compile(r"""(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s"']*@""")
_LONG_NUMBER = re.compile(r"\b(?:0x)?[0-9a-fA-F]{129,}\b")
_STRUCTLOG_KEYS = frozenset({"_record", "_from_structlog"})
_LONGEST_INTEGER_BITS = 256
_LONGEST_TEXT = 20_000


def place_in_code(error: BaseException) -> str:
    """Where an error was raised, "file:line": its text and its frames may hold secrets, this does not."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def configure(
    *, style: Literal["json", "console"] = "console", level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Set up logging for this process: JSON lines or console text, by default on standard error.

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
            colors=output.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("services", "protocol"):
        logging.getLogger(ours).setLevel(level.upper())


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
    return {key: value if key in _STRUCTLOG_KEYS else _shown(key, value) for key, value in event.items()}


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,  # text without local variables, before the redaction
    redact,
]


def _shown(key: str, value: Any) -> Any:
    if _SECRET_KEY.fullmatch(key):
        return REDACTED
    shown: Any = f"[{type(value).__name__}]"
    match value:
        case None | bool() | float():
            shown = value
        case int():
            bits = value.bit_length()
            shown = value if bits <= _LONGEST_INTEGER_BITS else f"[integer of {bits} bits]"
        case str():
            shown = _clean(value)
        case bytes() | bytearray() | memoryview():
            shown = f"[{len(value)} bytes]"
        case Mapping():
            shown = {_clean(str(name)): _shown(str(name), item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            shown = [_shown("", item) for item in value]
        case BaseException():
            shown = _clean(f"{type(value).__name__}: {value}")
        case PurePath() | datetime():
            shown = str(value)
    return shown


def _clean(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} [{len(text)} characters]"
    text = _CREDENTIALS.sub(r"\g<scheme>", text)
    return _LONG_NUMBER.sub(lambda number: f"[{len(number[0])} digits]", text)
