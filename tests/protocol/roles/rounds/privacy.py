"""What a buyer with all its keys learns from all that crosses the bus of a checked training."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from protocol.crypto.cipher import Mask
from protocol.learning.moments.exchange import MomentMask
from protocol.roles.rounds.attempt import evidence_digest
from tests.support.roles.buyer_attack import Attack, attack
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.plain_market import bought_weights, owner_data, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix
from tests.support.roles.small_markets import body_of, small_data

FOUND = 1e-6
NEAR = 0.01
"""Scaled numbers lie between public zeros and ones: chance comes nearer to them, and not that near."""


def trained_market() -> PureMarket:
    market = checked_market([3, 4])
    market.finish()
    return market


@cache
def honest() -> tuple[PureMarket, Attack]:
    market = trained_market()
    assert market.buyer.shown == "FINISHED"
    return market, attack(market)


# ---- the truth ----


def intermediate_models(market: PureMarket) -> list[Matrix]:
    return list(plain_twin(market).averaging.models[1:-1])


def local_models(market: PureMarket, rounds: int | None = None) -> list[Matrix]:
    found = plain_twin(market, rounds).averaging.local_models
    return list(found.reshape(-1, market.request.parameters))


def residuals(market: PureMarket) -> list[Matrix]:
    return [
        owner_data(market, validator).factor @ np.append(model, -1.0)
        for validator in market.validators()
        for model in local_models(market)
    ]


def single_errors(market: PureMarket) -> list[Matrix]:
    """Each member's own: only their weighted mean is public."""
    found = []
    for validator in market.validators():
        for models in plain_twin(market).averaging.local_models:
            vectors = [owner_data(market, validator).factor @ np.append(one, -1.0) for one in models]
            found.append(np.array([one @ one for one in vectors]))
    return found


def rows(market: PureMarket) -> list[Matrix]:
    data = [row for owner in small_data(owners=5) for row in owner]
    return data + [row for owner in market.owners for row in owner_data(market, owner).factor]


def gram_matrices(market: PureMarket) -> list[Matrix]:
    return [factor.T @ factor for factor in (owner_data(market, one).factor for one in market.owners)]


SECRETS: dict[str, Callable[[PureMarket], list[Matrix]]] = {
    "intermediate models": intermediate_models,
    "local models": local_models,
    "residuals": residuals,
    "single members' errors": single_errors,
    "rows": rows,
    "Gram matrices": lambda market: [row for one in gram_matrices(market) for row in one],
}


def known_anyway(market: PureMarket, truth: Matrix) -> float:
    """How near the bought model comes to it."""
    bought = bought_weights(market)
    if len(bought) != len(truth):
        return float(np.inf)
    return float(np.abs(bought - truth).max() / np.abs(truth).max())


@pytest.mark.parametrize("secret", SECRETS)
def test_a_buyer_with_all_its_keys_finds_nothing(secret: str) -> None:
    market, tried = honest()
    truths = SECRETS[secret](market)
    for distance, truth in zip(tried.closest(truths), truths, strict=True):
        assert distance > min(NEAR, 0.999 * known_anyway(market, truth))


def test_the_attack_does_read_what_is_sealed_to_the_buyer() -> None:
    """Otherwise it would find nothing whatever the protocol did."""
    market, tried = honest()
    types = {message_type for message_type, _ in tried.plaintexts()}
    assert {"moment_request", "projection_request", "metric_opening_request", "trained_model"} <= types
    assert max(tried.closest([plain_twin(market).averaging.models[-1]])) < FOUND


def test_without_seals_the_same_attack_reads_every_model() -> None:
    """So the seals are what keeps a buyer that reads other parties' queues from the models."""
    market, _ = honest()
    tried = attack(market, sealed=False)
    assert max(tried.closest(intermediate_models(market))) < FOUND
    assert max(tried.closest(local_models(market))) < FOUND


def test_without_masks_the_same_attack_reads_local_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the masks are what keeps the buyer from them."""

    def none(key: Any, values: int, layout: Any, randomness: Any) -> MomentMask:
        chunks = layout.chunks(values)
        return MomentMask(Mask((0,) * len(chunks)), tuple(randomness.unit(key.n) for _ in chunks))

    monkeypatch.setattr(MomentMask, "draw", none)
    market = checked_market([3, 4])
    market.run_until("moment_answer", market.aggregator)
    assert max(attack(market).closest(local_models(market, 1))) < FOUND


@pytest.mark.parametrize("message_type", ["moment_request", "projection_request"])
def test_masks_cover_the_whole_plaintext(message_type: str) -> None:
    """A mask as wide as plausible values would leave the top of an implausible one in sight."""
    market, _ = honest()
    seen = [
        int(market.key.decrypt(int.from_bytes(one, "big")))
        for message in market.sent(message_type)
        for one in body_of(message).masked
    ]
    assert len(set(seen)) == len(seen) > 4
    assert all(plaintext.bit_length() > market.key.public_key.bits - 40 for plaintext in seen)


def ciphertexts(body: Any) -> list[bytes]:
    """What a message's maker has just encrypted or multiplied."""
    kinds = {
        "proven_update": lambda: body.local_model.ciphertexts,
        "moment_request": lambda: body.masked,
        "moment_answer": lambda: body.numbers,
        "projection_request": lambda: body.masked,
        "projection_answer": lambda: body.numbers,
        "zero_test_request": lambda: (body.zero,),
        "round_evidence": lambda: body.next_model.ciphertexts,
        "proven_metric": lambda: body.values,
        "ring_shared": lambda: body.share,
        "ring_opening_request": lambda: body.product,
        "metric_opening_request": lambda: body.product,
    }
    return list(kinds[body.type]()) if body.type in kinds else []


def test_no_ciphertext_leaves_its_maker_without_fresh_randomness() -> None:
    """(1 + m·n) can be read by everybody; the same ciphertext twice tells that two numbers are equal."""
    market, _ = honest()
    n, makers = int(market.key.public_key.n), dict[bytes, set[tuple[bytes, ...]]]()
    for message in market.wire:
        found = ciphertexts(body_of(message))
        for one in found:
            assert int.from_bytes(one, "big") % n != 1
            makers.setdefault(one, set()).add(tuple(found))
    assert len(makers) > 100
    assert all(len(vectors) == 1 for vectors in makers.values())


def test_seeds_nonces_and_masks_are_in_no_repr_fact_or_violation() -> None:
    market, _ = honest()
    secrets: list[bytes] = []
    for message in market.wire:
        body = body_of(message)
        if body.type != "ring_committed":
            names = ("seed", "nonce", "question_seed", "test_seed")
            secrets += [found for name in names if (found := getattr(body, name, None))]
        if body.type == "round_evidence":
            secrets += [*body.masks, *body.mask_roots]
    assert len(secrets) > 50
    shown = "".join(repr(body_of(message)) for message in market.wire)
    for party in market.parties.values():
        shown += repr([fact.data for fact in party.facts]) + repr(party.violations) + repr(party.decoded)
    assert not [one for one in secrets if repr(one)[2:-1] in shown or one.hex() in shown]


def test_all_members_were_shown_the_same_and_say_so() -> None:
    market, _ = honest()
    for number in (1, 2, 3):
        shown = {
            evidence_digest(body_of(one))
            for one in market.sent("round_evidence")
            if one.envelope.round == number
        }
        told = {
            body_of(one).evidence_digest
            for one in market.sent("proven_metric")
            if one.envelope.round == number
        }
        assert shown == told
        assert len(shown) == 1
