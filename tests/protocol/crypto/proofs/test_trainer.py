"""Updates and their proofs: honest ones hold, every way of sending another update fails, nothing shows."""

from dataclasses import replace

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import draw_base
from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.proof_attacks import accepted
from tests.support.proofs import COEFFICIENT_BITS, OFFSET_BITS, Owner, ProofWorld, private_key, with_responses
from tests.support.update_forgeries import (
    FORGERIES,
    Forgery,
    another_s_update_re_randomised,
    blinded_by,
    forged,
    on,
    proven_with,
    shifted_before,
    shifts_that_cancel,
    too_large,
    unblinded,
    vectors,
)

STREAM = Randomness(b"v" * 32)


@pytest.fixture(scope="module")
def world() -> ProofWorld:
    return ProofWorld()


@pytest.fixture(scope="module")
def claims(world: ProofWorld) -> list[UpdateClaim]:
    return [world.update_claim(owner) for owner in world.owners]


def refused(world: ProofWorld, claims: list[UpdateClaim], forged: UpdateClaim) -> list[str]:
    """Whom a verifier names when the second trainer's claim is forged."""
    return world.updates.unproven([claims[0], forged, claims[2]])


# ---- completeness


@settings(max_examples=7)
@given(st.data())
def test_whatever_was_committed_to_is_proven(data: st.DataObject) -> None:
    p = data.draw(st.integers(1, 3))
    world = ProofWorld(parameters=p, owners=0)
    coefficient, offset = 1 << COEFFICIENT_BITS, 1 << OFFSET_BITS

    def within(limit: int) -> st.SearchStrategy[int]:
        return st.one_of(st.sampled_from((-limit, 0, limit)), st.integers(-limit, limit))

    row = st.tuples(*[within(coefficient)] * p, within(offset))
    owners = [
        world.owner(index, rows=[data.draw(row) for _ in range(p)])
        for index in range(data.draw(st.integers(1, 2)))
    ]
    sent = [world.update_claim(owner) for owner in owners]
    assert world.updates.unproven(sent) == []
    for owner, claim in zip(owners, sent, strict=True):
        assert [world.decrypt(one) for one in claim.update] == world.trained(owner)


def test_no_claims_leave_nobody_unproven(world: ProofWorld) -> None:
    assert world.updates.unproven([]) == []


def test_a_key_as_long_as_in_use() -> None:
    world = ProofWorld(bits=2048, parameters=3, owners=2)
    sent = [world.update_claim(owner) for owner in world.owners]
    assert world.updates.unproven(sent) == []
    assert [world.decrypt(one) for one in sent[0].update] == world.trained(world.owners[0])
    first = sent[0].update
    sent[0] = sent[0]._replace(update=(world.shifted(first[0], 1), *first[1:]))
    assert world.updates.unproven(sent) == [world.owners[0].address]


# ---- wrong provers


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_wrong_prover_is_named_and_nobody_else(
    world: ProofWorld, claims: list[UpdateClaim], forge: Forgery
) -> None:
    liar = world.owners[1]
    assert refused(world, claims, forge(world, liar)) == [liar.address]


def test_all_liars_are_named_at_once(world: ProofWorld, claims: list[UpdateClaim]) -> None:
    forged = [shifted_before(world, owner) for owner in (world.owners[0], world.owners[2])]
    named = world.updates.unproven([forged[0], claims[1], forged[1]])
    assert named == [world.owners[0].address, world.owners[2].address]


def test_a_trainer_has_one_claim(world: ProofWorld, claims: list[UpdateClaim]) -> None:
    with pytest.raises(MisuseError, match="two claims"):
        world.updates.unproven([claims[0], claims[0]])


def test_a_model_under_another_key_is_refused(world: ProofWorld) -> None:
    with pytest.raises(MisuseError, match="the training's is"):
        UpdateProofs(private_key(1024).public_key, world.identity, Occasion(1, 0), world.model, 40, 128)


def two_maps(world: ProofWorld) -> tuple[tuple[UpdateProofs, UpdateProofs], Owner]:
    """Proofs of the first and of the second of two maps, and an owner of both."""
    first, second = world.owner(0), world.owner(0)
    both = world.committed(first.address, (*first.maps, *second.maps), first.gram)
    at = (replace(world.updates, maps=2, place=0), replace(world.updates, maps=2, place=1))
    return at, both


def claim_of(world: ProofWorld, proofs: UpdateProofs, owner: Owner) -> UpdateClaim:
    return world.update_claim(replace(owner, maps=owner.maps[proofs.asked_rows]), proofs=proofs)


