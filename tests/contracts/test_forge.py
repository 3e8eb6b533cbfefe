"""The forge suite, run as part of this one, and its branch trees."""

import json
import re

import pytest

from contracts import forge

LEAST_TESTS = 270
TESTS = forge.FOLDER / "test"
TREES = sorted(TESTS.glob("*.tree"))


def test_every_forge_test_passes_and_none_is_skipped():
    """A sample of games, on the contract as it ships; `make campaigns` compiles it and plays all."""
    result = forge.run(["test", "--json"], **forge.SHIPPED)
    assert result.returncode == 0, forge.run(["test"], **forge.SHIPPED).stdout
    # Above the JSON stand the compiler's lines when something was compiled.
    suites = json.loads(result.stdout[result.stdout.index('{"') :])
    outcomes = {
        f"{suite} {name}": outcome["status"]
        for suite, results in suites.items()
        for name, outcome in results["test_results"].items()
    }
    assert set(outcomes.values()) == {"Success"}, outcomes
    assert len(outcomes) >= LEAST_TESTS


def test_every_function_of_the_market_has_a_tree():
    abi = json.loads(forge.build.ARTIFACT.read_text())["abi"]
    functions = [entry for entry in abi if entry["type"] == "function"]
    calls = {one["name"] for one in functions if one["stateMutability"] not in ("view", "pure")}
    assert len(calls) > 10
    assert {call[0].upper() + call[1:] for call in calls} <= {tree.stem for tree in TREES}


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.stem)
def test_the_tree_names_exactly_the_tests_that_stand_beside_it(tree):
    source = tree.with_suffix(".t.sol").read_text()
    tests = re.findall(r"function test(?:Fuzz)?_(\w+)", source)
    assert sorted(tests) == sorted(_test_names(tree.read_text()))


def _test_names(tree: str) -> list[str]:
    """`When A is b` / `It should revert.` names `RevertWhen_AIsB`, any other outcome `WhenAIsB`."""
    lines = [re.sub(r"^[^A-Za-z]*", "", line) for line in tree.splitlines()[1:]]
    names = []
    for condition, outcome in zip(lines[::2], lines[1::2], strict=True):
        assert condition.startswith("When ")
        assert outcome.startswith("It should ")
        title = "".join(word[0].upper() + word[1:] for word in condition.removeprefix("When ").split())
        names.append(("RevertWhen_" if outcome.startswith("It should revert") else "When") + title)
    return names
