"""Whom a buyer's policy admits."""

import pytest
from pydantic import ValidationError

from protocol.admission_policy import AdmissionPolicy, Decision

OWNER, OTHER = "0x" + "a1" * 20, "0x" + "a2" * 20
CARD, OTHER_CARD = b"\xc1" * 32, b"\xc2" * 32
HASH = CARD.hex()


def test_everybody_is_admitted_whom_the_aggregator_admits_unless_told_otherwise() -> None:
    assert AdmissionPolicy().decision(OWNER, CARD) == "admit"


@pytest.mark.parametrize("others", ["ask", "refuse"])
def test_who_is_on_no_list_is_one_of_the_others(others: Decision) -> None:
    policy = AdmissionPolicy(owners=(OWNER,), cards=(HASH,), others=others)
    asking = ((OWNER, CARD), (OWNER, OTHER_CARD), (OTHER, CARD), (OTHER, OTHER_CARD))
    assert [policy.decision(*who) for who in asking] == ["admit", others, others, others]
    assert AdmissionPolicy(others=others).decision(OWNER, CARD) == others


@pytest.mark.parametrize(
    ("lists", "admitted"),
    [
        ({"owners": (OWNER,)}, [(OWNER, CARD), (OWNER, OTHER_CARD)]),
        ({"cards": (HASH,)}, [(OWNER, CARD), (OTHER, CARD)]),
    ],
)
def test_one_list_alone_decides(lists: dict[str, tuple[str, ...]], admitted: list[tuple[str, bytes]]) -> None:
    policy = AdmissionPolicy.model_validate({**lists, "others": "refuse"})
    asking = [(owner, card) for owner in (OWNER, OTHER) for card in (CARD, OTHER_CARD)]
    assert [who for who in asking if policy.decision(*who) == "admit"] == admitted


@pytest.mark.parametrize("lists", [{"owners": (OWNER,)}, {"cards": (HASH,)}])
def test_a_list_that_keeps_nobody_out_is_a_mistake(lists: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError, match="others: refuse or others: ask"):
        AdmissionPolicy.model_validate(lists)


def test_a_cards_hash_is_written_in_full() -> None:
    assert AdmissionPolicy(cards=("0x" + HASH.upper(),), others="refuse").cards == (HASH,)
    with pytest.raises(ValidationError, match="should match pattern"):
        AdmissionPolicy(cards=(HASH[:-1],), others="refuse")
