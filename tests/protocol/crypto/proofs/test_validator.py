"""Metrics and their proofs: honest ones hold, every way of sending another number fails, nothing shows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.commitments import triangle_length
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.metric_forgeries import (
    FORGERIES,
    Forgery,
    another_s_metric_re_randomised,
    blinded_by,
    on,
    proven_with,
    shifted_before,
    too_large,
    unblinded,
    vectors,
)
from tests.support.proof_attacks import accepted
from tests.support.proofs import ENTRY_BITS, ProofWorld, private_key, with_responses

STREAM = Randomness(b"x" * 32)


@pytest.fixture(scope="module")
def world() -> ProofWorld:
    return ProofWorld()


@pytest.fixture(scope="module")
def claims(world: ProofWorld) -> list[MetricClaim]:
    return [world.metric_claim(owner) for owner in world.owners]


def refused(world: ProofWorld, claims: list[MetricClaim], forged: MetricClaim) -> list[str]:
    """Whom a verifier names when the second validator's claim is forged."""
    return world.metrics.unproven([claims[0], forged, claims[2]])


# ---- completeness


@settings(max_examples=7)
@given(st.data())
def test_whatever_was_committed_to_is_proven(data: st.DataObject) -> None:
    p, count = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    world = ProofWorld(parameters=p, owners=0, slot_sets=data.draw(st.integers(1, 3)))
    limit = 2 << ENTRY_BITS
    entry = st.one_of(st.sampled_from((-limit, 0, limit)), st.integers(-limit, limit))
    matrix = st.lists(entry, min_size=triangle_length(p + 1), max_size=triangle_length(p + 1))
    owners = [world.owner(index, gram=data.draw(matrix)) for index in range(count)]
    sent = [world.metric_claim(owner) for owner in owners]
    assert world.metrics.unproven(sent) == []
    for owner, claim in zip(owners, sent, strict=True):
        assert [world.decrypt(one) for one in claim.metric] == world.measured(owner)


def test_no_claims_leave_nobody_unproven(world: ProofWorld) -> None:
    assert world.metrics.unproven([]) == []


def test_a_key_as_long_as_in_use() -> None:
    world = ProofWorld(bits=2048, parameters=3, owners=2)
    sent = [world.metric_claim(owner) for owner in world.owners]
    assert world.metrics.unproven(sent) == []
    assert [world.decrypt(one) for one in sent[0].metric] == world.measured(world.owners[0])
    first = sent[0].metric
    sent[0] = sent[0]._replace(metric=(world.shifted(first[0], 1), *first[1:]))
    assert world.metrics.unproven(sent) == [world.owners[0].address]


# ---- wrong provers


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_wrong_prover_is_named_and_nobody_else(
    world: ProofWorld, claims: list[MetricClaim], forge: Forgery
) -> None:
    liar = world.owners[1]
    assert refused(world, claims, forge(world, liar)) == [liar.address]


def test_all_liars_are_named_at_once(world: ProofWorld, claims: list[MetricClaim]) -> None:
    forged = [shifted_before(world, owner) for owner in (world.owners[0], world.owners[2])]
    named = world.metrics.unproven([forged[0], claims[1], forged[1]])
    assert named == [world.owners[0].address, world.owners[2].address]


def test_a_validator_has_one_claim(world: ProofWorld, claims: list[MetricClaim]) -> None:
    with pytest.raises(MisuseError, match="two claims"):
        world.metrics.unproven([claims[0], claims[0]])


def test_products_of_another_key_or_size_are_refused(world: ProofWorld) -> None:
    sets = world.metrics.sets
    with pytest.raises(MisuseError, match="the training's is"):
        replace(world.metrics, key=private_key(1024).public_key)
    for wrong in ((), (replace(sets[0], ciphertexts=sets[0].ciphertexts[1:]),)):
        with pytest.raises(MisuseError, match="number of products than 6"):
            MetricProofs(world.key, world.identity, Occasion(1, 0), world.parameters, wrong, ENTRY_BITS)


