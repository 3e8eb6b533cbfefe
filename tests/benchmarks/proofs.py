"""What commitments and proofs cost: one trainer, one validator, and whoever checks all of them."""

import os
from collections.abc import Callable

from gmpy2 import mpz

from protocol.crypto.blinding import draw_base
from protocol.crypto.commitments import (
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    gram_limits,
    map_limits,
    triangle_length,
)
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.proofs.relation import InputSet
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.transcript import ProofContext
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE, UPDATE_SCALE

WEIGHT_BITS = 24
ENTRY_BITS = 64
ROWS = 100


class ProofBenchmark:
    """Owners with random maps and matrices under one key; tables over a round's inputs are made each time."""

    def __init__(
        self, private: PrivateKey, *, parameters: int, trainers: int, validators: int, sets: int
    ) -> None:
        self.private, self.key, self.randomness = private, private.public_key, Randomness(os.urandom(32))
        self.identity = TrainingIdentity(1, "0x" + "c0" * 20, 1, self.key.key_id)
        self.parameters, self.trainers, self.validators = parameters, trainers, validators
        self.model = self._encrypted(parameters, MODEL_SCALE + WEIGHT_BITS)
        self.sets = [self._encrypted(triangle_length(parameters + 1) - 1, 600) for _ in range(sets)]
        self.owners = [self._owner(index) for index in range(trainers + validators)]

    def operations(self) -> dict[str, Callable[[], object]]:
        """By name, in the order of a round."""
        owner, (maps, gram, shown) = f"0x{1:040x}", self.owners[0]
        trainers, validators = self.owners[: self.trainers], self.owners[self.trainers :]
        updates = [self.update(*one) for one in trainers]
        metrics = [self.metric(*one) for one in validators]
        vectors = (self.identity, owner, ROWS, shown.base, maps, gram)
        title = f"p = {self.parameters}"
        return {
            f"owner: commitments, {title}": lambda: OwnerCommitments.of(*vectors),
            f"trainer: update and proof, {title}": lambda: self.update(*trainers[0]),
            f"check {self.trainers} updates": lambda: self.updates().unproven(updates, self.randomness),
            f"validator: metric and proof, {len(self.sets)} set": lambda: self.metric(*validators[0]),
            f"check {self.validators} metrics": lambda: self.metrics().unproven(metrics, self.randomness),
        }

    def updates(self) -> UpdateProofs:
        bits = UPDATE_SCALE + WEIGHT_BITS
        return UpdateProofs(self.key, self.identity, self.model, COEFFICIENT_SCALE, bits)

    def metrics(self) -> MetricProofs:
        sets = tuple(InputSet(self.key, one, last=1 << 300) for one in self.sets)
        return MetricProofs(self.key, self.identity, self.parameters, sets, ENTRY_BITS)

    def update(self, maps, gram, shown) -> UpdateClaim:
        context = ProofContext(self.identity, shown.owner, 1, 0, 0)
        proofs = self.updates()
        update, exponents = proofs.update(maps, shown.base, self.randomness)
        masks = proofs.draw_masks(self.randomness)
        return UpdateClaim(
            context, shown, update, proofs.prove(context, shown, maps, update, exponents, masks)
        )

    def metric(self, maps, gram, shown) -> MetricClaim:
        context = ProofContext(self.identity, shown.owner, 1, 0, 1)
        proofs = self.metrics()
        metric, exponents = proofs.metric(gram, shown.base, self.randomness)
        masks = proofs.draw_masks(self.randomness)
        return MetricClaim(
            context, shown, metric, proofs.prove(context, shown, gram, metric, exponents, masks)
        )

    def _owner(self, index: int):
        p, draw = self.parameters, self.randomness
        row_limits = map_limits(p, COEFFICIENT_SCALE, UPDATE_SCALE + WEIGHT_BITS)
        limits = gram_limits(p, ENTRY_BITS)
        maps = [
            CommittedVector.draw([self._signed(one) for one in row_limits], row_limits, draw)
            for _ in range(p)
        ]
        gram = CommittedVector.draw([self._signed(one) for one in limits], limits, draw)
        base = draw_base(self.key, draw)
        shown = OwnerCommitments.of(self.identity, f"0x{index + 1:040x}", ROWS, base, maps, gram)
        return maps, gram, shown

    def _signed(self, limit: int) -> int:
        return self.randomness.below(2 * limit + 1) - limit

    def _encrypted(self, count: int, bits: int) -> tuple[mpz, ...]:
        return tuple(self.private.encrypt(self.randomness.bits(bits), self.randomness) for _ in range(count))
