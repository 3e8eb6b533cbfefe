"""Ways of sending another update than the committed map of the model, with a proof that might do."""

from collections.abc import Callable
from dataclasses import replace

import gmpy2
from gmpy2 import mpz

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.commitments import CommittedVector, VectorCommitments, map_commitments
from protocol.crypto.paillier import FixedBaseTable
from protocol.crypto.powers import product_of_powers
from protocol.crypto.proofs.relation import Claim
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from tests.support.proof_attacks import accepted, forged_proof, simulated
from tests.support.proofs import Owner, ProofWorld

STREAM = Randomness(b"f" * 32)
Forgery = Callable[[ProofWorld, Owner], UpdateClaim]


def vectors(world: ProofWorld) -> VectorCommitments:
    return map_commitments(world.identity, world.parameters)


def folded_witness(owner: Owner, factors: list[int], exponents: list[int]) -> list[int]:
    columns = [*zip(*((*row.values, row.hiding) for row in owner.maps), strict=True), exponents]
    return [sum(a * b for a, b in zip(factors, column, strict=True)) for column in columns]


def forged(world: ProofWorld, owner: Owner, update, factors: list[int], challenge: int) -> Claim:
    """A claim about an unblinded update whose maker was told coefficients and challenge."""
    base, masks = owner.commitments.base, world.updates.draw_masks(STREAM).take()
    witness = folded_witness(owner, factors, [0] * world.parameters)
    table = blinding_powers(world.key, base)
    proof = forged_proof([world.updates._inputs], vectors(world), table, witness, masks, challenge)
    output = product_of_powers(update, factors, world.key.n_squared)
    committed = product_of_powers(owner.commitments.maps, factors, RSA_2048.modulus)
    return Claim((output,), committed, base, proof, challenge)


def blinded_by(world: ProofWorld, liar: Owner, plaintext: int) -> tuple[UpdateClaim, FixedBaseTable]:
    """The honest algorithm over h^n·(1+n)^m in place of h^n."""
    modulus, shown = world.key.n_squared, liar.commitments
    power = world.shifted(gmpy2.powmod(shown.base, world.key.n, modulus), plaintext)
    table = FixedBaseTable(power, modulus, 896, window=3)
    update = tuple(one * table.power(7) % modulus for one in unblinded(world, liar.maps))
    statement = world.updates._statement(shown, update)
    witness = folded_witness(liar, statement.coefficients(world.parameters), [7] * world.parameters)
    masks = world.updates.draw_masks(STREAM).take()
    inputs = [world.updates._inputs]
    proof = forged_proof(inputs, vectors(world), table, witness, masks, statement.challenge)
    return UpdateClaim(liar.address, shown, update, proof), table


def proven_with(world: ProofWorld, owner: Owner, update: tuple[mpz, ...], rows=None) -> UpdateClaim:
    """The prover's algorithm on an update of its choice, as if it were made of `rows`."""
    updates = world.updates
    exponents = OneUse(tuple(0 for _ in owner.maps))
    masks = updates.draw_masks(STREAM)
    proof = updates.prove(owner.commitments, rows or owner.maps, update, exponents, masks)
    return UpdateClaim(owner.address, owner.commitments, update, proof)


def unblinded(world: ProofWorld, rows: tuple[CommittedVector, ...]) -> tuple[mpz, ...]:
    return tuple(world.updates._inputs.combine(row.values) for row in rows)


def moved(row: CommittedVector, place: int, by: int = 1) -> CommittedVector:
    values = (*row.values[:place], row.values[place] + by, *row.values[place + 1 :])
    return CommittedVector(values, row.hiding)


def too_large(world: ProofWorld, liar: Owner, bits: int) -> Owner:
    """An owner that committed to coefficients of so many bits."""
    rows = tuple(CommittedVector((1 << bits, *row.values[1:]), row.hiding) for row in liar.maps)
    return world.committed(liar.address, rows, liar.gram, liar.commitments.base)


def on(updates: UpdateProofs, **occasion: int) -> UpdateProofs:
    """The same proofs on another occasion."""
    return replace(updates, occasion=updates.occasion._replace(**occasion))


def shifted_afterwards(world: ProofWorld, liar: Owner) -> UpdateClaim:
    honest = world.update_claim(liar)
    return honest._replace(update=(world.shifted(honest.update[0], 1), *honest.update[1:]))


def shifted_before(world: ProofWorld, liar: Owner) -> UpdateClaim:
    update = unblinded(world, liar.maps)
    return proven_with(world, liar, (world.shifted(update[0], 1), *update[1:]))


def shifted_by_a_factor_of_n(world: ProofWorld, liar: Owner) -> UpdateClaim:
    """Right modulo one prime factor."""
    update = unblinded(world, liar.maps)
    return proven_with(world, liar, (world.shifted(update[0], int(world.private.p)), *update[1:]))


def shifts_that_cancel(world: ProofWorld, liar: Owner) -> UpdateClaim:
    first, second = unblinded(world, liar.maps)
    return proven_with(world, liar, (world.shifted(first, 9), world.shifted(second, -9)))


