"""A small training whose owners have committed, and what an honest one of them proves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from gmpy2 import mpz

from protocol.crypto.blinding import draw_base
from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.crypto.commitments import (
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    gram_limits,
    map_limits,
    triangle_length,
)
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.crypto.proofs.relation import InputSet, Proof
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness

COEFFICIENT_BITS, OFFSET_BITS, ENTRY_BITS, ROWS = 40, 128, 64, 100
CONTRACT = "0x" + "c0" * 20


@lru_cache
def private_key(bits: int) -> PrivateKey:
    return generate_private_key(bits)


@dataclass(frozen=True)
class Owner:
    """One owner's secrets and what it committed to."""

    address: str
    maps: tuple[CommittedVector, ...]
    gram: CommittedVector
    commitments: OwnerCommitments


class ProofWorld:
    """Three owners, p = 2 parameters, `slot_sets` sets of products; a key of `bits` bits, or a given one."""

    def __init__(
        self,
        *,
        bits: int = 512,
        parameters: int = 2,
        owners: int = 3,
        slot_sets: int = 2,
        private: PrivateKey | None = None,
        group: CommitmentGroup = RSA_2048,
    ) -> None:
        self.stream = Randomness(b"w" * 32)
        self.private, self.parameters = private or private_key(bits), parameters
        self.key = self.private.public_key
        self.identity = TrainingIdentity(31337, CONTRACT, 7, self.key.key_id, group)
        self.weights = [self.signed(80) for _ in range(parameters)]
        self.model = tuple(self.private.encrypt(weight, self.stream) for weight in self.weights)
        self.products = [
            [self.signed(200) for _ in range(triangle_length(parameters + 1))] for _ in range(slot_sets)
        ]
        self.owners = [self.owner(index) for index in range(owners)]

    def signed(self, bits: int) -> int:
        return self.stream.bits(bits + 1) - (1 << bits)

    @cached_property
    def updates(self) -> UpdateProofs:
        return UpdateProofs(
            self.key, self.identity, Occasion(1, 0), self.model, COEFFICIENT_BITS, OFFSET_BITS
        )

    @cached_property
    def metrics(self) -> MetricProofs:
        sets = tuple(
            InputSet(self.key, tuple(self.private.encrypt(one, self.stream) for one in plain[:-1]), plain[-1])
            for plain in self.products
        )
        return MetricProofs(self.key, self.identity, Occasion(1, 0, 1), self.parameters, sets, ENTRY_BITS)

    def vector(self, values: Sequence[int], limits: Sequence[int]) -> CommittedVector:
        return CommittedVector.draw(values, limits, self.identity.group, self.stream)

    def owner(
        self, index: int, rows: Sequence[Sequence[int]] | None = None, gram: Sequence[int] | None = None
    ) -> Owner:
        """With its rows of p coefficients and an offset, or such as happen to be drawn."""
        p, size = self.parameters, triangle_length(self.parameters + 1)
        drawn = rows or [[*(self.signed(39) for _ in range(p)), self.signed(120)] for _ in range(p)]
        entries = gram or [self.signed(63) for _ in range(size)]
        maps = tuple(self.vector(row, map_limits(p, COEFFICIENT_BITS, OFFSET_BITS)) for row in drawn)
        whole = self.vector(entries, gram_limits(p, ENTRY_BITS))
        return self.committed(f"0x{index + 1:040x}", maps, whole)

    def committed(
        self,
        address: str,
        maps: tuple[CommittedVector, ...],
        gram: CommittedVector,
        base: mpz | None = None,
    ) -> Owner:
        base = base or draw_base(self.key, self.stream)
        shown = OwnerCommitments.of(self.identity, address, ROWS, base, maps, gram)
        return Owner(address, maps, gram, shown)

    def update_claim(self, owner: Owner, *, proofs: UpdateProofs | None = None) -> UpdateClaim:
        """What an honest trainer sends."""
        proofs = proofs or self.updates
        update, exponents = proofs.update(owner.maps, owner.commitments.base, self.stream)
        masks = proofs.draw_masks(self.stream)
        proof = proofs.prove(owner.commitments, owner.maps, update, exponents, masks)
        return UpdateClaim(owner.address, owner.commitments, update, proof)

    def metric_claim(self, owner: Owner, *, proofs: MetricProofs | None = None) -> MetricClaim:
        """What an honest validator sends."""
        proofs = proofs or self.metrics
        metric, exponents = proofs.metric(owner.gram, owner.commitments.base, self.stream)
        masks = proofs.draw_masks(self.stream)
        proof = proofs.prove(owner.commitments, owner.gram, metric, exponents, masks)
        return MetricClaim(owner.address, owner.commitments, metric, proof)

    def shifted(self, ciphertext: mpz, by: int) -> mpz:
        """The ciphertext of so much more."""
        return ciphertext * self.key.lift(by) % self.key.n_squared

    def decrypt(self, ciphertext: mpz) -> int:
        return self.key.signed(self.private.decrypt(ciphertext))

    def trained(self, owner: Owner) -> list[int]:
        """M·x + v in plain numbers."""
        return [sum(a * b for a, b in zip((*self.weights, 1), row.values, strict=True)) for row in owner.maps]

    def measured(self, owner: Owner) -> list[int]:
        """Σ Ĝ_ij·P_ij for each set in plain numbers."""
        return [sum(a * b for a, b in zip(owner.gram.values, one, strict=True)) for one in self.products]


def with_responses(proof: Proof, changes: dict[int, object]) -> Proof:
    """The proof with other responses at some places."""
    responses = tuple(changes.get(place, one) for place, one in enumerate(proof.responses))
    return replace(proof, responses=responses)
