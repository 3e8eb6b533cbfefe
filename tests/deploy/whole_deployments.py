"""What an operator installs runs whole: the image's environment, and a training as systemd confines it.

Part of `make campaigns`. No container engine and no systemd runs here: the build stage's commands are done in
a folder, and the training runs under the unit's filter of system calls.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.test_image import INSTRUCTIONS, ROOT
from tests.deploy.test_systemd import confined
from tests.support.deployment.dockerfile import build_stage


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The build stage's outcome: the environment that the image gets, and the wheel."""
    root = tmp_path_factory.mktemp("image")
    build_stage(INSTRUCTIONS, ROOT, root)
    return root


def tracked(*folders):
    done = subprocess.run(
        ["git", "ls-files", "--", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_installed_package_has_every_file_of_the_sources(built):
    (packages,) = (built / "opt" / "deltaml" / "lib").glob("python*/site-packages")
    installed = {
        str(path.relative_to(packages))
        for folder in ("deltaml", "protocol", "services")
        for path in (packages / folder).rglob("*")
    }
    assert tracked("deltaml", "protocol", "services") - installed == set()


def test_there_is_neither_installer_nor_compiler_in_the_environment(built):
    programs = {path.name for path in (built / "opt" / "deltaml" / "bin").iterdir()}
    assert "deltaml" in programs
    assert not {"pip", "uv", "gcc"} & programs
    assert not list((built / "opt" / "deltaml").glob("lib/python*/site-packages/pytest*"))


def test_it_runs_without_the_sources_around_it(built, tmp_path):
    program = built / "opt" / "deltaml" / "bin" / "deltaml"

    def run(*arguments):
        command, environment = [program, *arguments], {"HOME": str(tmp_path)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "data-owner" in run("--help")
    assert run("admin", "messages").startswith("# Generated")
    run("demo", "--rounds", "1", "--key-bits", "1024", "--workers", "1", "--report", "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["rounds"] == 1


def test_a_training_runs_under_the_filter_without_writable_code(tmp_path):
    options = ("--rounds", "1", "--key-bits", "2048", "--workers", "1", "--store", tmp_path, "--seed", "39")
    done = confined(Path(sys.executable).parent / "deltaml", "demo", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.glob("model_buyer-*.sqlite"))