def test_of_several_maps_an_update_is_the_asked_one_and_no_other() -> None:
    world = ProofWorld()
    (first, second), both = two_maps(world)
    for asked, other in ((first, second), (second, first)):
        claim = claim_of(world, asked, both)
        assert asked.unproven([claim]) == []
        assert other.unproven([claim]) == [both.address]
        wanted = world.trained(replace(both, maps=both.maps[asked.asked_rows]))
        assert [world.decrypt(one) for one in claim.update] == wanted
    assert world.updates.unproven([claim_of(world, first, both)]) == [both.address], "one map alone"


def test_a_round_asks_for_a_map_that_there_is(world: ProofWorld) -> None:
    for place in (-1, 2):
        with pytest.raises(MisuseError, match=f"map {place} of 2; they are counted from 0"):
            replace(world.updates, maps=2, place=place)


# ---- the same attacks where a check is missing


def test_without_a_proof_a_copy_is_an_update(world: ProofWorld) -> None:
    copied = another_s_update_re_randomised(world, world.owners[1]).update
    original = world.update_claim(world.owners[0]).update
    assert not set(copied) & set(original)
    assert [world.decrypt(one) for one in copied] == world.trained(world.owners[0])


def test_under_coefficients_that_are_known_shifts_cancel(world: ProofWorld) -> None:
    """Why the coefficients that fold the rows are hashed from the update."""
    liar = world.owners[1]
    update = shifts_that_cancel(world, liar).update
    told = forged(world, liar, update, factors=[1, 1], challenge=12345)
    assert accepted([world.updates._inputs], vectors(world), [told])
    assert not accepted([world.updates._inputs], vectors(world), [forged(world, liar, update, [1, 2], 12345)])
    assert [world.decrypt(one) for one in update] != world.trained(liar)


def test_where_a_challenge_does_not_name_the_round_a_proof_serves_again(
    world: ProofWorld, claims: list[UpdateClaim]
) -> None:
    verdicts = [
        accepted([world.updates._inputs], vectors(world), [proofs.folded(claims[1])])
        for proofs in (world.updates, on(world.updates, round=2))
    ]
    assert verdicts == [True, False]


def test_a_proof_serves_on_the_occasion_that_the_verifier_asked_for(
    world: ProofWorld, claims: list[UpdateClaim]
) -> None:
    """Whatever a trainer says of an old proof over the same model: the verifier counts the rounds itself."""
    for later in ({"round": 2}, {"repetition": 1}):
        proofs, address = on(world.updates, **later), world.owners[1].address
        assert proofs.unproven([claims[1]]) == [address]
        fresh = world.update_claim(world.owners[1], proofs=proofs)
        assert proofs.unproven([fresh]) == []


def test_over_a_given_base_any_update_passes(world: ProofWorld) -> None:
    """Why the verifier forms h^n itself."""
    claim, table = blinded_by(world, world.owners[1], plaintext=1 << 90)
    folded = [world.updates.folded(claim)]
    assert accepted([world.updates._inputs], vectors(world), folded, table=table)
    assert not accepted([world.updates._inputs], vectors(world), folded)
    assert [world.decrypt(one) for one in claim.update] != world.trained(world.owners[1])


def test_without_bounds_a_map_of_any_size_passes(world: ProofWorld) -> None:
    owner = too_large(world, world.owners[1], bits=150)
    claim = world.update_claim(owner)
    with pytest.raises(ProtocolViolation, match="response 0 is no integer within its bound"):
        world.updates.require(claim)
    unbounded = replace(world.updates, coefficient_bits=150)
    assert unbounded.unproven([claim]) == []


def test_within_the_slack_a_map_that_is_too_large_passes(world: ProofWorld) -> None:
    """An accepted number may be some 2^64 times what it should be: what comes after counts on no less."""
    owner = too_large(world, world.owners[1], bits=40 + 60)
    assert world.updates.unproven([world.update_claim(owner)]) == []


def test_over_a_base_with_the_symbol_1_the_parity_of_the_map_shows(world: ProofWorld) -> None:
    """Whose Jacobi symbols are −1 among model and update is public: it is linear in M modulo 2."""
    key, stream = world.key, Randomness(b"j" * 32)
    places = range(world.parameters)
    square = draw_base(key, stream) ** 2 % key.n
    hidden, shown = [], []
    for _ in range(12):
        model = tuple(
            gmpy2.powmod(draw_base(key, stream), key.n, key.n_squared) * key.lift(weight) % key.n_squared
            for weight in world.weights
        )
        updates = UpdateProofs(key, world.identity, Occasion(1, 0), model, 40, 128)
        owner = world.owner(1)
        parities = [sum(row.values[:-1]) % 2 for row in owner.maps]
        for base, guesses in ((square, shown), (owner.commitments.base, hidden)):
            update, _ = updates.update(owner.maps, base, stream)
            guesses += [(gmpy2.jacobi(update[i], key.n) == -1) == bool(parities[i]) for i in places]
    assert all(shown)
    assert len(set(hidden)) == 2


