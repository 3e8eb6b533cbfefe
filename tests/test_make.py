"""make says which interpreter it looks for, where that one is of no use, and how to name another."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("interpreter", "told"),
    [
        ("python-that-is-nowhere", "looks for the interpreter python-that-is-nowhere, and there is none"),
        ("./old-python", "./old-python is Python 3.10.1, and 3.11 or later is needed"),
    ],
    ids=["missing", "old"],
)
def test_an_interpreter_that_is_of_no_use_is_named_with_the_remedy(tmp_path, interpreter, told):
    (tmp_path / "requirements-build.lock").touch()
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.1 && exit\nexit 1\n')
    old.chmod(0o700)
    command = ["make", "-f", str(ROOT / "Makefile"), ".venv/.tools", f"PYTHON={interpreter}"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 2
    assert told in made.stderr
    assert "make PYTHON=python3.12" in made.stderr
    assert not (tmp_path / ".venv").exists()
