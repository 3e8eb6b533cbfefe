"""The Σ-protocol by itself: a witness convinces, two answers give it away, one tells nothing of it."""

from collections.abc import Iterator
from dataclasses import replace

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.commitments import gram_commitments
from protocol.crypto.paillier import FixedBaseTable, PrivateKey
from protocol.crypto.proofs.relation import Claim, Proof, claim_weights, draw_masks, holds, prove, read_proof
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.proof_attacks import accepted, forged_proof, simulated
from tests.support.proofs import Owner, ProofWorld, with_responses

STREAM = Randomness(b"r" * 32)
CHALLENGES = st.integers(0, (1 << 128) - 1)
EXPONENTS = (12345, 67890)


class Relation(ProofWorld):
    """The relation with two sets of inputs, of which each owner's Gram matrix is the witness."""

    def __init__(self, private: PrivateKey | None = None) -> None:
        super().__init__(private=private)
        self.inputs = self.metrics.sets
        self.vectors = gram_commitments(self.identity, self.parameters)
        self.bounds = self.metrics.bounds

    def table(self, owner: Owner) -> FixedBaseTable:
        return blinding_powers(self.key, owner.commitments.base)

    def outputs(self, owner: Owner) -> tuple[mpz, ...]:
        table = self.table(owner)
        return tuple(
            one.combine(owner.gram.values) * table.power(exponent) % self.key.n_squared
            for one, exponent in zip(self.inputs, EXPONENTS, strict=True)
        )

    def witness(self, owner: Owner) -> tuple[int, ...]:
        return (*owner.gram.values, owner.gram.hiding, *EXPONENTS)

    def masks(self) -> tuple[int, ...]:
        return draw_masks(self.bounds, 2, STREAM).take()

    def told(self, owner: Owner, challenge: int, masks=None) -> Claim:
        """A claim whose maker was told the challenge, as in the interactive protocol."""
        arguments = (self.table(owner), self.witness(owner), masks or self.masks(), challenge)
        proof = forged_proof(self.inputs, self.vectors, *arguments)
        shown = owner.commitments
        return Claim(self.outputs(owner), shown.gram, shown.base, proof, challenge)

    def accepts(self, *claims: Claim, **known) -> bool:
        return accepted(self.inputs, self.vectors, claims, **known)


@pytest.fixture(scope="module")
def relation() -> Relation:
    return Relation()


@pytest.fixture(scope="module")
def owner(relation: Relation) -> Owner:
    return relation.owners[0]


@pytest.fixture(scope="module")
def proof(relation: Relation, owner: Owner) -> Proof:
    return relation.told(owner, 77).proof


@settings(max_examples=6)
@given(CHALLENGES)
def test_who_knows_a_witness_convinces_under_any_challenge(relation: Relation, challenge: int) -> None:
    claims = [relation.told(owner, challenge) for owner in relation.owners]
    assert holds(relation.inputs, relation.vectors, claims)
    assert not relation.accepts(replace(claims[0], challenge=challenge ^ 1))


