"""What a buyer with all its keys learns from all that crosses the bus, and what the buyer of 2019 learnt.

A longer training, and the same attack without seals and masks, are in `rounds.privacy`.
"""

from functools import cache

import numpy as np
import pytest

from protocol.bodies import body_of
from protocol.messages.rounds.values import Shown
from protocol.roles.engine.effects import KeepResult, PutValue, StoreBlob
from tests.protocol.roles.rounds.privacy import NEAR, SECRETS, known_anyway
from tests.support.roles.buyer_attack import Attack, attack
from tests.support.roles.phases import finished_market
from tests.support.roles.plain_market import bought_weights
from tests.support.roles.pure_market import PureMarket
from tests.support.thesis.thesis_residuals import least_squares_attack, thesis_training


@cache
def honest_attack() -> Attack:
    return attack(finished_market())


# ---- our protocol ----


@pytest.mark.parametrize("secret", SECRETS)
def test_a_buyer_with_all_its_keys_finds_nothing(secret: str) -> None:
    market = finished_market()
    truths = SECRETS[secret](market)
    for distance, truth in zip(honest_attack().closest(truths), truths, strict=True):
        assert distance > min(NEAR, 0.999 * known_anyway(market, truth))


def test_facts_violations_and_reprs_tell_no_secret() -> None:
    market = finished_market()
    weights = [repr(weight)[:8] for weight in (*bought_weights(market), *market.bought().weights)]
    for party in market.parties.values():
        secrets = [party.signing_key.hex(), party.exchange_secret.hex(), str(int(market.key.p)), *weights]
        context = market.context(party)
        hidden = [repr(party.signing_key), repr(context.seed), "paillier", "rows"]
        told = repr([fact.data for fact in party.facts]) + repr(party.violations)
        assert not [secret for secret in secrets if secret in told]
        assert not [secret for secret in hidden if secret in repr(context)]
        assert repr(context.randomness()) == "Randomness(hidden)"


def secrets_on_the_wire(market: PureMarket) -> list[bytes | int]:
    """Seeds, nonces and masks with their roots that parties have shown some other, and opened plaintexts."""
    bodies = [body_of(message) for message in market.wire]
    found: list[bytes | int | None] = []
    for body in bodies:
        names = ("seed", "nonce", "question_seed", "test_seed", "opening")
        found += [getattr(body, name, None) for name in names if body.type != "ring_committed"]
        found += [one for name in ("masks", "mask_roots") for one in getattr(body, name, ())]
        found += [one for vector in getattr(body, "vectors", ()) for one in vector.openings]
    shown = [(one.plaintext, one.root) for one in found if isinstance(one, Shown)]
    return [one for one in found if isinstance(one, bytes)] + [
        number for pair in shown for number in pair if number
    ]


def test_no_text_of_inputs_states_or_bodies_shows_a_seed_a_mask_or_a_model() -> None:
    """Whoever logs an input, or an error about one, must not hand out what only its recipient may see."""
    market = finished_market()
    told = repr([party.inbox for party in market.parties.values()])
    told += repr([party.decoded for party in market.parties.values()])
    told += repr([body_of(message) for message in market.wire if message.envelope.type != "opening"])
    told += repr(market.bought())
    secrets = secrets_on_the_wire(market)
    assert len(secrets) > 50
    texts = {text for one in secrets for text in texts_of(one)}
    assert not [text for text in texts if text in told]
    assert not [weight for weight in market.bought().weights if repr(weight)[:8] in told]


def texts_of(secret: bytes | int) -> tuple[str, ...]:
    """How a text would have it."""
    return (repr(secret)[2:-1], secret.hex()) if isinstance(secret, bytes) else (str(secret), f"{secret:x}")


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
