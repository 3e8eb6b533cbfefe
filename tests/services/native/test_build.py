"""The kernel is compiled by whatever there is, and its failing is told."""

import shutil
import sys
from pathlib import Path

import pytest

from services.common.errors import ConfigurationError
from services.native.build import SOURCES, build, compiler, sources_digest


def _program(folder: Path, name: str, script: str = "exit 0") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def test_the_named_compiler_goes_before_the_system_s(tmp_path: Path) -> None:
    for name in ("mine", "gcc", "clang"):
        _program(tmp_path, name)
    path = {"PATH": str(tmp_path)}
    assert compiler({**path, "CC": "mine -m64"}) == [str(tmp_path / "mine"), "-m64"]
    assert compiler(path) == [str(tmp_path / "gcc")]
    (tmp_path / "gcc").unlink()
    assert compiler({**path, "CC": "nowhere"}) == [str(tmp_path / "clang")]


def test_ziglang_s_compiler_serves_where_the_system_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert compiler({"PATH": str(tmp_path)}) == [sys.executable, "-m", "ziglang", "cc"]


def test_a_compiler_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    library = tmp_path / "kernel.so"
    library.write_text("older")
    failing = _program(tmp_path, "cc", "echo cannot do that >&2; exit 1")
    with pytest.raises(ConfigurationError, match="cannot do that"):
        build(library, command=[str(failing)])
    with pytest.raises(ConfigurationError, match="does not answer"):
        build(library, command=[str(tmp_path / "nowhere")])
    assert library.read_text() == "older"
    assert {one.name for one in tmp_path.iterdir()} == {"kernel.so", "cc"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write"):
        build(tmp_path / "nowhere" / "kernel.so", command=["true"])


def test_only_what_asks_for_the_processor_is_built_without_its_instructions(tmp_path: Path) -> None:
    script = f'echo "$@" >> {tmp_path}/calls; while [ $# -gt 1 ]; do shift; done; touch "$1"'
    build(tmp_path / "kernel.so", command=[str(_program(tmp_path, "cc", script))])
    kernel, chains, processor, linked = (tmp_path / "calls").read_text().splitlines()
    assert "-mavx512ifma" in kernel
    assert "-mavx512ifma" in chains
    assert sources_digest() in kernel
    assert "-mavx512" not in processor + linked


def test_the_digest_is_of_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in SOURCES.glob("*.[ch]"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr("services.native.build.SOURCES", tmp_path)
    digests = {sources_digest()}
    assert {"kernel.c", "chains.c", "processor.c", "lanes.h"} < {one.name for one in tmp_path.iterdir()}
    for file in sorted(tmp_path.iterdir()):
        file.write_text(file.read_text() + "\n")
        digests.add(sources_digest())
    assert len(digests) == 1 + len(list(tmp_path.iterdir()))
