"""What a wrong prover can do that an honest one does not: choose table, masks, challenge."""

from collections.abc import Callable, Sequence

import gmpy2
from gmpy2 import mpz

from protocol.crypto.blinding import blinding_power, blinding_powers
from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.commitments import VectorCommitments
from protocol.crypto.paillier import FixedBaseTable
from protocol.crypto.proofs.relation import Claim, Inputs, Proof, equations_hold

Sets = Sequence[Inputs]
Challenge = Callable[[tuple[mpz, ...], mpz], int]


def forged_proof(
    inputs: Sets,
    vectors: VectorCommitments,
    table: FixedBaseTable,
    witness: Sequence[int],
    masks: Sequence[int],
    challenge: Challenge | int,
) -> Proof:
    """The prover's algorithm over any table, with masks that were used, under a challenge that was told."""
    proof = announced(inputs, vectors, table, masks)
    asked = challenge if isinstance(challenge, int) else challenge(proof.announcements, proof.commitment)
    responses = tuple(mask + asked * value for mask, value in zip(masks, witness, strict=True))
    return Proof(proof.announcements, proof.commitment, responses)


def announced(inputs: Sets, vectors: VectorCommitments, table: FixedBaseTable, masks: Sequence[int]) -> Proof:
    """The products of the masks, and no responses."""
    size, modulus = vectors.length, inputs[0].key.n_squared
    exponents = masks[size + 1 :]
    announcements = tuple(
        one.combine(masks[:size]) * table.power(exponent) % modulus
        for one, exponent in zip(inputs, exponents, strict=True)
    )
    return Proof(announcements, vectors.commit(masks[:size], masks[size]), ())


def simulated(
    inputs: Sets,
    vectors: VectorCommitments,
    base: mpz,
    outputs: tuple[mpz, ...],
    committed: mpz,
    responses: tuple[int, ...],
    challenge: int,
) -> Claim:
    """A transcript without a witness: the announcements that fit responses and challenge."""
    key = inputs[0].key
    shown = announced(inputs, vectors, blinding_powers(key, base), responses)
    announcements = tuple(
        one * gmpy2.powmod(output, -challenge, key.n_squared) % key.n_squared
        for one, output in zip(shown.announcements, outputs, strict=True)
    )
    commitment = shown.commitment * gmpy2.powmod(committed, -challenge, RSA_2048.modulus) % RSA_2048.modulus
    return Claim(outputs, committed, base, Proof(announcements, commitment, responses), challenge)


def accepted(
    inputs: Sets,
    vectors: VectorCommitments,
    claims: Sequence[Claim],
    *,
    weights: Sequence[Sequence[int]] | None = None,
    table: FixedBaseTable | None = None,
) -> bool:
    """The verifier's equations without its other checks: under weights that are known, over a given table."""
    known = weights or [[2] * (len(inputs) + 1)] * len(claims)
    key = inputs[0].key
    powers = [table.power(1) if table else blinding_power(key, claim.base) for claim in claims]
    return equations_hold(inputs, vectors, claims, powers, known)
