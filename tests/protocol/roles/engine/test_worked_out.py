"""What is worked out once is known to views of the same content alone, and never a refusal."""

from dataclasses import dataclass, field

import pytest

from protocol.errors import ProtocolViolation
from protocol.roles.engine.worked_out import KeptWork, Known, worked_out


@dataclass(frozen=True)
class View:
    content: list[int]
    known: Known = field(default_factory=dict)

    @worked_out
    def total(self) -> int:
        """The sum."""
        self.content.append(0)  # tells that somebody has looked
        return sum(self.content)

    @worked_out
    def positive(self) -> int:
        if self.total < 1:
            raise ProtocolViolation("not_positive")
        return self.total


def test_a_value_is_worked_out_once_for_all_views_with_the_same_known():
    known: Known = {}
    first, second = View([1, 2], known), View([4], known)
    assert (first.total, second.total) == (3, 3)
    assert (first.content, second.content) == ([1, 2, 0], [4])
    assert View([4]).total == 4


def test_a_refusal_is_not_kept():
    known: Known = {}
    for _ in range(2):
        with pytest.raises(ProtocolViolation):
            _ = View([], known).positive
    assert "positive" not in known


def test_a_property_says_what_it_is():
    assert View.total.__doc__ == "The sum."


def test_each_party_and_kind_has_its_own():
    work = KeptWork(2)
    work.of("one", "round", 1)["total"] = 1
    assert (work.of("other", "round", 1), work.of("one", "training", 1)) == ({}, {})
    assert work.of("one", "round", 1) == {"total": 1}


def test_a_party_keeps_what_it_knows_of_the_last_content_alone():
    work = KeptWork(2)
    work.of("one", "round", 1)["total"] = 1
    assert work.of("one", "round", 2) == {}
    assert work.of("one", "round", 1) == {}


def test_the_party_not_seen_for_longest_is_forgotten():
    work = KeptWork(2)
    for party in ("one", "two", "one", "three"):
        work.of(party, "round", 1)["named"] = party
    assert [bool(work.of(party, "round", 1)) for party in ("one", "three")] == [True, True]
    assert work.of("two", "round", 1) == {}


def test_what_is_worked_out_after_it_was_kept_is_known_as_well():
    work, view = KeptWork(1), View([1, 2])
    work.keep("party", "round", "key", view.known)
    assert view.total == work.of("party", "round", "key")["total"] == 3


def test_a_party_is_forgotten_alone_and_all_with_the_rest():
    work = KeptWork(3)
    for party in ("one", "two"):
        work.of(party, "round", 1)["named"] = party
    work.forget("one")
    assert (work.of("one", "round", 1), work.of("two", "round", 1)) == ({}, {"named": "two"})
    work.clear()
    assert work.of("two", "round", 1) == {}
