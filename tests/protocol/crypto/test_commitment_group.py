"""The group for commitments as a value: who may choose it, and that groups do not mix."""

import pickle

import gmpy2
import pytest
from gmpy2 import mpz

from protocol.crypto.commitment_group import ELEMENT_BYTES, RSA_2048, CommitmentGroup
from protocol.crypto.commitments import CommittedVector, map_commitments
from protocol.crypto.proofs.bounds import WitnessBounds
from protocol.crypto.proofs.relation import read_proof
from protocol.crypto.proofs.trainer import UpdateProofs
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.groups import BITS, small_group
from tests.support.proofs import ProofWorld

STREAM = Randomness(b"g" * 32)


@pytest.fixture(scope="module")
def world() -> ProofWorld:
    return ProofWorld(group=small_group())


def moved(proofs: UpdateProofs, group: CommitmentGroup) -> UpdateProofs:
    """The same proofs as a verifier in another group sets them up."""
    identity = proofs.identity._replace(group=group)
    return UpdateProofs(
        proofs.key, identity, proofs.occasion, proofs.model, proofs.coefficient_bits, proofs.offset_bits
    )


def test_an_element_of_the_largest_group_just_travels() -> None:
    assert RSA_2048.modulus.bit_length() == 8 * ELEMENT_BYTES
    with pytest.raises(MisuseError, match="a group modulo 2049 bits; elements travel in 2048"):
        CommitmentGroup(mpz(1) << 2048)


def test_what_hides_is_wider_than_any_group() -> None:
    for group in (small_group(), RSA_2048, CommitmentGroup(RSA_2048.modulus, hiding_bits=64)):
        drawn = [CommittedVector.draw([5], [9], group, STREAM).hiding for _ in range(20)]
        bits = group.modulus.bit_length() + group.hiding_bits
        assert bits - 20 < max(drawn).bit_length() <= bits == group.exponent_bits
        assert WitnessBounds.of([1], group, 448).hiding.limit == 1 << bits


def test_the_tests_group_is_small_and_always_the_same() -> None:
    group = small_group()
    assert group.modulus.bit_length() == BITS < RSA_2048.modulus.bit_length()
    assert not gmpy2.is_prime(group.modulus)
    assert group == small_group() == small_group.__wrapped__()


def test_a_group_reaches_another_process_as_it_is() -> None:
    assert pickle.loads(pickle.dumps(RSA_2048)) == RSA_2048


def test_each_group_has_tables_of_its_own(world: ProofWorld) -> None:
    other = world.identity._replace(group=small_group(b"another"))
    found = [map_commitments(one, 1).commit((1, 0), 0) for one in (world.identity, other)]
    assert found[0] != found[1]
    assert map_commitments(world.identity, 1) is not map_commitments(other, 1)


def test_what_holds_in_one_group_holds_in_no_other(world: ProofWorld) -> None:
    claim = world.update_claim(world.owners[0])
    assert world.updates.unproven([claim]) == []
    other = small_group(b"another")
    groups = (other, RSA_2048, CommitmentGroup(small_group().modulus, hiding_bits=129))
    for group in groups:
        assert moved(world.updates, group).unproven([claim]) == [claim.prover]


def test_a_challenge_names_the_group(world: ProofWorld) -> None:
    """Else numbers that suit two groups could be announced before it is known which one is meant."""
    claim = world.update_claim(world.owners[0])
    wider = CommitmentGroup(small_group().modulus, hiding_bits=129)
    challenges = {moved(world.updates, group).folded(claim).challenge for group in (small_group(), wider)}
    assert len(challenges) == 2


def test_elements_of_a_larger_group_are_refused(world: ProofWorld) -> None:
    large = ProofWorld(private=world.private)
    claim, proofs = large.update_claim(large.owners[0]), world.updates
    assert proofs.unproven([claim]) == [claim.prover]
    numbers = claim.proof.write(large.key, large.updates.bounds)
    with pytest.raises(ProtocolViolation):
        read_proof(world.key, proofs.bounds, 1, numbers)
    with pytest.raises(ProtocolViolation):
        claim.commitments.require(world.key, small_group(), world.parameters)
