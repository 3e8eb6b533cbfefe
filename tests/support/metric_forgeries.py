"""Ways of sending another metric than the committed matrix of the products, with a proof that might do."""

from collections.abc import Callable
from dataclasses import replace

import gmpy2
from gmpy2 import mpz

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitments import CommittedVector, VectorCommitments, gram_commitments
from protocol.crypto.paillier import FixedBaseTable
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from tests.support.proof_attacks import accepted, forged_proof, simulated
from tests.support.proofs import Owner, ProofWorld

STREAM = Randomness(b"g" * 32)
Forgery = Callable[[ProofWorld, Owner], MetricClaim]


def vectors(world: ProofWorld) -> VectorCommitments:
    return gram_commitments(world.identity, world.parameters)


def unblinded(world: ProofWorld, gram: CommittedVector) -> tuple[mpz, ...]:
    return tuple(one.combine(gram.values) for one in world.metrics.sets)


def proven_with(
    world: ProofWorld, owner: Owner, metric: tuple[mpz, ...], gram: CommittedVector | None = None
) -> MetricClaim:
    """The prover's algorithm on a metric of its choice, as if it were made of `gram`."""
    metrics = world.metrics
    exponents = OneUse((0,) * len(metrics.sets))
    masks = metrics.draw_masks(STREAM)
    proof = metrics.prove(owner.commitments, gram or owner.gram, metric, exponents, masks)
    return MetricClaim(owner.address, owner.commitments, metric, proof)


def moved(gram: CommittedVector, place: int, by: int = 1) -> CommittedVector:
    values = list(gram.values)
    values[place] += by
    return CommittedVector(tuple(values), gram.hiding)


def too_large(world: ProofWorld, liar: Owner, bits: int) -> Owner:
    """An owner that committed to an entry of so many bits."""
    gram = CommittedVector((1 << bits, *liar.gram.values[1:]), liar.gram.hiding)
    return world.committed(liar.address, liar.maps, gram, liar.commitments.base)


def blinded_by(world: ProofWorld, liar: Owner, plaintext: int) -> tuple[MetricClaim, FixedBaseTable]:
    """The honest algorithm over h^n·(1+n)^m in place of h^n."""
    modulus, shown = world.key.n_squared, liar.commitments
    power = world.shifted(gmpy2.powmod(shown.base, world.key.n, modulus), plaintext)
    table = FixedBaseTable(power, modulus, 896, window=3)
    metric = tuple(one * table.power(7) % modulus for one in unblinded(world, liar.gram))
    statement = world.metrics._statement(shown, metric)
    witness = (*liar.gram.values, liar.gram.hiding, *(7 for _ in metric))
    masks = world.metrics.draw_masks(STREAM).take()
    proof = forged_proof(world.metrics.sets, vectors(world), table, witness, masks, statement.challenge)
    return MetricClaim(liar.address, shown, metric, proof), table


def on(metrics: MetricProofs, **occasion: int) -> MetricProofs:
    """The same proofs on another occasion."""
    return replace(metrics, occasion=metrics.occasion._replace(**occasion))


def shifted_afterwards(world: ProofWorld, liar: Owner) -> MetricClaim:
    honest = world.metric_claim(liar)
    return honest._replace(metric=(world.shifted(honest.metric[0], 1), *honest.metric[1:]))


def shifted_before(world: ProofWorld, liar: Owner) -> MetricClaim:
    metric = unblinded(world, liar.gram)
    return proven_with(world, liar, (world.shifted(metric[0], 1), *metric[1:]))


def shifted_in_the_last_set(world: ProofWorld, liar: Owner) -> MetricClaim:
    metric = unblinded(world, liar.gram)
    return proven_with(world, liar, (*metric[:-1], world.shifted(metric[-1], 1)))


def shifted_by_a_factor_of_n(world: ProofWorld, liar: Owner) -> MetricClaim:
    metric = unblinded(world, liar.gram)
    return proven_with(world, liar, (world.shifted(metric[0], int(world.private.q)), *metric[1:]))


def shifts_that_cancel_between_sets(world: ProofWorld, liar: Owner) -> MetricClaim:
    first, second = unblinded(world, liar.gram)
    return proven_with(world, liar, (world.shifted(first, 9), world.shifted(second, -9)))


def another_entry(world: ProofWorld, liar: Owner) -> MetricClaim:
    gram = moved(liar.gram, 1)
    return proven_with(world, liar, unblinded(world, gram), gram)


def another_last_entry(world: ProofWorld, liar: Owner) -> MetricClaim:
    """The one that meets the public product."""
    gram = moved(liar.gram, -1, 1 << 60)
    return proven_with(world, liar, unblinded(world, gram), gram)


