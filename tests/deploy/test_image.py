"""The image is built from what is there, checked by hashes, and runs without rights.

That its build's commands work, and what they install runs by itself, is in `whole_deployments.py`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.deploy.test_containers import parsed
from tests.support.deployment.dockerfile import copied_files, instructions_of

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
