"""What a run tells whose processes look into files of tests when their turn comes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    "conftest": """
        from tests.support.late_collection import plugin_of
        def pytest_configure(config):
            if (plugin := plugin_of(config)) is not None:
                config.pluginmanager.register(plugin)
        """,
    "test_good": """
        import os, pytest
        from pathlib import Path
        Path(f"imported_{os.getpid()}").touch()
        @pytest.fixture(scope="module")
        def one(): yield 1; Path("taken_down").touch()
        @pytest.mark.parametrize("number", range(3))
        def test_number(one, number): assert one + number != 3
        def test_word(one): assert not Path("taken_down").exists()
        """,
    "test_broken": "import nothing_of_this_name",
    "test_last": "def test_it(): pass",
}


def outcome(folder: Path, *arguments: str) -> str:
    """What such a run of all files prints, by two processes."""
    for name, text in FILES.items():
        lines = text.strip("\n").split("\n")
        margin = len(lines[0]) - len(lines[0].lstrip())
        (folder / f"{name}.py").write_text("\n".join(line[margin:] for line in lines))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n2", "--dist", "loadfile"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [*command, "-p", "xdist.looponfail", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**own, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    return run.stdout


def test_every_test_is_told_as_without_and_each_file_is_imported_once(tmp_path: Path) -> None:
    told = outcome(tmp_path)
    assert "FAILED test_good.py::test_number[2] - assert" in told
    assert "ERROR test_broken.py" in told
    assert "1 failed, 4 passed, 1 error" in told
    assert len(list(tmp_path.glob("imported_*"))) == 1
    assert (tmp_path / "taken_down").exists()


def test_who_chooses_among_tests_has_all_of_them_first(tmp_path: Path) -> None:
    told = outcome(tmp_path, "-k", "number", "--continue-on-collection-errors")
    assert "1 failed, 2 passed, 1 error" in told
    assert len(list(tmp_path.glob("imported_*"))) == 2
