"""Files for their owner alone: written whole or not at all, refused when others can read them."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.common.errors import ConfigurationError

_OTHERS = 0o077


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can enter, parents included.

    Raises ConfigurationError when it exists and others can enter it, or when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"cannot make the folder {folder}: {error.strerror}") from None
    require_private(folder)
    return folder


def require_private(path: Path) -> None:
    """Raise ConfigurationError when others than the owner have any right to a file or folder."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        private_mode = 0o700 if path.is_dir() else 0o600
        raise ConfigurationError(
            f"{path} can be reached by others (mode {mode:04o}); run: chmod {private_mode:04o} {path}"
        )


def require_other_file(path: Path, *read: Path) -> None:
    """Raise ConfigurationError when a result would take the place of a file that it is made from."""
    if path.exists() and any(source.exists() and path.samefile(source) for source in read):
        raise ConfigurationError(f"{path} is one of the files that are read; name another for the result")


def require_new(path: Path, *, force: bool) -> None:
    """Raise ConfigurationError for a file that exists and is not to be replaced."""
    if path.exists() and not force:
        raise ConfigurationError(f"{path} exists already; name another file, or add --force to replace it")


@contextmanager
def private_writer(path: Path, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """A file to write, readable by its owner alone (0600), that takes its place when the block ends, durable.

    When the block raises, nothing is left and an older file stays. With `replace` false an existing file
    stays and ConfigurationError is raised, however many writers race.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
        sync_folder(path.parent)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already; move it away first") from None
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a whole file with `private_writer`."""
    with private_writer(path, replace=replace) as file:
        file.write(content)


def read_bounded(path: Path, limit: int, *, private: bool = False) -> bytes:
    """The first `limit` bytes of a file, and one more of a longer one.

    Raises ConfigurationError when it cannot be read, or is `private` and open to others.
    """
    try:
        if private:
            require_private(path)
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None


def read_private(path: Path, limit: int = 1 << 30) -> bytes:
    """The content of a file that only its owner can read.

    Raises ConfigurationError when it is missing, too open, or longer than `limit` bytes.
    """
    content = read_bounded(path, limit, private=True)
    if len(content) > limit:
        raise ConfigurationError(f"{path} is longer than {limit} bytes; it is not the file that was meant")
    return content


def printable(name: str) -> str:
    """A file's name as it may be shown: bytes that are no text, and what moves a terminal, are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def read_passphrase(path: Path) -> str:
    """The first line of a passphrase file, without a byte order mark and its line end.

    Raises ConfigurationError when it is empty, too open or not UTF-8: misread bytes open nothing.
    """
    content = read_private(path, limit=4096)
    remedy = "write the passphrase on its first line, as UTF-8"
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text; {remedy}") from None
    if b"\0" in content:
        raise ConfigurationError(f"{path} is UTF-16 or no text; {remedy}")
    if not lines or not lines[0]:
        raise ConfigurationError(f"{path} is empty; {remedy}")
    return lines[0]


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a machine that fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
