"""The image is built from what is there, its build's commands work, and what they install runs by itself.

No container engine runs here: the build stage's commands are done in a folder instead.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_containers import parsed
from tests.support.deployment.dockerfile import build_stage, copied_files, instructions_of

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Dockerfile"
INSTRUCTIONS = instructions_of(FILE.read_text())
LAST = [one for one in INSTRUCTIONS if one.stage == max(step.stage for step in INSTRUCTIONS)]


def last(name):
    """The values of the instructions of this name in the stage that becomes the image."""
    return [one.value for one in LAST if one.name == name]


def test_a_linter_has_nothing_to_say():
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, "--format", "json", FILE], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []


def test_everything_copied_is_there_and_nothing_else_is_let_into_the_build():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    copied = copied_files(INSTRUCTIONS)
    assert set(copied) == {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    for name in copied:
        assert (ROOT / name).exists(), name


def test_every_package_is_checked_against_its_hash_and_none_is_built_from_sources():
    installed = [part for one in INSTRUCTIONS if one.name == "RUN" for part in one.value.split("&&")]
    from_registry = [one for one in installed if "--requirement" in one]
    assert len(from_registry) == 2
    for one in from_registry:
        assert "--require-hashes --only-binary :all:" in one
        assert "--hash=sha256:" in (ROOT / one.split("--requirement ")[1].strip()).read_text()
    installers = [one for one in installed if re.search(r"(^|[\s/])(pip|uv) ", one)]
    assert len(installers) == 4
    for one in installers:
        assert one in from_registry or "--no-index" in one or "--no-build-isolation" in one


def test_what_a_container_imports_is_compiled_in_the_image_since_it_may_write_nothing():
    (set_in_build,) = [one.value for one in INSTRUCTIONS if one.name == "ENV" and one.stage == 0]
    assert "UV_COMPILE_BYTECODE=1" in set_in_build.split()
    assert any("PYTHONDONTWRITEBYTECODE=1" in value.split() for value in last("ENV"))


def test_it_runs_as_a_fixed_user_without_rights_and_writes_to_its_folder_alone():
    (user,) = last("USER")
    number, group = user.split(":")
    (made,) = last("RUN")
    assert f"--gid {group} " in made
    assert f"--uid {number} " in made
    names = [one.name for one in LAST]
    assert names.index("USER") < names.index("ENTRYPOINT")
    (folder,) = last("WORKDIR")
    assert re.search(rf"--mode 0700 {folder}\b", made)


def test_health_check_and_entry_point_are_commands_that_deltaml_takes():
    (entry,) = last("ENTRYPOINT")
    assert yaml.safe_load(entry) == ["deltaml"]
    (check,) = last("HEALTHCHECK")
    arguments = yaml.safe_load(check.partition("CMD ")[2])
    assert parsed(arguments[1:]).command_path == "deltaml health"


def test_it_says_what_it_is():
    (label,) = last("LABEL")
    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    assert f'org.opencontainers.image.version="{version}"' in label


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