# ---- the same attacks where a check is missing, and what no check is for


def test_without_a_proof_any_number_is_a_metric(world: ProofWorld) -> None:
    liar = world.owners[1]
    lie = shifted_before(world, liar).metric
    assert world.decrypt(lie[0]) == world.measured(liar)[0] + 1
    copied = another_s_metric_re_randomised(world, liar).metric
    assert [world.decrypt(one) for one in copied] == world.measured(world.owners[0])


def test_where_a_challenge_does_not_name_the_attempt_a_proof_serves_again(
    world: ProofWorld, claims: list[MetricClaim]
) -> None:
    verdicts = [
        accepted(world.metrics.sets, vectors(world), [proofs.checked(claims[1])])
        for proofs in (world.metrics, on(world.metrics, attempt=2))
    ]
    assert verdicts == [True, False]


def test_a_proof_serves_on_the_occasion_that_the_verifier_asked_for(
    world: ProofWorld, claims: list[MetricClaim]
) -> None:
    """Whatever a validator says of an old proof: the verifier counts the attempts itself."""
    for later in ({"attempt": 2}, {"round": 2}, {"repetition": 1}):
        proofs, address = on(world.metrics, **later), world.owners[1].address
        assert proofs.unproven([claims[1]]) == [address]
        fresh = world.metric_claim(world.owners[1], proofs=proofs)
        assert proofs.unproven([fresh]) == []


@pytest.mark.parametrize("bad", [-1, 1 << 64, None, True, 1.0, "1"])
@pytest.mark.parametrize("name", ["round", "repetition", "attempt"])
def test_an_occasion_that_cannot_be_is_refused(world: ProofWorld, name: str, bad) -> None:
    with pytest.raises(MisuseError, match=f"{name} is .* from 0 to"):
        on(world.metrics, **{name: bad})
    with pytest.raises(MisuseError, match=f"{name} is .* from 0 to"):
        replace(world.updates, occasion=world.updates.occasion._replace(**{name: bad}))


def test_over_a_given_base_any_metric_passes(world: ProofWorld) -> None:
    """Why the verifier forms h^n itself."""
    claim, table = blinded_by(world, world.owners[1], plaintext=1 << 90)
    checked = [world.metrics.checked(claim)]
    assert accepted(world.metrics.sets, vectors(world), checked, table=table)
    assert not accepted(world.metrics.sets, vectors(world), checked)
    assert [world.decrypt(one) for one in claim.metric] != world.measured(world.owners[1])


def test_without_bounds_a_matrix_of_any_size_passes(world: ProofWorld) -> None:
    claim = world.metric_claim(too_large(world, world.owners[1], bits=200))
    with pytest.raises(ProtocolViolation, match="response 0 is no integer within its bound"):
        world.metrics.require(claim)
    unbounded = replace(world.metrics, entry_bits=200)
    assert unbounded.unproven([claim]) == []


def test_within_the_slack_a_matrix_that_is_too_large_passes(world: ProofWorld) -> None:
    """An accepted number may be some 2^64 times what it should be: what comes after counts on no less."""
    owner = too_large(world, world.owners[1], bits=ENTRY_BITS + 60)
    assert world.metrics.unproven([world.metric_claim(owner)]) == []


def test_a_matrix_that_is_not_positive_passes(world: ProofWorld) -> None:
    """No rows have it, but rows could be invented as well: nothing here says where a matrix comes from."""
    owner = world.owner(1, gram=[-(2 << ENTRY_BITS)] * 6)
    assert world.metrics.unproven([world.metric_claim(owner)]) == []


def test_a_sign_passes_with_every_verifier_and_changes_nothing(world: ProofWorld) -> None:
    liar = world.owners[1]
    metric = tuple(world.key.n_squared - one for one in unblinded(world, liar.gram))
    claim = proven_with(world, liar, metric)
    assert [world.metrics.unproven([claim]) for _ in range(10)] == [[]] * 10
    assert [world.decrypt(one) for one in metric] == world.measured(liar)


