"""Files of tests that a run's processes look into when their turn comes.

A process of pytest-xdist imports every file of tests and makes every test before it runs the first: with four
processes, four times. Where whole files are given out, it is enough that a file's own process looks into it.
"""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.workermanage import WorkerController

LATE = "late_collection"
SELECTIONS = ("keyword", "markexpr", "deselect", "lf", "failedfirst", "newfirst", "stepwise", "collectonly")
"""What chooses among tests, and so needs all of them first."""


def gives_out_files(config: pytest.Config) -> bool:
    """Whether a run gives out whole files."""
    chosen = any(config.getoption(name, None) for name in SELECTIONS) or any(
        "::" in one for one in config.args
    )
    return config.getoption("dist") == "loadfile" and not chosen


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Modules and tests stay: looking for garbage among them would be half of making them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class LateFile(pytest.Item):
    """A file of tests in their place, until they are made."""

    def __init__(self, *, tests: pytest.Module, **of_node: Any) -> None:
        super().__init__(nodeid=tests.nodeid, **of_node)
        self.tests = tests

    def runtest(self) -> None:
        """Never called: `Late` runs the file's tests."""
        raise NotImplementedError(self.nodeid)

    def items(self) -> list[pytest.Item]:
        """The file's tests; if it cannot be imported none, and pytest reports why."""
        with without_garbage_collection():
            found = list(self.session.genitems(self.tests))
            self.config.hook.pytest_collection_modifyitems(
                session=self.session, config=self.config, items=found
            )
        return found


class Late:
    """The plugin of a process that runs tests."""

    beside = 0
    """How many more tests the file has of which the first is run."""

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> Generator[None, pytest.Module, LateFile]:
        """The file in place of its tests."""
        tests = yield
        return LateFile.from_parent(parent, name=module_path.name, path=module_path, tests=tests)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a file's tests, each in the file's place in the session: xdist finds there what it reports."""
        if not isinstance(item, LateFile):
            return None
        session, place, tests = item.session, item.session.items.index(item), item.items()
        self.beside = len(tests) - 1
        for test, following in zip(tests, [*tests[1:], nextitem], strict=False):
            if session.shouldfail or session.shouldstop:
                break
            session.items[place] = test
            item.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        session.items[place] = item
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say how many tests stand behind the file that was counted as one."""
        report = yield
        report.beside, self.beside = self.beside, 0  # type: ignore[attr-defined]
        return report


class GivingOut:
    """The plugin of the process that gives files out and shows how far the run is."""

    def pytest_configure_node(self, node: WorkerController) -> None:
        """Have a process look into files late."""
        node.workerinput[LATE] = True

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a file's tests once it is known how many they are."""
        self.session.testscollected += getattr(report, "beside", 0)


def plugin_of(config: pytest.Config) -> Late | GivingOut | None:
    """What this process needs so that files are looked into late; nothing where tests are chosen among."""
    if hasattr(config, "workerinput"):
        return Late() if LATE in config.workerinput else None
    return GivingOut() if gives_out_files(config) else None
