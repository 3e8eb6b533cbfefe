"""The table of encrypted trainings has every kind, and what is too far from plaintext is seen."""

from types import SimpleNamespace

import pytest

from protocol.learning.kinds.registry import KINDS
from tests.benchmarks import encrypted_kinds
from tests.benchmarks.encrypted_kinds import LARGEST, Distance, distance
from tests.support.roles.kind_markets import MARKETS, in_plaintext


def test_every_kind_is_there() -> None:
    assert set(KINDS) <= set(MARKETS)


def test_an_encrypted_training_ends_where_the_plain_one_does() -> None:
    assert 0 < max(distance("linear_regression")) < LARGEST


@pytest.mark.parametrize("far", [Distance(2 * LARGEST, 0.0), Distance(0.0, 2 * LARGEST)])
def test_what_is_too_far_makes_no_table(far: Distance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted_kinds, "distance", lambda _title: far)
    with pytest.raises(RuntimeError, match=r"linear_regression: .* is above 1e-06"):
        encrypted_kinds.markdown()


def test_another_weight_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By two millionths of itself, the smallest of all."""

    def other(market):  # type: ignore[no-untyped-def]
        model, errors = in_plaintext(market)
        smallest = min(range(len(model.weights)), key=lambda place: abs(model.weights[place]))
        weights = [
            weight * (1 + 2 * LARGEST * (place == smallest)) for place, weight in enumerate(model.weights)
        ]
        return SimpleNamespace(weights=weights, intercept=model.intercept, outputs=()), errors

    monkeypatch.setattr(encrypted_kinds, "in_plaintext", other)
    assert not distance("linear_regression").holds
