"""Standard output and error of every command, as good as what they lead to allows.

A terminal that is not UTF-8 gets arrows, lines and other signs of ours in ASCII. Output that cannot be
written, because a disk is full or its reader has gone, ends the command with an error and an exit status.
"""

import codecs
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer
from typing_extensions import override

from services.common.errors import OutputFailed

FAILURE = 3
"""Exit status when something outside this process failed."""

_OUTPUT, _ERROR = 1, 2
_DEGRADED = "deltaml.degraded"
_IN_ASCII = str.maketrans(
    {
        **dict.fromkeys("─━═╌╴╶╸╺‐–—−", "-"),
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┡┩╇╭╮╯╰╞╡╪", "+"),
        **dict.fromkeys(map(chr, range(0x2800, 0x2900)), "*"),  # a spinner's dots
        "→": "->",
        "×": "x",
        "·": ".",
        "•": "*",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "²": "^2",
        "η": "eta",
    }
)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Have such streams in the block; raises SystemExit where standard output could not be written."""
    codecs.register_error(_DEGRADED, _degraded)
    before = sys.stdout, sys.stderr
    sys.stdout = _stream(_OUTPUT, sys.stdout, must_arrive=True)
    sys.stderr = _stream(_ERROR, sys.stderr, must_arrive=False)
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OutputFailed as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(FAILURE) from None
    finally:
        sys.stdout, sys.stderr = before


def is_unicode() -> bool:
    """Whether all characters can be written to standard output."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def writable(text: str) -> str:
    """A text as standard output will show it: in ASCII its signs are longer, which moves columns."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, _DEGRADED).decode(encoding)


def document_stream() -> TextIO:
    """Standard output for a document that programs read: UTF-8 like every file of ours, but on a terminal."""
    if not sys.stdout.isatty() and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def visible(text: str) -> str:
    """A text of several lines as it may be shown: what moves or recolours a terminal is escaped."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def _degraded(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_IN_ASCII)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def _stream(number: int, given: Any, *, must_arrive: bool) -> TextIO:
    """A stream on the descriptor `number`, otherwise like `given`, which is None for one that is closed."""
    if given is None:  # the number must not become that of a file which is opened later
        os.dup2(os.open(os.devnull, os.O_RDONLY), number)
    else:
        given.flush()
    raw = _Descriptor(number, must_arrive=must_arrive)
    return _Text(
        io.BufferedWriter(raw),
        encoding=getattr(given, "encoding", "utf-8"),
        errors=_DEGRADED,
        line_buffering=number == _ERROR or raw.isatty(),
        write_through=getattr(given, "write_through", False),
    )


class _Text(io.TextIOWrapper):
    @property
    @override
    def buffer(self) -> Any:
        """None: typer goes around a stream that is ASCII to its bytes, and would send UTF-8 to them."""
        return None


class _Descriptor(io.FileIO):
    """A descriptor that fails once, by our error, and then takes what still comes for nobody."""

    def __init__(self, number: int, *, must_arrive: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._must_arrive, self._has_failed = must_arrive, False

    @override
    def write(self, content: Any) -> int:
        """Write some bytes; raises OutputFailed at the first failure of a stream that must arrive."""
        if self._has_failed:
            return len(content)
        try:
            while (written := super().write(content)) is None:  # not blocking, and full
                select.select([], [self], [])
        except OSError as error:
            self._has_failed = True
            if self._must_arrive:
                raise OutputFailed(error.strerror or type(error).__name__) from None
            return len(content)
        return written
