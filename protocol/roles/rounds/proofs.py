"""Proofs of updates and metrics, as prover and verifiers both set them up, and their messages read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocol.crypto.cipher import Ciphertext, PublicKey, read_ciphertexts
from protocol.crypto.commitments import OwnerCommitments, TrainingIdentity
from protocol.crypto.proofs.relation import read_proof
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.learning.moments.products import Products
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.messages.rounds import ProvenMetric, ProvenUpdate
from protocol.request import Request
from protocol.ridge_path import ridge_index
from protocol.roles.rounds.attempt import occasion_of, update_occasion
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector


def update_proofs(
    key: PublicKey,
    identity: TrainingIdentity,
    round_number: int,
    model: Sequence[Ciphertext],
    request: Request,
) -> UpdateProofs:
    """Of the updates of a round's encrypted model, p checked ciphertexts, by the map of the round's λ."""
    occasion, offset_bits = update_occasion(round_number), UPDATE_SCALE + request.weight_bits
    maps, place = len(request.model.ridges), ridge_index(request.model, request.schedule, round_number)
    return UpdateProofs(key, identity, occasion, tuple(model), COEFFICIENT_SCALE, offset_bits, maps, place)


@dataclass(frozen=True)
class ModelProofs:
    """Of a round's updates, whose trainers have one model in common, or each its own."""

    key: PublicKey
    identity: TrainingIdentity
    round_number: int
    request: Request
    _known: dict[bytes, UpdateProofs] = field(default_factory=dict, repr=False, compare=False)

    def of(self, model: EncryptedVector) -> UpdateProofs:
        """Of the updates of a model, scale f; raises ProtocolViolation as `EncryptedVector.read` does."""
        digest = model.digest()
        if digest not in self._known:
            read = model.read(self.key, scale=MODEL_SCALE, count=self.request.parameters)
            self._known[digest] = update_proofs(
                self.key, self.identity, self.round_number, read, self.request
            )
        return self._known[digest]

    def unproven(self, claims: Iterable[tuple[EncryptedVector, UpdateClaim]]) -> list[str]:
        """The trainers whose claims about a model do not hold: one equation for each model."""
        groups = dict[bytes, tuple[UpdateProofs, list[UpdateClaim]]]()
        for model, claim in claims:
            groups.setdefault(model.digest(), (self.of(model), []))[1].append(claim)
        return [one for proofs, of_model in groups.values() for one in proofs.unproven(of_model)]


def metric_proofs(
    key: PublicKey, identity: TrainingIdentity, at: RoundAttempt, sets: tuple[Products, ...], request: Request
) -> MetricProofs:
    """Of the members' metrics of an attempt's products."""
    entry_bits, targets, maps = (
        ENTRY_SCALE + request.gram_bits,
        len(request.outputs),
        len(request.model.ridges),
    )
    return MetricProofs(key, identity, occasion_of(at), request.parameters, sets, entry_bits, targets, maps)


def read_update(
    proofs: UpdateProofs, sender: str, body: ProvenUpdate, commitments: OwnerCommitments
) -> UpdateClaim:
    """A trainer's update with its proof, not checked yet (`UpdateProofs.unproven`).

    Raises ProtocolViolation for ciphertexts or numbers that are none.
    """
    update = body.local_model.read(proofs.key, scale=UPDATE_SCALE, count=len(proofs.model))
    proof = read_proof(proofs.key, proofs.bounds, 1, body.proof)
    return UpdateClaim(sender, commitments, tuple(update), proof)


def read_metric(
    proofs: MetricProofs, sender: str, body: ProvenMetric, commitments: OwnerCommitments
) -> MetricClaim:
    """A member's metric with its proof, not checked yet (`MetricProofs.unproven`).

    Raises ProtocolViolation for ciphertexts or numbers that are none.
    """
    sets = len(proofs.sets)
    metric = read_ciphertexts(proofs.key, body.values, sets)
    proof = read_proof(proofs.key, proofs.bounds, sets, body.proof)
    return MetricClaim(sender, commitments, tuple(metric), proof)
