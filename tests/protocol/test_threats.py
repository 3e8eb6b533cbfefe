"""Every test that THREATS.md names is there: a claim without one would be a wish."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(
    set(re.findall(r"`([\w/]+(?:\.py|\.t\.sol))::(\w+)`", (ROOT / "protocol" / "THREATS.md").read_text()))
)


def test_attacks_name_their_tests() -> None:
    assert len(NAMED) >= 40


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    folder = ROOT / ("contracts/test" if file.endswith(".t.sol") else "tests")
    assert re.search(rf"\b(def|function) {name}\(", (folder / file).read_text())