@settings(max_examples=6)
@given(CHALLENGES, CHALLENGES)
def test_two_answers_to_one_announcement_give_the_witness_away(
    relation: Relation, first: int, second: int
) -> None:
    """So whoever can answer knows it; and masks that served twice would show it."""
    if first == second:
        return
    owner, masks = relation.owners[0], relation.masks()
    one, other = (relation.told(owner, challenge, masks) for challenge in (first, second))
    assert one.proof.announcements == other.proof.announcements
    assert relation.accepts(one)
    assert relation.accepts(other)
    pairs = zip(one.proof.responses, other.proof.responses, strict=True)
    assert tuple((a - b) // (first - second) for a, b in pairs) == relation.witness(owner)


def test_masks_serve_one_proof(relation: Relation, owner: Owner) -> None:
    masks = draw_masks(relation.bounds, 2, STREAM)
    arguments = (relation.inputs, relation.vectors, owner.commitments.base, relation.witness(owner))
    proof = prove(*arguments, masks, lambda *_: 7)
    shown = owner.commitments
    assert relation.accepts(Claim(relation.outputs(owner), shown.gram, shown.base, proof, 7))
    with pytest.raises(MisuseError, match="draw a fresh one"):
        prove(*arguments, masks, lambda *_: 8)
    assert isinstance(masks, OneUse)
    assert repr(masks) == "OneUse(hidden)"


@settings(max_examples=6)
@given(CHALLENGES, st.binary(min_size=32, max_size=32))
def test_whoever_knows_the_challenge_before_needs_no_witness(
    relation: Relation, challenge: int, seed: bytes
) -> None:
    """A simulated transcript holds as an honest one does: so an honest one tells nothing of the witness."""
    stream, key = Randomness(seed), relation.key
    outputs = tuple(relation.shifted(stream.unit(key.n), stream.bits(200)) for _ in relation.inputs)
    committed = stream.unit(RSA_2048.modulus) ** 2 % RSA_2048.modulus
    responses = draw_masks(relation.bounds, 2, stream).take()
    base = relation.owners[0].commitments.base
    claim = simulated(relation.inputs, relation.vectors, base, outputs, committed, responses, challenge)
    claim.proof.require(key, relation.bounds, sets=2)
    assert relation.accepts(claim)
    assert not relation.accepts(replace(claim, challenge=challenge ^ 1))


def test_the_verifier_forms_the_powers_of_a_base_itself(relation: Relation, owner: Owner) -> None:
    """Over a base that is given, and holds a plaintext, any output passes."""
    modulus, base = relation.key.n_squared, owner.commitments.base
    power = relation.shifted(gmpy2.powmod(base, relation.key.n, modulus), 1 << 90)
    table = FixedBaseTable(power, modulus, 896, window=3)
    outputs = tuple(
        one.combine(owner.gram.values) * table.power(exponent) % modulus
        for one, exponent in zip(relation.inputs, EXPONENTS, strict=True)
    )
    proof = forged_proof(
        relation.inputs, relation.vectors, table, relation.witness(owner), relation.masks(), 7
    )
    claim = Claim(outputs, owner.commitments.gram, base, proof, 7)
    assert [relation.decrypt(one) for one in outputs] != relation.measured(owner)
    assert relation.accepts(claim, table=table)
    assert not relation.accepts(claim)


def test_errors_of_two_sets_cancel_under_known_weights_alone(relation: Relation, owner: Owner) -> None:
    claim = relation.told(owner, 7)
    first, second = claim.outputs
    lie = replace(claim, outputs=(relation.shifted(first, 9), relation.shifted(second, -9)))
    assert relation.accepts(lie)
    assert not relation.accepts(lie, weights=[[2, 4, 2]])
    assert not holds(relation.inputs, relation.vectors, [lie])


def test_errors_of_two_provers_cancel_under_known_weights_alone(relation: Relation) -> None:
    claims = []
    for owner, by in zip(relation.owners[:2], (5, -5), strict=True):
        claim = relation.told(owner, 7)
        outputs = (relation.shifted(claim.outputs[0], by), claim.outputs[1])
        claims.append(replace(claim, outputs=outputs))
    assert relation.accepts(*claims)
    assert not relation.accepts(*claims, weights=[[2, 2, 2], [4, 2, 2]])
    assert not holds(relation.inputs, relation.vectors, claims)


def test_a_sign_passes_for_every_verifier_or_would_for_half_of_them(relation: Relation, owner: Owner) -> None:
    """It changes no plaintext; odd weights would have two honest verifiers disagree about it."""
    claim = relation.told(owner, 7)
    negative = tuple(relation.key.n_squared - one for one in claim.outputs)
    lie = replace(claim, outputs=negative, committed=RSA_2048.modulus - claim.committed)
    assert [relation.decrypt(one) for one in negative] == relation.measured(owner)
    assert all(holds(relation.inputs, relation.vectors, [lie]) for _ in range(10))
    verdicts = [relation.accepts(lie, weights=[[weight, 2, 2]]) for weight in range(4)]
    assert verdicts == [True, False, True, False]


def key_with_units_of_order_3() -> PrivateKey:
    """Primes that are 3 modulo 4, one of them 1 modulo 3."""
    first = next(p for p in primes_from(mpz(7) << 253) if p % 12 == 7)
    second = next(p for p in primes_from(mpz(13) << 252) if p % 12 == 11)
    return PrivateKey(first, second)


def primes_from(start: mpz) -> Iterator[mpz]:
    while True:
        start = gmpy2.next_prime(start)
        yield start


def unit_of_order_3(private: PrivateKey) -> mpz:
    """Modulo n²: 1 modulo q², which only the key's holder can make."""
    p2, q2 = private.p**2, private.q**2
    roots = (gmpy2.powmod(base, private.p * (private.p - 1) // 3, p2) for base in range(2, 100))
    root = next(one for one in roots if one != 1)
    return 1 + q2 * ((root - 1) * gmpy2.invert(q2, p2) % p2)


def test_verifiers_agree_about_units_of_small_order() -> None:
    """What weights that are each verifier's own would say of them depends on chance."""
    relation = Relation(key_with_units_of_order_3())
    unit, modulus = unit_of_order_3(relation.private), relation.key.n_squared
    assert unit != 1
    assert unit**3 % modulus == 1
    honest = relation.told(relation.owners[1], 5)
    for challenge in range(12):
        claim = relation.told(relation.owners[0], challenge)
        first, second = claim.proof.announcements
        proof = replace(claim.proof, announcements=(first * unit % modulus, second))
        lie = replace(claim, proof=proof)
        known = [relation.accepts(lie, weights=[[weight, 2, 2]]) for weight in (2, 4, 6)]
        assert known == [False, False, True]
        alone = {holds(relation.inputs, relation.vectors, [lie]) for _ in range(5)}
        together = {holds(relation.inputs, relation.vectors, one) for one in ([lie, honest], [honest, lie])}
        assert len(alone) == len(together) == 1


def test_weights_are_hashed_from_all_that_is_checked(relation: Relation) -> None:
    first, second = (relation.told(owner, 7) for owner in relation.owners[:2])
    weights, other = claim_weights(relation.inputs, [first, second]), first.outputs[0] + 1
    assert claim_weights(relation.inputs, [second, first]) == weights[::-1]
    flat = [weight for row in weights for weight in row]
    assert len(set(flat)) == 5
    assert flat.count(2) == 2, "in either equation the first may be known"
    assert claim_weights(relation.inputs[:1], [replace(first, outputs=first.outputs[:1])]) == [[2, 2]]
    assert all(weight % 2 == 0 for weight in flat)
    assert 100 < max(flat).bit_length() <= 129
    proof = first.proof
    changed = [
        replace(first, outputs=(other, first.outputs[1])),
        replace(first, committed=first.committed + 1),
        replace(first, base=first.base + 1),
        replace(first, challenge=8),
        replace(first, proof=replace(proof, announcements=(other, proof.announcements[1]))),
        replace(first, proof=replace(proof, commitment=proof.commitment + 1)),
        *(replace(first, proof=with_responses(proof, {i: one + 1})) for i, one in enumerate(proof.responses)),
    ]
    seen = [weights[1], *(claim_weights(relation.inputs, [one, second])[1] for one in changed)]
    seen.append(claim_weights(relation.inputs, [second])[0])
    seen.append(claim_weights(relation.inputs[::-1], [first, second])[1])
    assert len({tuple(one) for one in seen}) == len(seen)


# ---- on the wire


def test_a_proof_survives_its_bytes_in_one_form(relation: Relation, proof: Proof) -> None:
    key, bounds = relation.key, relation.bounds
    blobs = proof.write(key, bounds)
    assert read_proof(key, bounds, 2, blobs) == proof
    ends = {place: bound.lowest for place, bound in enumerate(bounds.all(2))}
    lowest = with_responses(proof, ends)
    assert [len(one) for one in lowest.write(key, bounds)] == [len(one) for one in blobs]
    assert read_proof(key, bounds, 2, lowest.write(key, bounds)) == lowest
    for place, blob in enumerate(blobs):
        for other in (b"\0" + blob, blob[1:]):
            with pytest.raises(ProtocolViolation, match="bad_proof"):
                read_proof(key, bounds, 2, [*blobs[:place], other, *blobs[place + 1 :]])


@settings(max_examples=40)
@given(st.data())
def test_bytes_that_are_no_proof_are_violations(
    relation: Relation, proof: Proof, data: st.DataObject
) -> None:
    key, bounds = relation.key, relation.bounds
    blobs: list[object] = list(proof.write(key, bounds))
    place = data.draw(st.integers(0, len(blobs) - 1))
    length = len(blobs[place])  # type: ignore[arg-type]
    blobs[place] = data.draw(
        st.one_of(
            st.sampled_from((bytes(length), b"\xff" * length, b"\x80" + bytes(length - 1), None, 5, "text")),
            st.binary(max_size=length + 2),
        )
    )
    blobs = data.draw(st.sampled_from((blobs, blobs[:-1], [*blobs, b"\1"], [])))
    try:
        read = read_proof(key, bounds, 2, blobs)
    except ProtocolViolation:
        return
    assert read.write(key, bounds) == blobs


def hostile_numbers(modulus: mpz, factor: mpz) -> list[object]:
    integers = [0, -1, int(modulus), int(modulus) + 1, int(factor), -(1 << 90_000), 1 << 90_000]
    return [None, "1", b"\1", 1.5, True, [1], (), *integers, mpz(0), modulus, factor]


def test_hostile_numbers_are_violations(relation: Relation, proof: Proof) -> None:
    key, (first, second) = relation.key, proof.announcements
    wrong = [replace(proof, announcements=bad) for bad in (None, 7, (), (first,), [first, second])]
    for bad in hostile_numbers(key.n_squared, relation.private.p):
        wrong += [replace(proof, announcements=pair) for pair in ((bad, second), (first, bad))]
    wrong += [replace(proof, commitment=bad) for bad in hostile_numbers(RSA_2048.modulus, RSA_2048.modulus)]
    wrong += [replace(proof, responses=bad) for bad in (None, 7, (), proof.responses[1:], [1] * 9)]
    for place, bound in enumerate(relation.bounds.all(2)):
        ends = (bound.lowest - 1, bound.highest + 1, 1 << 90_000, -(1 << 90_000))
        wrong += [with_responses(proof, {place: bad}) for bad in (None, "1", 1.5, True, *ends)]
    assert len(wrong) > 100
    for one in wrong:
        with pytest.raises(ProtocolViolation, match="bad_proof"):
            one.require(key, relation.bounds, sets=2)
    proof.require(key, relation.bounds, sets=2)
