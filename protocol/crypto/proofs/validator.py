"""A validator's proof that its encrypted metric is its committed Gram matrix applied to the public products.

Statement. For each set s of slots the encrypted products P_s,ij of the models' weights, i ≤ j, but the last
one, P_s,dd, which is public; the validator's commitment K and base h; its metric X_s.

Relation. Integers Ĝ_ij, κ and a_s with X_s = Π_{i≤j} P_s,ij^(Ĝ_ij)·h^(n·a_s) mod n², where the last factor is
(1+n)^(P_s,dd·Ĝ_dd), and K = Π g_ij^(Ĝ_ij)·g_0^κ mod N̂: one Ĝ for all sets.

Protocol. That of `relation`, with an announcement for each set and one response to each Ĝ_ij for all of them:
with one equation for the product of the sets, two metrics could be wrong by d and −d. All validators of a
round are checked in one equation.

Extraction and assumption. Those of `relation`.

Not shown: that |Ĝ_ij| is within its bound, only within some 2^64 times it (see `bounds`); that Ĝ is positive;
and that it comes of any rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitments import (
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    gram_commitments,
    gram_length,
    gram_limits,
)
from protocol.crypto.elements import require_units
from protocol.crypto.paillier import SHORT_EXPONENT_BITS, PublicKey
from protocol.crypto.proofs.bounds import WitnessBounds
from protocol.crypto.proofs.relation import BAD_PROOF, Claim, Inputs, Proof, draw_masks, prove, unproven
from protocol.crypto.proofs.transcript import Occasion, ProofContext, Statement, ciphertext_bytes
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError, ProtocolViolation
from protocol.hiding import without

_DOMAIN = b"deltaml metric proof"


class MetricClaim(NamedTuple):
    """What a validator sends, a ciphertext for each set with their proof, and what it committed to.

    `prover` is whom the verifier has it from.
    """

    prover: str
    commitments: OwnerCommitments
    metric: tuple[mpz, ...]
    proof: Proof

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "metric")


@dataclass(frozen=True)
class MetricProofs:
    """Proofs about the metrics of one round's products.

    Each set has the products of p weights and the target in the order of the triangle, row by row, the last
    of them public. `occasion` is the attempt in which they are asked for: a proof for another one does not
    hold. An entry of Ĝ is below 2 to `entry_bits` plus one. Several targets have `gram_length` products.
    Beside the matrix owners have committed to `maps` maps.
    """

    key: PublicKey
    identity: TrainingIdentity
    occasion: Occasion
    parameters: int
    sets: tuple[Inputs, ...]
    entry_bits: int
    targets: int = 1
    maps: int = 1

    def __post_init__(self) -> None:
        """Raise MisuseError for another training's key, an impossible occasion, or sets of another size."""
        self.identity.require_key(self.key)
        self.occasion.require()
        size = gram_length(self.parameters, self.targets)
        if not self.sets or any(one.size != size for one in self.sets):
            raise MisuseError(f"a set has another number of products than {size}; make one of them all")

    @cached_property
    def limits(self) -> tuple[int, ...]:
        """What a committed Gram matrix may be."""
        return gram_limits(self.parameters, self.entry_bits, self.targets)

    @cached_property
    def bounds(self) -> WitnessBounds:
        """Of its entries."""
        return WitnessBounds.of(self.limits, self.identity.group, SHORT_EXPONENT_BITS)

    def metric(
        self, gram: CommittedVector, base: mpz, randomness: Randomness
    ) -> tuple[tuple[mpz, ...], OneUse[tuple[int, ...]]]:
        """X_s for each set, blinded over the validator's base, and the exponents a_s, for the proof."""
        powers, modulus = blinding_powers(self.key, base), self.key.n_squared
        exponents = tuple(randomness.bits(SHORT_EXPONENT_BITS) for _ in self.sets)
        combined = (one.combine(gram.values) for one in self.sets)
        pairs = zip(combined, powers.powers(exponents), strict=True)
        blinded = (one * power % modulus for one, power in pairs)
        return tuple(blinded), OneUse(exponents)

    def prove(
        self,
        commitments: OwnerCommitments,
        gram: CommittedVector,
        metric: tuple[mpz, ...],
        exponents: OneUse[tuple[int, ...]],
        masks: OneUse[tuple[int, ...]],
    ) -> Proof:
        """The proof of a metric, once: its masks and exponents serve no second one, at no other attempt."""
        statement = self._statement(commitments, metric)
        witness = (*gram.values, gram.hiding, *exponents.take())
        vectors = gram_commitments(self.identity, self.parameters, self.targets)
        return prove(self.sets, vectors, commitments.base, witness, masks, statement.challenge)

    def draw_masks(self, randomness: Randomness) -> OneUse[tuple[int, ...]]:
        """For one proof; they depend on no message, so they may be made before."""
        return draw_masks(self.bounds, len(self.sets), randomness)

    def require(self, claim: MetricClaim) -> None:
        """Check all numbers of a claim, but not yet what it claims.

        Raises ProtocolViolation("bad_commitment"), or ("bad_proof") for the commitments of another, a metric
        that is not a unit modulo n² for each set, and a proof as `Proof.require` says.
        """
        if claim.prover != claim.commitments.owner:
            raise ProtocolViolation(BAD_PROOF, "its commitments are another's")
        claim.commitments.require(self.key, self.identity.group, self.maps * self.parameters)
        require_units(claim.metric, len(self.sets), self.key.n, BAD_PROOF, "metric", self.key.n_squared)
        claim.proof.require(self.key, self.bounds, len(self.sets))

    def unproven(self, claims: Sequence[MetricClaim]) -> list[str]:
        """The validators whose claims do not hold, malformed ones first; nothing they hold makes it raise.

        Raises MisuseError for two claims of one validator.
        """
        named = {claim.prover: partial(self.checked, claim) for claim in claims}
        if len(named) != len(claims):
            raise MisuseError("a validator has two claims in one attempt; check the signed one")
        vectors = gram_commitments(self.identity, self.parameters, self.targets)
        return unproven(self.sets, vectors, named)

    def checked(self, claim: MetricClaim) -> Claim:
        """The claim with its challenge; raises as `require` does."""
        self.require(claim)
        statement = self._statement(claim.commitments, claim.metric)
        asked = statement.challenge(claim.proof.announcements, claim.proof.commitment)
        return Claim(claim.metric, claim.commitments.gram, claim.commitments.base, claim.proof, asked)

    def _statement(self, commitments: OwnerCommitments, metric: tuple[mpz, ...]) -> Statement:
        context = ProofContext(self.identity, commitments.owner, self.occasion).to_bytes()
        committed = commitments.digest(self.identity, self.key)
        inputs = [part for one in self.sets for part in one.to_parts()]
        output = ciphertext_bytes(self.key, metric)
        return Statement.of(self.key, _DOMAIN, context, committed, *inputs, output)
