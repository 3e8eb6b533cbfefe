"""What tests install of the distribution: one apt-get after another, and no service is started."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.deployment.packages import install

HELD = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"

SCRIPT = """#!/bin/sh
echo "$*" >> {place}/calls
[ -x {place}/policy-rc.d ] && echo guarded >> {place}/guarded
mkdir {place}/at_work || exit 98
sleep 0.05
rmdir {place}/at_work
[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 99
if [ "$(wc -l < {place}/calls)" -le {failures} ]; then
    echo "{reason}" >&2
    exit 100
fi
"""


class FakeApt:
    """An apt-get on the PATH that fails for a reason as often as it is told, and whose calls are kept."""

    def __init__(self, place: Path) -> None:
        self.place, self.guard, self.pauses = place, place / "policy-rc.d", list[float]()

    def fails(self, failures: int, reason: str = HELD) -> None:
        program = self.place / "apt-get"
        program.write_text(SCRIPT.format(place=self.place, failures=failures, reason=reason))
        program.chmod(0o755)

    def install(self, wait_seconds: float = 60.0) -> None:
        install(
            ["tool", "other"],
            "install them by hand",
            guard=self.guard,
            lock=self.place / "lock",
            wait_seconds=wait_seconds,
            pause=self.pauses.append,
        )

    def lines(self, name: str) -> list[str]:
        return (self.place / name).read_text().splitlines()


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return FakeApt(tmp_path)


def test_the_lists_are_renewed_and_the_packages_installed(apt: FakeApt) -> None:
    apt.fails(0)
    apt.install()
    update, installed = apt.lines("calls")
    assert update == "update -qq"
    assert installed.startswith("install -y")
    assert installed.endswith("DPkg::Lock::Timeout=300 tool other")
    assert apt.pauses == []


def test_another_run_is_waited_for(apt: FakeApt) -> None:
    apt.fails(3)
    apt.install()
    assert [call.split()[0] for call in apt.lines("calls")] == ["update"] * 4 + ["install"]
    assert apt.pauses == [1, 1, 1]


def test_another_run_is_not_waited_for_without_end(apt: FakeApt) -> None:
    apt.fails(1000)
    with pytest.raises(RuntimeError, match=r"update -qq: E: Could not get lock (?s:.*)by hand"):
        apt.install(wait_seconds=0.0)
    assert set(apt.lines("calls")) == {"update -qq"}


def test_what_fails_for_another_reason_is_told_at_once(apt: FakeApt) -> None:
    apt.fails(1000, "E: Unable to locate package tool")
    with pytest.raises(RuntimeError, match="Unable to locate package tool"):
        apt.install()
    assert len(apt.lines("calls")) == 1
    assert apt.pauses == []


def test_no_service_starts_meanwhile_and_the_switch_is_left_as_it_was(apt: FakeApt) -> None:
    apt.fails(0)
    apt.install()
    assert apt.lines("guarded") == ["guarded"] * 2
    assert not apt.guard.exists()
    apt.guard.write_text("#!/bin/sh\nexit 0\n")
    apt.fails(1000, "E: broken")
    with pytest.raises(RuntimeError):
        apt.install()
    assert apt.guard.read_text() == "#!/bin/sh\nexit 0\n"


def test_nothing_is_tried_without_root(apt: FakeApt, monkeypatch: pytest.MonkeyPatch) -> None:
    apt.fails(0)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RuntimeError, match=r"^install them by hand$"):
        apt.install()
    assert not (apt.place / "calls").exists()


def test_two_processes_install_one_after_the_other(apt: FakeApt) -> None:
    """The fake fails where it is started while it is at work."""
    apt.fails(0)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(apt.install) for _ in range(2)]:
            done.result()
    assert [call.split()[0] for call in apt.lines("calls")] == ["update", "install"] * 2
    assert not apt.guard.exists()
