"""`deltaml admin native` as a person runs it."""

from pathlib import Path

import pytest

from services.cli import admin_native
from services.common.errors import ConfigurationError
from tests.support.daemons.command_line import refused, run, run_json


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> Path:
        raise ConfigurationError("no C compiler: install gcc")

    monkeypatch.setattr(admin_native, "build_kernel", build)
    monkeypatch.setenv("DELTAML_NATIVE", "0")


def test_what_computes_is_told():
    assert run("admin", "native", "show").stdout == "gmpy2: DELTAML_NATIVE is 0\n"
    assert run_json("admin", "native", "show") == {"arithmetic": "gmpy2: DELTAML_NATIVE is 0"}


def test_a_build_that_fails_is_an_error_unless_it_need_not_succeed():
    assert "no C compiler" in refused("admin", "native", "build")
    said = run("admin", "native", "build", "--if-possible").stdout
    assert said == "not built: no C compiler: install gcc; computes by gmpy2: DELTAML_NATIVE is 0\n"


def test_a_build_names_its_library(monkeypatch):
    monkeypatch.setattr(admin_native, "build_kernel", lambda: Path("/somewhere/kernel.so"))
    built = run_json("admin", "native", "build")
    assert built == {"built": "/somewhere/kernel.so", "arithmetic": "gmpy2: DELTAML_NATIVE is 0"}
