"""What a buyer with all its keys learns from all that crosses the bus, and what the buyer of 2019 learnt."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from protocol.crypto.packing import Mask
from protocol.envelope import SignedMessage
from protocol.roles.engine.effects import KeepResult, PutValue, StoreBlob
from tests.support.roles.buyer_attack import Attack, known_to_buyer, on_the_bus
from tests.support.roles.plain_market import bought_weights, owner_data, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix
from tests.support.roles.small_markets import COLUMNS, body_of, small_data, small_request
from tests.support.thesis.thesis_residuals import least_squares_attack, thesis_training

FOUND = 1e-6
CHANCE = 0.5
"""A guess of zero has distance 1: what comes no nearer than half of that tells nothing."""


NEAR = 0.01
"""Scaled numbers lie between public zeros and ones: chance comes nearer to them, and not that near."""


def trained_market(scale: str = "none") -> PureMarket:
    """Four rounds, so that more models are measured than a residual has entries."""
    schedule = {"rounds": 4, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
    request = small_request(schedule=schedule, scale=scale)
    market = PureMarket(request, small_data(owners=5), COLUMNS, validators=[3, 4])
    market.start()
    market.finish()
    assert market.buyer.shown == "FINISHED"
    return market


@cache
def honest_market() -> PureMarket:
    return trained_market()


@cache
def honest_attack() -> Attack:
    return attack(honest_market(), sealed=True)


@cache
def scaled_attack() -> tuple[PureMarket, Attack]:
    market = trained_market("range")
    return market, attack(market, sealed=True)


@cache
def sealed_anew(tried: Attack) -> Attack:
    return attack(tried.market, sealed=True)


def found_again(tried: Attack, truths: Sequence[Matrix]) -> list[float]:
    """How near the attack comes also when everything is sealed anew.

    One place in 16 million of random bytes looks like a ciphertext's header. What is read behind it is
    chance, and once in a thousand runs it lies near a secret.
    """
    again = sealed_anew(tried).closest(truths)
    return [max(pair) for pair in zip(tried.closest(truths), again, strict=True)]


def attack(market: PureMarket, *, sealed: bool) -> Attack:
    return Attack(market, known_to_buyer(market, on_the_bus(market, sealed=sealed)))


# ---- the truth ----


def intermediate_models(market: PureMarket) -> list[Matrix]:
    """Every average but the public first and the bought last."""
    return list(plain_twin(market).averaging.models[1:-1])


def local_models(market: PureMarket) -> list[Matrix]:
    return list(plain_twin(market).averaging.local_models.reshape(-1, market.request.parameters))


def measured_models(market: PureMarket) -> list[Matrix]:
    """As a validator measures them: the start in the first round, then each round's local models."""
    averaging = plain_twin(market).averaging
    return [averaging.models[0], *local_models(market)]


def residual_vectors(market: PureMarket) -> list[Matrix]:
    return [
        owner_data(market, validator).factor @ np.append(model, -1.0)
        for validator in market.validators()
        for model in measured_models(market)
    ]


def rows(market: PureMarket) -> list[Matrix]:
    """Every owner's rows, and the rows of its factor."""
    data = [row for owner in small_data(owners=5) for row in owner]
    return data + [row for owner in market.owners for row in owner_data(market, owner).factor]


def single_errors(market: PureMarket) -> list[Matrix]:
    """Every validator's own errors of a round, by its row count: only their sum over validators is public."""
    averaging = plain_twin(market).averaging
    found = []
    for validator in market.validators():
        data = owner_data(market, validator)
        for models in averaging.local_models:
            residuals = [data.factor @ np.append(model, -1.0) for model in models]
            found.append(data.rows * np.array([residual @ residual for residual in residuals]))
    return found


SECRETS = {
    "intermediate models": intermediate_models,
    "local models": local_models,
    "residuals": residual_vectors,
    "rows": rows,
    "single validators' errors": single_errors,
}


