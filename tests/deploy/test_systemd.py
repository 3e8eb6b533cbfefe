"""The units are what systemd takes, what is confined is confined, and daemons can work like that.

No systemd runs here: `systemd-analyze` reads the unit, and what reads uploads runs under its filter of system
calls; a whole training does in `whole_deployments.py`.
"""

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import msgpack
import pytest

from services.common.files import read_passphrase
from services.config.daemons import KINDS
from services.daemon.shutdown import CLOSE_SECONDS, DRAIN_SECONDS
from services.data.row_reader import Import
from tests.deploy.test_containers import parsed
from tests.support.deployment.confined import allowed_calls, settings_of
from tests.support.deployment.packages import install

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNIT = FOLDER / "deltaml@.service"
SETTINGS = settings_of(UNIT)
MOST_EXPOSED = 15
"""Tenths of systemd's exposure level, which goes from 0 to 100."""


@pytest.fixture(scope="module", autouse=True)
def _systemd():
    if shutil.which("systemd-analyze") is None:
        install(
            ["systemd", "libseccomp2"],
            "these tests need Debian's systemd: apt-get install systemd libseccomp2",
        )


@pytest.fixture
def system(tmp_path):
    """A system's folders with the unit installed, and a function that has it verified."""
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for name in ("opt/deltaml/bin/deltaml", "bin/sh"):
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)

    def verify(text, kind="data-owner"):
        (units / UNIT.name).write_text(text)
        command = ["systemd-analyze", "verify", f"--root={tmp_path}", f"deltaml@{kind}.service"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [line for line in done.stderr.splitlines() if "deltaml" in line]

    return verify


@pytest.mark.parametrize("kind", KINDS)
def test_systemd_takes_the_unit_of_every_kind(system, kind):
    assert system(UNIT.read_text(), kind) == []


def test_systemd_would_tell_of_a_mistake(system):
    assert system(UNIT.read_text().replace("WatchdogSec=2min", "WatchdogSec=2moons"))
    assert system(UNIT.read_text().replace("/opt/deltaml/bin/deltaml", "/opt/deltaml/bin/none"))


def test_the_unit_is_confined():
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_is_one_that_deltaml_takes(kind):
    (command,) = SETTINGS["ExecStart"]
    program, *arguments = command.replace("%i", kind).split()
    assert program == "/opt/deltaml/bin/deltaml"
    assert str(parsed(arguments).params["config"]) == f"/etc/deltaml/{kind}.yaml"


def test_the_daemon_gets_its_secrets_as_files_of_its_own(tmp_path):
    (line,) = SETTINGS["ExecStartPre"]
    loaded, own = tmp_path / "loaded", tmp_path / "own"
    loaded.mkdir()
    own.mkdir()
    for name in ("passphrase", "broker-password"):
        (loaded / f"secrets_{name}").write_text(name)
        (loaded / f"secrets_{name}").chmod(0o440)
    (place,) = SETTINGS["RuntimeDirectory"]
    script = line.replace("$$", "$").replace(f"/run/{place}", str(own))
    subprocess.run(script, shell=True, check=True, env={"CREDENTIALS_DIRECTORY": str(loaded)})
    assert read_passphrase(own / "passphrase") == "passphrase"
    assert {path.name for path in own.iterdir()} == {"passphrase", "broker-password"}


def test_the_daemon_has_longer_to_stop_than_it_takes():
    assert int(SETTINGS["TimeoutStopSec"][0].removesuffix("s")) > DRAIN_SECONDS + CLOSE_SECONDS


def test_user_and_folders_are_made_as_the_unit_needs_them(tmp_path):
    (tmp_path / "etc").mkdir()
    for tool, file in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        command = [tool, f"--root={tmp_path}", FOLDER / f"deltaml.{file}.conf"]
        if file == "tmpfiles":
            command.insert(1, "--create")
        subprocess.run(command, check=True, capture_output=True)
    (user,) = SETTINGS["User"]
    assert (tmp_path / "etc" / "passwd").read_text().startswith(f"{user}:x:")
    assert (tmp_path / "etc" / "deltaml").stat().st_mode & 0o777 == 0o750
    for kind in KINDS:
        (credentials,) = SETTINGS["LoadCredential"]
        secrets = tmp_path / credentials.partition(":")[2].replace("%i", kind).lstrip("/")
        assert secrets.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var" / "lib" / "deltaml").is_dir()


def confined(*command, sent=None):
    return subprocess.run(
        [sys.executable, "-m", "tests.support.deployment.confined", UNIT, *command],
        cwd=ROOT,
        capture_output=True,
        input=sent,
        text=sent is None,
        timeout=300,
        check=False,
    )


def test_an_owners_upload_is_read_under_the_filter(tmp_path):
    """The reading process bounds its own memory and time, which a filter could forbid."""
    rows = tmp_path / "rows.csv"
    rows.write_text("x,y\n1,2\n3,4\n5,7\n")
    declared = msgpack.packb(asdict(Import()))
    reader = ("-m", "services.data.sandboxed_reader", str(rows), str(4 << 30))
    done = confined(sys.executable, *reader, sent=declared)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"statistic" in done.stdout


def test_the_filter_refuses_what_it_should():
    assert {"openat", "sendto", "clone3", "futex"} < allowed_calls(UNIT)
    assert not {"mount", "ptrace", "bpf", "init_module", "reboot", "setuid"} & allowed_calls(UNIT)
    writable_code = "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"
    assert "PermissionError" in confined(sys.executable, "-c", writable_code).stderr
    assert "PermissionError" in confined(sys.executable, "-c", "import os; os.nice(1)").stderr
