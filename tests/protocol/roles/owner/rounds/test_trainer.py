"""A trainer answers one model for a round, with a proof that holds, and again with the same bytes."""

from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.errors import ProtocolViolation
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.messages import EncryptedModel
from protocol.messages.rounds import ProvenUpdate
from protocol.roles.engine.effects import SendMessage
from protocol.roles.rounds.proofs import read_update, update_proofs
from protocol.vectors import EncryptedVector
from tests.support.roles.checked_attempt import CheckedAttempt, checked_attempt
from tests.support.roles.checked_owners import Machined, owner_party
from tests.support.roles.ring_players import STREAM, received


def trainer_of(world: CheckedAttempt) -> Machined:
    return owner_party(world, world.parties.seats[0])


def asked(trainer: Machined, model: EncryptedVector, at: tuple[int, int] = (1, 1), sender: str = "") -> Any:
    """The step of a trainer that is sent a model."""
    world = checked_attempt()
    one = sender or world.aggregator
    signed = received(one, world.keys[one], trainer.address, EncryptedModel(model=model), at).signed
    return trainer.step(signed)


def update_in(step: Any) -> ProvenUpdate:
    (body,) = [one.body for one in step.effects if isinstance(one, SendMessage)]
    assert isinstance(body, ProvenUpdate)
    return body


def model_of(world: CheckedAttempt, weights: tuple[int, ...]) -> EncryptedVector:
    return EncryptedVector.of(world.key, [world.private.encrypt(one, STREAM) for one in weights], MODEL_SCALE)


def test_the_update_is_the_committed_map_of_the_model_and_proven() -> None:
    world = checked_attempt()
    trainer, weights = trainer_of(world), (3 << MODEL_SCALE, -(5 << MODEL_SCALE), 1 << 40)
    model = model_of(world, weights)
    body = update_in(asked(trainer, model, (2, 1)))
    shown, secrets = world.committed[trainer.address]
    expected = [
        sum(m * x for m, x in zip(row.values, weights, strict=False)) + row.values[-1]
        for row in secrets.map_rows()
    ]
    numbers = body.local_model.read(world.key, scale=MODEL_SCALE + COEFFICIENT_SCALE, count=3)
    assert [world.key.signed(world.private.decrypt(one)) for one in numbers] == expected
    start = model.read(world.key, scale=MODEL_SCALE, count=3)
    proofs = update_proofs(world.key, world.identity, 2, start, world.request)
    claim = read_update(proofs, trainer.address, body, shown)
    assert proofs.unproven([claim]) == []
    other = update_proofs(world.key, world.identity, 3, start, world.request)
    assert other.unproven([read_update(other, trainer.address, body, shown)]) == [trainer.address]


def test_the_same_question_gets_the_same_bytes_at_whatever_attempt() -> None:
    world = checked_attempt()
    trainer = trainer_of(world)
    first = update_in(asked(trainer, world.start))
    stood = trainer.state
    assert update_in(asked(trainer, world.start)) == first
    assert update_in(asked(trainer, world.start, (1, 2))) == first
    assert trainer.state == stood


def test_a_second_model_for_a_round_is_refused_at_whatever_attempt() -> None:
    """With the answers to two an aggregator would see what the map makes of each."""
    world = checked_attempt()
    trainer = trainer_of(world)
    asked(trainer, world.start)
    other = model_of(world, (1, 2, 3))
    for attempt in (1, 2, 3):
        with pytest.raises(ProtocolViolation, match="second_model_for_round"):
            asked(trainer, other, (1, attempt))
    assert update_in(asked(trainer, other, (2, 1))).start_digest == other.digest()
    with pytest.raises(ProtocolViolation, match="round_out_of_order"):
        asked(trainer, world.start, (1, 1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"at": (0, 1)}, "round_out_of_order"),
        ({"at": (4, 1)}, "round_out_of_order"),
        ({"sender": "buyer"}, "wrong_sender"),
        ({"scale": UPDATE_SCALE, "at": (2, 1)}, "wrong_scale"),
        ({"count": 2, "at": (2, 1)}, "wrong_count"),
    ],
    ids=["round 0", "past the last round", "the buyer's", "another scale", "too short"],
)
def test_what_is_no_model_of_a_round_is_refused(change: dict[str, Any], code: str) -> None:
    world = checked_attempt()
    trainer = trainer_of(world)
    vector = world.start.read(world.key, scale=MODEL_SCALE, count=3)[: change.get("count", 3)]
    model = EncryptedVector.of(world.key, vector, change.get("scale", MODEL_SCALE))
    sender = world.buyer if "sender" in change else ""
    with pytest.raises(ProtocolViolation) as refused:
        asked(trainer, model, change.get("at", (1, 1)), sender)
    assert refused.value.code == code
    assert trainer.state.answer is None


def test_in_the_first_round_no_other_model_than_the_public_one_is_answered() -> None:
    """Not even the same weights under randomness of somebody's: who can tell?"""
    world = checked_attempt()
    trainer = trainer_of(world)
    for weights in ((0, 0, 0), (1, 2, 3)):
        with pytest.raises(ProtocolViolation, match="wrong_start_model"):
            asked(trainer, model_of(world, weights))
    assert trainer.state.answer is None


def test_a_validator_trains_nothing() -> None:
    world = checked_attempt()
    with pytest.raises(ProtocolViolation, match="not_a_trainer"):
        asked(owner_party(world, world.members[0]), world.start)


def test_what_a_trainer_stores_is_what_it_sent() -> None:
    world = checked_attempt()
    trainer = trainer_of(world)
    sent = update_in(asked(trainer, world.start))
    assert trainer.state.answer.update.load(ProvenUpdate, trainer.context()) == sent
    assert {body_of(one, ProvenUpdate).start_digest for one in world.updates} == {sent.start_digest}