def test_exponents_of_an_update_serve_one_proof(world: ProofWorld) -> None:
    owner, updates = world.owners[0], world.updates
    update, exponents = updates.update(owner.maps, owner.commitments.base, STREAM)
    arguments = (owner.commitments, owner.maps, update, exponents)
    updates.prove(*arguments, updates.draw_masks(STREAM))
    with pytest.raises(MisuseError, match="used already"):
        updates.prove(*arguments, updates.draw_masks(STREAM))
    assert "hidden" in repr(exponents)


def test_a_sign_passes_with_every_verifier_and_changes_nothing(world: ProofWorld) -> None:
    liar = world.owners[1]
    update = tuple(world.key.n_squared - one for one in unblinded(world, liar.maps))
    claim = proven_with(world, liar, update)
    assert [world.updates.unproven([claim]) for _ in range(10)] == [[]] * 10
    assert [world.decrypt(one) for one in update] == world.trained(liar)


# ---- what a proof shows


def test_responses_show_neither_sign_nor_size_of_the_map(world: ProofWorld) -> None:
    """Of the largest map as of the smallest, all responses but 2^-64 of them lie where the masks lie."""
    for sign in (1, -1):
        rows = [[sign << 40, sign << 40, sign << 128]] * world.parameters
        proof = world.update_claim(world.owner(1, rows=rows)).proof
        for response, bound in zip(proof.responses, world.updates.bounds.all(1), strict=True):
            edge = bound.limit << 128
            assert edge < response < (bound.limit << 192) - edge


# ---- malformed and hostile claims


def hostile_claims(world: ProofWorld, claim: UpdateClaim) -> list[UpdateClaim]:
    p, n, update, proof = world.private.p, world.key.n, claim.update, claim.proof
    numbers = (None, "1", b"\1", 1.5, True, (), 0, -1, p, n * n, n * n + 1, 1 << 90_000)
    updates = [None, (), 7, update[:1], (*update, update[0]), list(update)]
    updates += [(update[0], bad) for bad in numbers] + [(bad, update[1]) for bad in numbers]
    proofs = [replace(proof, announcements=(bad,)) for bad in numbers]
    beyond = (RSA_2048.modulus, RSA_2048.modulus + 1)
    proofs += [replace(proof, commitment=bad) for bad in (None, "1", 1.5, True, 0, -1, *beyond)]
    for place, bound in enumerate(world.updates.bounds.all(1)):
        ends = (bound.lowest - 1, bound.highest + 1)
        proofs += [with_responses(proof, {place: bad}) for bad in (None, 1.5, *ends)]
    shown = [replace(claim.commitments, base=bad) for bad in (None, 0, 1, p)]
    shown += [replace(claim.commitments, owner=bad) for bad in (None, 5, "", "0xzz", claim.prover.upper())]
    shown += [replace(claim.commitments, maps=bad) for bad in (None, (), claim.commitments.maps[1:])]
    return [
        *(claim._replace(update=bad) for bad in updates),
        *(claim._replace(proof=bad) for bad in proofs),
        *(claim._replace(commitments=bad) for bad in shown),
    ]


def test_malformed_claims_are_violations_and_name_their_maker(
    world: ProofWorld, claims: list[UpdateClaim]
) -> None:
    world.updates.require(claims[1])
    hostile = hostile_claims(world, claims[1])
    assert len(hostile) > 70
    for claim in hostile:
        with pytest.raises(ProtocolViolation) as violated:
            world.updates.require(claim)
        assert violated.value.code in {"bad_proof", "bad_commitment"}
        assert world.updates.unproven([claim]) == [world.owners[1].address]
    assert refused(world, claims, hostile[0]) == [world.owners[1].address]


def test_every_number_of_a_proof_counts(world: ProofWorld, claims: list[UpdateClaim]) -> None:
    proof = claims[1].proof
    wrong = [with_responses(proof, {place: one + 1}) for place, one in enumerate(proof.responses)]
    wrong.append(replace(proof, announcements=(world.shifted(proof.announcements[0], 1),)))
    wrong.append(replace(proof, commitment=proof.commitment + 1))
    for one in wrong:
        forged = claims[1]._replace(proof=one)
        assert world.updates.unproven([forged]) == [world.owners[1].address]