def no_errors_at_all(world: ProofWorld, liar: Owner) -> MetricClaim:
    gram = CommittedVector((0,) * len(liar.gram.values), liar.gram.hiding)
    return proven_with(world, liar, unblinded(world, gram), gram)


def another_matrix_in_the_last_set(world: ProofWorld, liar: Owner) -> MetricClaim:
    first, _ = unblinded(world, liar.gram)
    _, second = unblinded(world, moved(liar.gram, 0))
    return proven_with(world, liar, (first, second))


def sets_swapped(world: ProofWorld, liar: Owner) -> MetricClaim:
    return proven_with(world, liar, unblinded(world, liar.gram)[::-1])


def other_products(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(liar, proofs=replace(world.metrics, sets=world.metrics.sets[::-1]))


def another_public_product(world: ProofWorld, liar: Owner) -> MetricClaim:
    sets = tuple(replace(one, last=one.last + 1) for one in world.metrics.sets)
    return world.metric_claim(liar, proofs=replace(world.metrics, sets=sets))


def another_randomiser_of_the_commitment(world: ProofWorld, liar: Owner) -> MetricClaim:
    gram = CommittedVector(liar.gram.values, liar.gram.hiding + 1)
    return proven_with(world, liar, unblinded(world, gram), gram)


def more_rows_than_committed(world: ProofWorld, liar: Owner) -> MetricClaim:
    claim = world.metric_claim(liar)
    return claim._replace(commitments=replace(claim.commitments, rows=1 << 37))


def a_proof_of_another_round(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(liar, proofs=on(world.metrics, round=2))


def a_proof_of_another_repetition(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(liar, proofs=on(world.metrics, repetition=1))


def a_proof_of_another_attempt(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(liar, proofs=on(world.metrics, attempt=2))


def another_training(world: ProofWorld, liar: Owner) -> MetricClaim:
    identity = world.identity._replace(contract="0x" + "c1" * 20)
    return world.metric_claim(liar, proofs=replace(world.metrics, identity=identity))


def another_s_claim(world: ProofWorld, liar: Owner) -> MetricClaim:
    """All that another validator sent and committed to, under the own name."""
    victim = world.metric_claim(world.owners[0])
    commitments = replace(victim.commitments, owner=liar.address)
    return victim._replace(prover=liar.address, commitments=commitments)


def another_s_metric_and_proof(world: ProofWorld, liar: Owner) -> MetricClaim:
    victim = world.metric_claim(world.owners[0])
    return victim._replace(prover=liar.address, commitments=liar.commitments)


def another_s_metric_re_randomised(world: ProofWorld, liar: Owner) -> MetricClaim:
    power = blinding_powers(world.key, liar.commitments.base).power(5)
    victim = world.metric_claim(world.owners[0]).metric
    return proven_with(world, liar, tuple(one * power % world.key.n_squared for one in victim))


def in_another_s_name(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(world.owners[0])._replace(prover=liar.address)


def a_proof_of_no_witness(world: ProofWorld, liar: Owner) -> MetricClaim:
    """A simulated transcript: its challenge is chosen, not hashed."""
    honest = world.metric_claim(liar)
    metric = (world.shifted(honest.metric[0], 5), *honest.metric[1:])
    parts = (liar.commitments.base, metric, liar.commitments.gram, honest.proof.responses, 3)
    claim = simulated(world.metrics.sets, vectors(world), *parts)
    assert accepted(world.metrics.sets, vectors(world), [claim])
    return honest._replace(metric=metric, proof=claim.proof)


def a_blinding_that_holds_a_plaintext(world: ProofWorld, liar: Owner) -> MetricClaim:
    claim, _ = blinded_by(world, liar, plaintext=1 << 90)
    return claim


def a_matrix_far_too_large(world: ProofWorld, liar: Owner) -> MetricClaim:
    return world.metric_claim(too_large(world, liar, bits=64 + 64 + 12))


FORGERIES = [
    shifted_afterwards,
    shifted_before,
    shifted_in_the_last_set,
    shifted_by_a_factor_of_n,
    shifts_that_cancel_between_sets,
    another_entry,
    another_last_entry,
    no_errors_at_all,
    another_matrix_in_the_last_set,
    sets_swapped,
    other_products,
    another_public_product,
    another_randomiser_of_the_commitment,
    more_rows_than_committed,
    a_proof_of_another_round,
    a_proof_of_another_repetition,
    a_proof_of_another_attempt,
    another_training,
    another_s_claim,
    another_s_metric_and_proof,
    another_s_metric_re_randomised,
    in_another_s_name,
    a_proof_of_no_witness,
    a_blinding_that_holds_a_plaintext,
    a_matrix_far_too_large,
]