def test_exponents_of_a_metric_serve_one_proof(world: ProofWorld) -> None:
    owner, metrics = world.owners[0], world.metrics
    metric, exponents = metrics.metric(owner.gram, owner.commitments.base, STREAM)
    for attempt, match in ((1, None), (2, "used already")):
        metrics, masks = on(metrics, attempt=attempt), metrics.draw_masks(STREAM)
        arguments = (owner.commitments, owner.gram, metric, exponents, masks)
        if match is None:
            metrics.prove(*arguments)
            continue
        with pytest.raises(MisuseError, match=match):
            metrics.prove(*arguments)


def test_responses_show_neither_sign_nor_size_of_the_matrix(world: ProofWorld) -> None:
    """Of the largest matrix as of the smallest, all responses but 2^-64 of them lie where the masks lie."""
    for sign in (1, -1):
        proof = world.metric_claim(world.owner(1, gram=[sign * (2 << ENTRY_BITS)] * 6)).proof
        for response, bound in zip(proof.responses, world.metrics.bounds.all(2), strict=True):
            edge = bound.limit << 128
            assert edge < response < (bound.limit << 192) - edge


# ---- malformed and hostile claims


def hostile_claims(world: ProofWorld, claim: MetricClaim) -> list[MetricClaim]:
    p, n, (first, second), proof = world.private.p, world.key.n, claim.metric, claim.proof
    numbers = (None, "1", b"\1", 1.5, True, (), 0, -1, p, n * n, n * n + 1, 1 << 90_000)
    metrics = [None, (), 7, (first,), (first, second, first), [first, second]]
    metrics += [pair for bad in numbers for pair in ((first, bad), (bad, second))]
    proofs = [replace(proof, announcements=(first, bad)) for bad in numbers]
    for place, bound in enumerate(world.metrics.bounds.all(2)):
        ends = (bound.lowest - 1, bound.highest + 1)
        proofs += [with_responses(proof, {place: bad}) for bad in (None, 1.5, *ends)]
    shown = [replace(claim.commitments, base=bad) for bad in (None, 0, 1, p)]
    shown += [replace(claim.commitments, rows=bad) for bad in (None, "5", 0, -1, 1.5, True, 1 << 41)]
    shown += [replace(claim.commitments, gram=bad) for bad in (None, 0, -1, 1 << 3000)]
    shown += [replace(claim.commitments, owner=bad) for bad in (None, 5, "", "0xzz", claim.prover.upper())]
    return [
        *(claim._replace(metric=bad) for bad in metrics),
        *(claim._replace(proof=bad) for bad in proofs),
        *(claim._replace(commitments=bad) for bad in shown),
    ]


def test_malformed_claims_are_violations_and_name_their_maker(
    world: ProofWorld, claims: list[MetricClaim]
) -> None:
    world.metrics.require(claims[1])
    hostile = hostile_claims(world, claims[1])
    assert len(hostile) > 70
    for claim in hostile:
        with pytest.raises(ProtocolViolation) as violated:
            world.metrics.require(claim)
        assert violated.value.code in {"bad_proof", "bad_commitment"}
        assert world.metrics.unproven([claim]) == [world.owners[1].address]
    assert refused(world, claims, hostile[0]) == [world.owners[1].address]


def test_every_number_of_a_proof_counts(world: ProofWorld, claims: list[MetricClaim]) -> None:
    proof = claims[1].proof
    wrong = [with_responses(proof, {place: one + 1}) for place, one in enumerate(proof.responses)]
    first, second = proof.announcements
    wrong += [
        replace(proof, announcements=pair)
        for pair in ((world.shifted(first, 1), second), (first, world.shifted(second, 1)), (second, first))
    ]
    wrong.append(replace(proof, commitment=proof.commitment + 1))
    for one in wrong:
        forged = claims[1]._replace(proof=one)
        assert world.metrics.unproven([forged]) == [world.owners[1].address]
