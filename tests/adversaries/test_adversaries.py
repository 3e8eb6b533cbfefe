"""A few of the adversaries, one of them without the check as well; `make adversaries` runs all of them."""

from pathlib import Path

import pytest

from tests.adversaries.catalogue import ALL, by_name
from tests.adversaries.declaration import SECTIONS
from tests.adversaries.run import run, run_unchecked

CHOSEN = (
    "trainer: re-blinded copy",
    "validator: other error",
    "first checker: two verdicts",
    "first checker: is a weight zero, unsigned",
    "second checker: proof denied, of two",
    "aggregator: other masks shown",
    "buyer: zero claimed",
)
UNCHECKED = ("validator: other error",)


def test_each_has_a_name_of_its_own_and_there_are_enough() -> None:
    assert len(by_name()) == len(ALL) >= 60


def test_sections_are_those_of_the_threats() -> None:
    threats = (Path(__file__).parents[2] / "protocol" / "THREATS.md").read_text(encoding="utf-8")
    assert all(f"\n## {section}\n" in threats for section in SECTIONS)


def test_every_part_of_a_market_has_its_cheats() -> None:
    parts = {one.who for one in ALL}
    assert parts >= {
        "trainer",
        "validator",
        "first checker",
        "second checker",
        "aggregator",
        "buyer",
        "broker",
    }
    assert {one.section for one in ALL} == set(SECTIONS)


def test_every_check_that_is_switched_off_is_there() -> None:
    switches = [one.switch for one in ALL if one.switch is not None]
    places = [replaced for switch in switches for replaced in switch.replaced]
    assert len(places) >= len(switches) > 0
    assert [place.name for place in places if not hasattr(place.holder, place.name)] == []


@pytest.mark.parametrize("name", CHOSEN)
def test_an_adversary_comes_to_what_is_declared(name: str) -> None:
    assert run(by_name()[name]).differences == ()


@pytest.mark.parametrize("name", UNCHECKED)
def test_an_adversary_wins_where_its_check_is_off(name: str) -> None:
    assert run_unchecked(by_name()[name]).differences == ()
