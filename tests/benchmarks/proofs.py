"""What commitments, products and proofs cost: each party of a round once."""

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
)
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.learning.moments.exchange import MomentAnswer, MomentMask, moment_answer, moment_request
from protocol.learning.moments.products import products
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE

WEIGHT_BITS = 24
RESIDUAL_BITS = 3
ROWS = 100


class ProofBenchmark:
    """Owners with random maps and matrices under one key; tables over a round's inputs are made each time."""

    def __init__(self, private: PrivateKey, *, parameters: int, trainers: int, validators: int) -> None:
        self.private, self.key, self.randomness = private, private.public_key, Randomness(os.urandom(32))
        self.identity = TrainingIdentity(1, "0x" + "c0" * 20, 1, self.key.key_id)
        self.parameters, self.trainers, self.validators = parameters, trainers, validators
        self.model = self._encrypted(parameters, MODEL_SCALE + WEIGHT_BITS)
        self.widths = MomentWidths.fit(
            key_bits=self.key.bits,
            parameters=parameters,
            trainers=trainers,
            weights=validators * ROWS,
            weight_bits=WEIGHT_BITS,
            residual_bits=RESIDUAL_BITS,
        )
        self.sets = self.widths.sets(trainers, Start.UNMEASURED)
        self.vectors = [self._encrypted(parameters, UPDATE_SCALE + WEIGHT_BITS) for _ in range(trainers)]
        self.mask = MomentMask.draw(self.key, trainers * parameters, self.widths.request, self.randomness)
        self.answer = self.answered(self.request())
        self.owners = [self._owner(index) for index in range(trainers + validators)]

    def operations(self) -> dict[str, Callable[[], object]]:
        """By name, in the order of a round."""
        owner, (maps, gram, shown) = f"0x{1:040x}", self.owners[0]
        trainers, validators = self.owners[: self.trainers], self.owners[self.trainers :]
        updates = [self.update(*one) for one in trainers]
        metrics = [self.metric(*one) for one in validators]
        vectors = (self.identity, owner, ROWS, shown.base, maps, gram)
        title, request = f"p = {self.parameters}", self.request()
        return {
            f"owner: commitments, {title}": lambda: OwnerCommitments.of(*vectors),
            f"trainer: update and proof, {title}": lambda: self.update(*trainers[0]),
            f"check {self.trainers} updates": lambda: self.updates().unproven(updates),
            f"aggregator: moment request, {self.trainers} models": self.request,
            "buyer: moment answer": lambda: self.answered(request),
            f"validator: metric and proof, slot sets: {len(self.sets)}": lambda: self.metric(*validators[0]),
            f"check {self.validators} metrics": lambda: self.metrics().unproven(metrics),
        }

    def updates(self) -> UpdateProofs:
        bits = UPDATE_SCALE + WEIGHT_BITS
        return UpdateProofs(self.key, self.identity, Occasion(1, 0), self.model, COEFFICIENT_SCALE, bits)

    def metrics(self) -> MetricProofs:
        digits = self.mask.digits(self.trainers, self.widths)
        sets = products(self.key, self.answer, digits, self.trainers, self.sets, self.widths)
        return MetricProofs(self.key, self.identity, Occasion(1, 0, 1), self.parameters, sets, ENTRY_SCALE)

    def request(self) -> list[mpz]:
        return moment_request(self.key, self.vectors, self.widths, self.mask)

    def answered(self, request: list[mpz]) -> MomentAnswer:
        return moment_answer(self.private, request, self.trainers, self.sets, self.widths, self.randomness)

    def update(self, maps, gram, shown) -> UpdateClaim:
        proofs = self.updates()
        update, exponents = proofs.update(maps, shown.base, self.randomness)
        masks = proofs.draw_masks(self.randomness)
        return UpdateClaim(shown.owner, shown, update, proofs.prove(shown, maps, update, exponents, masks))

    def metric(self, maps, gram, shown) -> MetricClaim:
        proofs = self.metrics()
        metric, exponents = proofs.metric(gram, shown.base, self.randomness)
        masks = proofs.draw_masks(self.randomness)
        return MetricClaim(shown.owner, shown, metric, proofs.prove(shown, gram, metric, exponents, masks))

    def _owner(self, index: int):
        p, draw = self.parameters, self.randomness
        row_limits = map_limits(p, COEFFICIENT_SCALE, UPDATE_SCALE + WEIGHT_BITS)
        limits = gram_limits(p, ENTRY_SCALE)
        maps = [
            CommittedVector.draw(
                [self._signed(one) for one in row_limits], row_limits, self.identity.group, draw
            )
            for _ in range(p)
        ]
        gram = CommittedVector.draw([self._signed(one) for one in limits], limits, self.identity.group, draw)
        base = draw_base(self.key, draw)
        shown = OwnerCommitments.of(self.identity, f"0x{index + 1:040x}", ROWS, base, maps, gram)
        return maps, gram, shown

    def _signed(self, limit: int) -> int:
        return self.randomness.below(2 * limit + 1) - limit

    def _encrypted(self, count: int, bits: int) -> tuple[mpz, ...]:
        return tuple(self.private.encrypt(self.randomness.bits(bits), self.randomness) for _ in range(count))