def distance_of_bought_model(market: PureMarket, truth: Matrix) -> float:
    """How near the bought model comes to a secret: that much anyone who bought it knows."""
    bought = bought_weights(market)
    if len(bought) != len(truth):
        return float(np.inf)
    return float(np.abs(bought - truth).max() / np.abs(truth).max())


# ---- our protocol ----


@pytest.mark.parametrize("secret", SECRETS)
def test_a_buyer_with_all_its_keys_finds_nothing(secret: str) -> None:
    market = honest_market()
    truths = SECRETS[secret](market)
    distances = found_again(honest_attack(), truths)
    for distance, truth in zip(distances, truths, strict=True):
        assert distance > min(CHANCE, 0.999 * distance_of_bought_model(market, truth))


@pytest.mark.parametrize("secret", SECRETS)
def test_it_finds_as_little_of_scaled_columns(secret: str) -> None:
    market, tried = scaled_attack()
    truths = SECRETS[secret](market)
    for distance, truth in zip(found_again(tried, truths), truths, strict=True):
        assert distance > min(NEAR, 0.999 * distance_of_bought_model(market, truth))


def test_the_attack_does_read_what_is_sealed_to_the_buyer() -> None:
    """Otherwise it would find nothing whatever the protocol did."""
    tried = honest_attack()
    types = {message_type for message_type, _ in tried.plaintexts()}
    assert {"refresh_request", "noisy_metric", "opening_request", "trained_model"} <= types
    assert max(tried.closest([plain_twin(honest_market()).averaging.models[-1]])) < FOUND


def test_without_seals_the_same_attack_reads_every_model() -> None:
    """So the seals are what keeps a buyer that reads other parties' queues from the models."""
    market = honest_market()
    tried = attack(market, sealed=False)
    assert max(tried.closest(intermediate_models(market))) < FOUND
    assert max(tried.closest(local_models(market))) < FOUND


