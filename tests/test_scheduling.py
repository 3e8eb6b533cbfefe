"""Which process of a run takes which tests, also when one of them dies."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.scheduling import CONSOLES_OF_THEIR_OWN, OWN_BROKER, WAITING, Together

SLOW = [f"tests/faults/test_{name}.py::test_{number}" for name in ("a", "b") for number in range(4)]
KILLING = [f"{file}::test_it" for file in OWN_BROKER]
BROWSER = ["tests/browser/test_one.py::test_it", "tests/browser/test_two.py::test_it"]
QUICK = [f"tests/protocol/test_{name}.py::test_{number}" for name in "abcdefgh" for number in range(4)]
TESTS = [*BROWSER, *SLOW, *QUICK, *KILLING]


class Process:
    """Takes what it is given, and tells nobody that it has ended."""

    def __init__(self, name):
        self.gateway = SimpleNamespace(id=name)
        self.given, self.shutting_down = [], False

    def send_runtest_some(self, indices):
        self.given += [TESTS[index] for index in indices]

    def shutdown(self):
        self.shutting_down = True


def started(count):
    """A run of so many processes that have all found their tests."""
    option = SimpleNamespace(loadscopereorder=False)
    scheduler = Together(SimpleNamespace(option=option, getvalue=lambda _name: ["popen"] * count))
    processes = [Process(f"gw{number}") for number in range(count)]
    for process in processes:
        join(scheduler, process)
    scheduler.schedule()
    return scheduler, processes


def join(scheduler, process):
    scheduler.add_node(process)
    scheduler.add_node_collection(process, TESTS)


def finish(scheduler, processes):
    """Run all that is left; how often each test was run."""
    done = 0
    while any(len(process.given) > done for process in processes):
        for process in processes:
            for test in process.given[done : done + 1]:
                scheduler.mark_test_complete(process, TESTS.index(test))
        done += 1


@pytest.mark.parametrize(("count", "waiting"), [(2, 1), (3, 1), (4, 2)])
def test_the_smaller_half_begins_with_what_waits(count, waiting):
    _, processes = started(count)
    begun = [process.given[0] in (*BROWSER, *SLOW, KILLING[0]) for process in processes]
    assert begun == [False] * (count - waiting) + [True] * waiting


def test_what_shares_a_browser_goes_to_one_process():
    _, processes = started(3)
    assert [set(BROWSER) <= set(process.given) for process in processes].count(True) == 1


def test_what_kills_a_broker_goes_to_the_process_whose_broker_it_is():
    scheduler, processes = started(3)
    finish(scheduler, processes)
    assert [set(KILLING) <= set(process.given) for process in processes].count(True) == 1


def test_everything_is_run_once():
    scheduler, processes = started(3)
    finish(scheduler, processes)
    assert sorted(test for process in processes for test in process.given) == sorted(TESTS)


def test_a_run_goes_on_when_two_processes_die_before_their_successors_have_found_the_tests():
    scheduler, (first, second, third) = started(3)
    assert scheduler.remove_node(first) == first.given[0]
    successors = [Process("gw3"), Process("gw4")]
    scheduler.add_node(successors[0])
    assert scheduler.remove_node(third) == third.given[0]
    scheduler.add_node(successors[1])
    for successor in successors:
        scheduler.add_node_collection(successor, TESTS)
        scheduler.schedule()
    finish(scheduler, [second, *successors])
    assert scheduler.tests_finished
    assert {test for process in (second, *successors) for test in process.given} == set(TESTS)


def test_the_places_that_are_told_apart_are_there():
    root = Path(__file__).parent.parent
    assert [
        place for place in (*WAITING, *CONSOLES_OF_THEIR_OWN, *OWN_BROKER) if not (root / place).exists()
    ] == []
