"""A trainer's proof that its update is the committed affine map of the encrypted model that it was given.

Statement. The encrypted model c_1 … c_p; the trainer's commitments K_1 … K_p and base h; its update D_1 …
D_p.

Relation. Integers M_ij, v_i, a_i and κ_i with D_i = Π_j c_j^(M_ij)·(1+n)^(v_i)·h^(n·a_i) mod n² and K_i = Π_j
g_j^(M_ij)·g_{p+1}^(v_i)·g_0^(κ_i) mod N̂ for every i.

Protocol. 128-bit e_1 … e_p, hashed from the whole statement, fold the p rows into one: D* = Π D_i^(e_i) and
K* = Π K_i^(e_i), of which `relation` shows m_j = Σ e_i·M_ij, w = Σ e_i·v_i, a = Σ e_i·a_i and κ = Σ e_i·κ_i.
All trainers of a round are checked in one equation, since they have the model in common.

Extraction. From proofs under p independent vectors e, the openings of every K_i, hence M and v, follow by
linear algebra (over the integers, or roots modulo N̂ could be taken). If the plaintext of one D_i differed
from row i of (M, v) on the model, modulo some prime factor of n, the folded plaintexts would agree for one
e_i of 2^128.

Assumption. As in `relation`; the base h has the Jacobi symbol −1 (`blinding.draw_base`).

Not shown: that |M_ij| and |v_i| are within their bounds; each is within some 2^64·p times them, since m_j and
w are within 2^64 times theirs (see `bounds`) and nobody chooses the e_i under which larger ones would cancel.
Nor that the map comes of any rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitments import (
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    map_commitments,
    map_limits,
)
from protocol.crypto.elements import is_integer, require_units
from protocol.crypto.paillier import SHORT_EXPONENT_BITS, PublicKey
from protocol.crypto.powers import UPDATES_WINDOW, PowerTables, product_of_powers, tables_if_kept
from protocol.crypto.proofs.bounds import WitnessBounds
from protocol.crypto.proofs.relation import BAD_PROOF, Claim, InputSet, Proof, draw_masks, prove, unproven
from protocol.crypto.proofs.transcript import Occasion, ProofContext, Statement, ciphertext_bytes
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError, ProtocolViolation
from protocol.hiding import without

_DOMAIN = b"deltaml update proof"


class UpdateClaim(NamedTuple):
    """What a trainer sends, p ciphertexts with their proof, and what it committed to.

    `prover` is whom the verifier has it from.
    """

    prover: str
    commitments: OwnerCommitments
    update: tuple[mpz, ...]
    proof: Proof

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "update")


@dataclass(frozen=True)
class UpdateProofs:
    """Proofs about the updates of one encrypted model: p ciphertexts, in a training.

    `occasion` is the round in which they are asked for, with attempt 0: a proof for another one does not
    hold. `coefficient_bits` is the scale of M, `offset_bits` bounds v. Owners have committed to `maps` maps,
    of which the round asks for the one at `place`, counted from 0: a proof of another one does not hold.
    """

    key: PublicKey
    identity: TrainingIdentity
    occasion: Occasion
    model: tuple[mpz, ...] = field(repr=False)
    coefficient_bits: int
    offset_bits: int
    maps: int = 1
    place: int = 0

    def __post_init__(self) -> None:
        """Raise MisuseError for a key that is not the training's, an impossible occasion, or no such map."""
        self.identity.require_key(self.key)
        self.occasion.require()
        if not 0 <= self.place < self.maps:
            raise MisuseError(f"map {self.place} of {self.maps}; they are counted from 0")

    @property
    def asked_rows(self) -> slice:
        """Which p of the rows of all maps are those of the one that the round asks for."""
        first = self.place * len(self.model)
        return slice(first, first + len(self.model))

    @cached_property
    def _inputs(self) -> InputSet:
        return InputSet(self.key, self.model, last=1)

    @cached_property
    def limits(self) -> tuple[int, ...]:
        """What a row of a committed map may be."""
        return map_limits(len(self.model), self.coefficient_bits, self.offset_bits)

    @cached_property
    def bounds(self) -> WitnessBounds:
        """Of the folded rows."""
        return WitnessBounds.of(self.limits, self.identity.group, SHORT_EXPONENT_BITS, folded=len(self.model))

    def update(
        self, rows: Sequence[CommittedVector], base: mpz, randomness: Randomness
    ) -> tuple[tuple[mpz, ...], OneUse[tuple[int, ...]]]:
        """D_1 … D_p, blinded over the trainer's base, and the exponents a_i of it, for the proof."""
        powers, modulus = blinding_powers(self.key, base), self.key.n_squared
        exponents = tuple(randomness.bits(SHORT_EXPONENT_BITS) for _ in rows)
        combined = self._inputs.combine_all([row.values for row in rows])
        pairs = zip(combined, powers.powers(exponents), strict=True)
        blinded = (one * power % modulus for one, power in pairs)
        return tuple(blinded), OneUse(exponents)

    def prove(
        self,
        commitments: OwnerCommitments,
        rows: Sequence[CommittedVector],
        update: tuple[mpz, ...],
        exponents: OneUse[tuple[int, ...]],
        masks: OneUse[tuple[int, ...]],
    ) -> Proof:
        """The proof of an update, once: its masks and exponents serve no second one."""
        statement = self._statement(commitments, update)
        factors = statement.coefficients(len(self.model))
        columns = zip(*((*row.values, row.hiding) for row in rows), strict=True)
        witness = [_dot(factors, column) for column in (*columns, exponents.take())]
        vectors = map_commitments(self.identity, len(self.model))
        return prove([self._inputs], vectors, commitments.base, witness, masks, statement.challenge)

    def draw_masks(self, randomness: Randomness) -> OneUse[tuple[int, ...]]:
        """For one proof; they depend on no message, so they may be made before."""
        return draw_masks(self.bounds, 1, randomness)

    def require(self, claim: UpdateClaim) -> None:
        """Check all numbers of a claim, but not yet what it claims.

        Raises ProtocolViolation("bad_commitment"), or ("bad_proof") for the commitments of another, an update
        that is not of p units modulo n², and a proof as `Proof.require` says.
        """
        if claim.prover != claim.commitments.owner:
            raise ProtocolViolation(BAD_PROOF, "its commitments are another's")
        claim.commitments.require(self.key, self.identity.group, self.maps * len(self.model))
        require_units(claim.update, len(self.model), self.key.n, BAD_PROOF, "ciphertext", self.key.n_squared)
        claim.proof.require(self.key, self.bounds, sets=1)

    def unproven(self, claims: Sequence[UpdateClaim]) -> list[str]:
        """The trainers whose claims do not hold, malformed ones first; nothing they hold makes it raise.

        Raises MisuseError for two claims of one trainer.
        """
        tables = self._tables(claims)
        named = {
            claim.prover: partial(self.folded, claim, one) for claim, one in zip(claims, tables, strict=True)
        }
        if len(named) != len(claims):
            raise MisuseError("a trainer has two claims for one model; check the signed one")
        vectors = map_commitments(self.identity, len(self.model))
        return unproven([self._inputs], vectors, named)

    def _tables(self, claims: Sequence[UpdateClaim]) -> list[PowerTables | None]:
        """Of each claim's update, out of those that are kept of all of them: a checker needs them again."""
        size = len(self.model)
        if not all(_has_numbers(claim.update, size) for claim in claims):
            return [None] * len(claims)
        flat = [one for claim in claims for one in claim.update]
        try:
            kept = tables_if_kept(flat, self.key.n_squared, UPDATES_WINDOW)
        except ZeroDivisionError:  # of what is no unit the claim itself is told
            kept = None
        return [kept and kept.part(slice(at, at + size)) for at in range(0, len(flat), size)]

    def folded(self, claim: UpdateClaim, tables: PowerTables | None = None) -> Claim:
        """The p rows as one, under coefficients hashed from all of them; raises as `require` does.

        `tables` are of its update, where they are kept.
        """
        self.require(claim)
        statement = self._statement(claim.commitments, claim.update)
        factors = statement.coefficients(len(self.model))
        asked = statement.challenge(claim.proof.announcements, claim.proof.commitment)
        modulus = self.key.n_squared
        output = tables.product(factors) if tables else product_of_powers(claim.update, factors, modulus)
        rows = claim.commitments.maps[self.asked_rows]
        committed = product_of_powers(rows, factors, self.identity.group.modulus)
        return Claim((output,), committed, claim.commitments.base, claim.proof, asked)

    def _statement(self, commitments: OwnerCommitments, update: tuple[mpz, ...]) -> Statement:
        context = ProofContext(self.identity, commitments.owner, self.occasion).to_bytes()
        committed = commitments.digest(self.identity, self.key)
        output = ciphertext_bytes(self.key, update)
        return Statement.of(self.key, _DOMAIN, context, committed, *self._inputs.to_parts(), output)


def _has_numbers(update: object, count: int) -> bool:
    return isinstance(update, tuple) and len(update) == count and all(map(is_integer, update))


def _dot(factors: Sequence[int], values: Sequence[int]) -> int:
    return sum(factor * value for factor, value in zip(factors, values, strict=True))