def test_without_masks_the_same_attack_reads_residuals_and_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the masks are what keeps the buyer from them."""
    monkeypatch.setattr(Mask, "draw", lambda _key, plaintexts, _randomness: Mask((0,) * plaintexts))
    market = trained_market()
    tried = attack(market, sealed=True)
    assert max(tried.closest(residual_vectors(market))) < FOUND
    sums = [3 * model for model in intermediate_models(market)]
    assert max(tried.closest(sums)) < FOUND


def test_without_zero_sum_masks_the_same_attack_reads_single_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "protocol.roles.owner.validator_checks.zero_sum_masks", lambda _key, *, count, **_others: [0] * count
    )
    market = trained_market()
    distances = attack(market, sealed=True).closest(single_errors(market))
    assert max(distances) < 1e-3, "all but the noise"


def test_least_squares_finds_nothing_even_with_every_model_known() -> None:
    """The attack of 2019 with the true models thrown in: the masked digits fit no rows."""
    market = honest_market()
    for factor, found in least_squares(market, honest_attack()):
        assert np.abs(found - factor).max() > CHANCE * np.abs(factor).max()


def test_without_masks_least_squares_finds_every_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mask, "draw", lambda _key, plaintexts, _randomness: Mask((0,) * plaintexts))
    market = trained_market()
    for factor, found in least_squares(market, attack(market, sealed=True)):
        assert np.abs(found - factor).max() < 1e-6


def least_squares(market: PureMarket, tried: Attack) -> list[tuple[Matrix, Matrix]]:
    """(true factor, the factor that fits best) of each validator, whose metrics come in turn."""
    per_round = tried.masked_residuals()
    models = np.array(measured_models(market))
    pairs = []
    for index, validator in enumerate(market.validators()):
        vectors = np.vstack(own_metrics(market, per_round, index))[: len(models)]
        features, target = least_squares_attack(models, vectors)
        pairs.append((owner_data(market, validator).factor, np.column_stack([features, target])))
    return pairs


def own_metrics(market: PureMarket, per_round: Sequence[Matrix], index: int) -> list[Matrix]:
    """The noisy metrics of one validator, without the slots that a plaintext leaves empty."""
    messages = market.sent("noisy_metric")
    sender = market.validators()[index].address
    return [
        vectors[: body_of(message).models]
        for message, vectors in zip(messages, per_round, strict=True)
        if message.envelope.sender == sender
    ]


@pytest.mark.parametrize("message_type", ["refresh_request", "noisy_metric", "encrypted_metric"])
def test_masks_cover_the_whole_plaintext(message_type: str) -> None:
    """A mask as wide as plausible values would leave the top of an implausible one in sight."""
    market = honest_market()
    bits = market.key.public_key.bits
    seen = [
        market.key.decrypt(int.from_bytes(ciphertext, "big"))
        for message in market.sent(message_type)
        for ciphertext in packed_in(message)
    ]
    assert len(seen) > 4
    assert all(plaintext.bit_length() > bits - 40 for plaintext in seen)
    assert len(set(seen)) == len(seen)


def packed_in(message: SignedMessage) -> Sequence[bytes]:
    body = body_of(message)
    for name in ("masked", "masked_residuals", "values"):
        if hasattr(body, name):
            return tuple(getattr(body, name).ciphertexts)
    raise AssertionError(message.envelope.type)


def test_no_ciphertext_leaves_its_maker_without_fresh_randomness() -> None:
    """(1 + m·n) can be read by everybody; the same ciphertext twice tells that two numbers are equal."""
    market = honest_market()
    n = int(market.key.public_key.n)
    fields = {
        "encrypted_model": "model",
        "gradient_update": "local_model",
        "refresh_request": "masked",
        "refresh_answer": "model",
        "noisy_metric": "masked_residuals",
        "encrypted_metric": "values",
    }
    makers: dict[bytes, set[bytes]] = {}
    for message in market.wire:
        if message.envelope.type in fields:
            vector = getattr(body_of(message), fields[message.envelope.type])
            for ciphertext in vector.ciphertexts:
                assert int.from_bytes(ciphertext, "big") % n != 1
                makers.setdefault(ciphertext, set()).add(vector.digest())
    assert all(len(vectors) == 1 for vectors in makers.values())


def test_facts_violations_and_reprs_tell_no_secret() -> None:
    market = honest_market()
    weights = [repr(weight)[:8] for weight in (*bought_weights(market), *market.bought().weights)]
    for party in market.parties.values():
        secrets = [party.signing_key.hex(), party.exchange_secret.hex(), str(int(market.key.p)), *weights]
        context = market.context(party)
        hidden = [
            repr(party.signing_key),
            repr(party.exchange_secret),
            repr(context.seed),
            "paillier",
            "rows",
        ]
        told = repr([fact.data for fact in party.facts]) + repr(party.violations)
        assert not [secret for secret in secrets if secret in told]
        assert not [secret for secret in hidden if secret in repr(context)]
        assert repr(context.randomness()) == "Randomness(hidden)"


# ---- the protocol of 2019 ----


def test_the_buyer_of_2019_reads_every_row_and_target() -> None:
    view = thesis_training()
    for validator in view.validators:
        features, target = least_squares_attack(view.models, validator.residuals)
        assert np.abs(features - validator.features).max() < 1e-10
        assert np.abs(target - validator.target).max() < 1e-11


def test_fewer_models_than_weights_do_not_determine_a_row() -> None:
    """The attack needs p + 1 models: with fewer it must fail, or the test above would prove nothing."""
    view = thesis_training()
    validator = view.validators[0]
    features, _ = least_squares_attack(view.models[:8], validator.residuals[:8])
    assert np.abs(features - validator.features).max() > 1e-2


@pytest.mark.parametrize(
    "effect",
    [
        StoreBlob(digest=b"\0" * 32, content=b"a model"),
        KeepResult(name="model", content=b"a model"),
        PutValue(name="budget", content=b"a model"),
    ],
    ids=lambda effect: effect.effect,
)
def test_what_an_effect_keeps_is_not_in_its_repr(effect: StoreBlob | KeepResult | PutValue) -> None:
    assert "a model" not in repr(effect)
