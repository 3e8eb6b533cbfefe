"""Passwords as RabbitMQ keeps them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bus.broker.passwords import matches, password_hash


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_password_matches_its_hash_alone(password: str, other: str) -> None:
    known = password_hash(password)
    assert matches(password, known)
    assert matches(other, known) == (other == password)


def test_a_hash_is_as_rabbitmq_documents_it() -> None:
    """The worked example of RabbitMQ's documentation, "Passwords", section "This is the algorithm"."""
    known = password_hash("test12", bytes.fromhex("908DC60A"))
    assert known == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


@pytest.mark.parametrize("known", ["", "!", "AAA=", "kI3G", "ä"])
def test_other_text_matches_nothing(known: str) -> None:
    assert not matches("test12", known)
