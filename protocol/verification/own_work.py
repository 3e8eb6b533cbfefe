"""What somebody who was blamed has signed itself, verified again: an update, a metric, a buyer's openings."""

from collections.abc import Iterator, Sequence

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import MisuseError, ProtocolViolation
from protocol.learning.scales import MODEL_SCALE
from protocol.messages import EncryptedModel
from protocol.messages.rounds import (
    ProvenMetric,
    ProvenUpdate,
    RingOpening,
    RingOpeningRequest,
    ZeroTestRequest,
    ZeroTestResult,
)
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.rounds.carried import CarriedModels
from protocol.roles.rounds.denials import is_denial
from protocol.roles.rounds.proofs import read_metric, read_update, update_proofs
from protocol.roles.rounds.started import CommittedOwners
from protocol.types import Address, Digest, RoundAttempt
from protocol.vectors import EncryptedVector
from protocol.verification.complaints import are_opened, is_proven
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown, shown_attempt
from protocol.verification.finding import Judged
from protocol.verification.training import VerifiedTraining


def evidence_at(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> Shown | None:
    """An attempt's evidence; None where it is not here, or is none."""
    try:
        return shown_attempt(contents, training, at)
    except (ProtocolViolation, EarlyInput, StaleInput, MisuseError):
        return None


def own_metric(
    contents: Contents, training: VerifiedTraining, at: RoundAttempt, accused: Address
) -> Iterator[Judged]:
    """Whether every metric that a member signed for an attempt is proven."""
    shown = evidence_at(contents, training, at)
    signed = contents.signed(ProvenMetric, at, accused)
    if shown is None or not shown.has_masks or not signed:
        return
    proofs, committed = shown.view.metric_proofs, shown.view.owners.of(accused)
    bodies = [body_of(one, ProvenMetric) for one in signed]
    fails = any(proofs.unproven([read_metric(proofs, accused, body, committed)]) for body in bodies)
    yield Judged(frozenset((accused,)), accused if fails else None, "unproven_metric")


def own_update(
    contents: Contents, training: VerifiedTraining, number: int, accused: Address
) -> Iterator[Judged]:
    """Whether every update that a trainer signed for a round is proven, of the round's start."""
    attempts = contents.attempts(ProvenUpdate, number)
    places = [RoundAttempt(number, one) for one in attempts]
    signed = [one for at in places for one in contents.signed(ProvenUpdate, at, accused)]
    starts = [
        one
        for (name, at), messages in contents.messages.items()
        if name == "encrypted_model" and at.round == number
        for one in messages
        if one.envelope.recipient == accused
    ]
    if not signed or not starts or training.owners is None:
        return
    # Another model of the round was discarded, and with it what was made of it: the one before is repeated.
    models = [body_of(one, EncryptedModel).model for one in starts]
    expected = _expected_start(training, number, accused, models)
    start = next((one for one in models if one.digest() == expected), None)
    require(start is not None, "wrong_start_model", "not the record's")
    assert start is not None
    model = start.read(training.key, scale=MODEL_SCALE, count=training.request.parameters)
    proofs = update_proofs(training.key, training.identity, number, model, training.request)
    commitments = training.owners.load(CommittedOwners, training.context).of(accused)
    made = [body_of(one, ProvenUpdate) for one in signed]
    bodies = [one for one in made if one.start_digest == start.digest() or len(models) == 1]
    fails = any(proofs.unproven([read_update(proofs, accused, body, commitments)]) for body in bodies)
    yield Judged(frozenset((accused,)), accused if fails else None, "unproven_update")


def _expected_start(
    training: VerifiedTraining, number: int, trainer: Address, sent: Sequence[EncryptedVector]
) -> Digest:
    """Of the model that a trainer has to start from: the record's, or what it carries.

    Where that is not known here, what it was sent: as a trainer that carries a dual itself does not know it.
    """
    if training.carried is not None:
        kept = training.carried.load(CarriedModels, training.context).carried
        of_trainer = dict(zip(kept.trainers, kept.models, strict=True)).get(trainer)
        return training.link.model_digest if of_trainer is None else of_trainer.digest()
    unknown = training.request.schedule.is_admm and number > 1
    return sent[0].digest() if unknown else training.link.model_digest


def own_openings(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> Iterator[Judged]:
    """Whether the buyer has proven every test and opened all sums that it was asked to, in its transcript."""
    buyer, tests = training.opened.buyer, contents.messages.get(("zero_test_request", at), [])
    holds = list[bool]()
    for number, signed in enumerate(tests):
        asked = body_of(signed, ZeroTestRequest)
        chance = training.chance(f"own test {at} {number}").randomness()
        results = contents.signed(ZeroTestResult, at, buyer)
        told = [body_of(one, ZeroTestResult) for one in results if _is_to(one, signed)]
        holds += [is_proven(training.key, one, asked.zero, chance) for one in told]
    for signed in contents.messages.get(("ring_opening_request", at), []):
        asked_sums = body_of(signed, RingOpeningRequest)
        for number, one in enumerate(contents.signed(RingOpening, at, buyer)):
            opened = body_of(one, RingOpening)
            # An attempt may have several rings, and sums said to be out of range have no opening to prove.
            if opened.purpose != asked_sums.purpose or is_denial(opened):
                continue
            chance = training.chance(f"own sums {at} {number}").randomness()
            holds.append(are_opened(training.key, asked_sums.product, opened, chance))
    if holds:
        yield Judged(frozenset((buyer,)), None if all(holds) else buyer, "bad_opening")


def _is_to(answer: SignedMessage, asked: SignedMessage) -> bool:
    return answer.envelope.recipient == asked.envelope.sender