def another_coefficient(world: ProofWorld, liar: Owner) -> UpdateClaim:
    rows = (moved(liar.maps[0], 0), *liar.maps[1:])
    return proven_with(world, liar, unblinded(world, rows), rows)


def another_offset(world: ProofWorld, liar: Owner) -> UpdateClaim:
    rows = (moved(liar.maps[0], world.parameters, 1 << 60), *liar.maps[1:])
    return proven_with(world, liar, unblinded(world, rows), rows)


def another_map(world: ProofWorld, liar: Owner) -> UpdateClaim:
    rows = world.owner(1).maps
    return proven_with(world, liar, unblinded(world, rows), rows)


def the_model_untouched(world: ProofWorld, liar: Owner) -> UpdateClaim:
    """The identity map, which an idle trainer would send."""
    size = world.parameters
    rows = tuple(
        CommittedVector(tuple(int(i == j) << 40 for j in range(size + 1)), row.hiding)
        for i, row in enumerate(liar.maps)
    )
    return proven_with(world, liar, unblinded(world, rows), rows)


def rows_swapped(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return proven_with(world, liar, unblinded(world, liar.maps[::-1]))


def another_model(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return world.update_claim(liar, proofs=replace(world.updates, model=world.model[::-1]))


def another_randomiser_of_the_commitment(world: ProofWorld, liar: Owner) -> UpdateClaim:
    rows = (CommittedVector(liar.maps[0].values, liar.maps[0].hiding + 1), *liar.maps[1:])
    return proven_with(world, liar, unblinded(world, rows), rows)


def a_proof_of_another_round(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return world.update_claim(liar, proofs=on(world.updates, round=2))


def a_proof_of_another_repetition(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return world.update_claim(liar, proofs=on(world.updates, repetition=1))


def a_proof_of_another_attempt(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return world.update_claim(liar, proofs=on(world.updates, attempt=1))


def another_training(world: ProofWorld, liar: Owner) -> UpdateClaim:
    identity = world.identity._replace(training=8)
    return world.update_claim(liar, proofs=replace(world.updates, identity=identity))


def another_s_claim(world: ProofWorld, liar: Owner) -> UpdateClaim:
    """All that another trainer sent and committed to, under the own name."""
    victim = world.update_claim(world.owners[0])
    commitments = replace(victim.commitments, owner=liar.address)
    return victim._replace(prover=liar.address, commitments=commitments)


def another_s_update_and_proof(world: ProofWorld, liar: Owner) -> UpdateClaim:
    victim = world.update_claim(world.owners[0])
    return victim._replace(prover=liar.address, commitments=liar.commitments)


def another_s_update_re_randomised(world: ProofWorld, liar: Owner) -> UpdateClaim:
    """The straw trainer's copy: other ciphertexts of the same update, which nothing tells from new ones."""
    powers = blinding_powers(world.key, liar.commitments.base)
    victim = world.update_claim(world.owners[0]).update
    return proven_with(world, liar, tuple(one * powers.power(5) % world.key.n_squared for one in victim))


def in_another_s_name(world: ProofWorld, liar: Owner) -> UpdateClaim:
    return world.update_claim(world.owners[0])._replace(prover=liar.address)


def a_proof_of_no_witness(world: ProofWorld, liar: Owner) -> UpdateClaim:
    """A simulated transcript: its challenge is chosen, not hashed."""
    honest, told = world.update_claim(liar), forged(world, liar, unblinded(world, liar.maps), [1, 1], 3)
    update = (world.shifted(honest.update[0], 5), *honest.update[1:])
    output = product_of_powers(update, [1, 1], world.key.n_squared)
    parts = (liar.commitments.base, (output,), told.committed, honest.proof.responses, 3)
    claim = simulated([world.updates._inputs], vectors(world), *parts)
    assert accepted([world.updates._inputs], vectors(world), [claim])
    return honest._replace(update=update, proof=claim.proof)


def a_blinding_that_holds_a_plaintext(world: ProofWorld, liar: Owner) -> UpdateClaim:
    claim, _ = blinded_by(world, liar, plaintext=1 << 90)
    return claim


def a_map_far_too_large(world: ProofWorld, liar: Owner) -> UpdateClaim:
    owner = too_large(world, liar, bits=40 + 64 + 12)
    return world.update_claim(owner)


FORGERIES = [
    shifted_afterwards,
    shifted_before,
    shifted_by_a_factor_of_n,
    shifts_that_cancel,
    another_coefficient,
    another_offset,
    another_map,
    the_model_untouched,
    rows_swapped,
    another_model,
    another_randomiser_of_the_commitment,
    a_proof_of_another_round,
    a_proof_of_another_repetition,
    a_proof_of_another_attempt,
    another_training,
    another_s_claim,
    another_s_update_and_proof,
    another_s_update_re_randomised,
    in_another_s_name,
    a_proof_of_no_witness,
    a_blinding_that_holds_a_plaintext,
    a_map_far_too_large,
]
