import os
import stat
from pathlib import Path

import pytest

from services.common.errors import ConfigurationError
from services.common.files import private_folder, private_writer, read_passphrase, read_private, write_private


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_for_their_owner_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        folder = private_folder(tmp_path / "a")
        write_private(folder / "file", b"content")
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert mode(folder / "file") == 0o600
    assert read_private(folder / "file") == b"content"


def test_what_others_can_reach_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "file"
    write_private(path, b"content")
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match=rf"mode 0640\); run: chmod 0600 {path}"):
        read_private(path)
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(ConfigurationError, match="run: chmod 0700"):
        private_folder(tmp_path / "open")


def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file"
    write_private(path, b"old")

    def fail():
        with private_writer(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_only_when_told_to(tmp_path):
    path = tmp_path / "file"
    write_private(path, b"old")
    with pytest.raises(ConfigurationError, match="exists already; move it away first"):
        write_private(path, b"new", replace=False)
    assert path.read_bytes() == b"old"
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_used_are_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="there is no file"):
        read_private(tmp_path / "missing")
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_private(tmp_path / "missing" / "file", b"")
    with pytest.raises(ConfigurationError, match="cannot make the folder"):
        private_folder(tmp_path / "file" / "folder")
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_private(tmp_path / "folder")
    write_private(tmp_path / "long", bytes(11))
    with pytest.raises(ConfigurationError, match="longer than 10 bytes"):
        read_private(tmp_path / "long", limit=10)


def test_a_passphrase_is_the_first_line_of_its_file(tmp_path):
    path = tmp_path / "passphrase"
    write_private(path, "päss phrase \r\nsecond line\n".encode())
    assert read_passphrase(path) == "päss phrase "
    write_private(path, "\ufeffpäss phrase \r\n".encode())
    assert read_passphrase(path) == "päss phrase ", "a byte order mark is no part of it"
    for order in ("utf-16", "utf-16-le", "utf-16-be"):
        write_private(path, "phrase\n".encode(order))
        with pytest.raises(ConfigurationError, match=r"UTF-8") as refused:
            read_passphrase(path)
        assert "phrase\n" not in str(refused.value)
    for content, says in (
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\nsecond", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
    ):
        write_private(path, content)
        with pytest.raises(ConfigurationError, match=says):
            read_passphrase(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="reached by others"):
        read_passphrase(Path(path))
