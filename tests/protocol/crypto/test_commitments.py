"""What owners commit to: bound to the training, checked when a peer sends it, hidden from who reads."""

from dataclasses import replace
from itertools import combinations

import gmpy2
import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import blinding_powers
from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.commitments import (
    LARGEST_ROWS,
    CommittedVector,
    OwnerCommitments,
    TrainingIdentity,
    gram_commitments,
    gram_limits,
    map_commitments,
    map_limits,
)
from protocol.crypto.paillier import SHORT_EXPONENT_BITS, PublicKey
from protocol.crypto.proofs.bounds import CHALLENGE_BITS, WitnessBounds
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.proofs import ProofWorld

IDENTITY = TrainingIdentity(31337, "0x" + "c0" * 20, 7, b"k" * 32)
OTHERS = [
    IDENTITY._replace(chain_id=1),
    IDENTITY._replace(contract="0x" + "c1" * 20),
    IDENTITY._replace(training=8),
    IDENTITY._replace(key_id=b"j" * 32),
]
VALUES = st.lists(st.integers(-(1 << 300), 1 << 300), min_size=3, max_size=3)
HIDINGS = st.integers(0, (1 << RSA_2048.exponent_bits) - 1)
STREAM = Randomness(b"c" * 32)
HOSTILE = [None, "1", b"\1", 1.5, True, [], 0, -1, -5]


@pytest.fixture(scope="module")
def world() -> ProofWorld:
    return ProofWorld()


@settings(max_examples=8)
@given(VALUES, HIDINGS)
def test_a_commitment_is_a_product_of_powers_of_its_generators(values: list[int], hiding: int) -> None:
    place = IDENTITY.to_bytes()
    expected = gmpy2.powmod(RSA_2048.generator(place + b"hiding"), hiding, RSA_2048.modulus)
    for index, value in enumerate(values):
        base = RSA_2048.generator(place + f"map|{index + 1}".encode())
        expected = expected * gmpy2.powmod(base, value, RSA_2048.modulus) % RSA_2048.modulus
    assert map_commitments(IDENTITY, 2).commit(values, hiding) == expected


@settings(max_examples=8)
@given(VALUES, HIDINGS, VALUES, HIDINGS)
def test_commitments_add(first: list[int], one: int, second: list[int], other: int) -> None:
    vectors = gram_commitments(IDENTITY, 1)
    total = [a + b for a, b in zip(first, second, strict=True)]
    product = vectors.commit(first, one) * vectors.commit(second, other) % RSA_2048.modulus
    assert product == vectors.commit(total, one + other)


def test_every_training_kind_and_place_has_a_generator_of_its_own() -> None:
    units = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    found = [
        vectors.commit(unit, 0)
        for identity in (IDENTITY, *OTHERS)
        for vectors in (map_commitments(identity, 2), gram_commitments(identity, 1))
        for unit in units
    ]
    found += [map_commitments(identity, 2).commit((0, 0, 0), 1) for identity in (IDENTITY, *OTHERS)]
    assert len(set(found)) == len(found) == 35
    assert all(gmpy2.jacobi(one, RSA_2048.modulus) == 1 for one in found)


def test_whoever_knows_one_generator_as_a_power_of_another_opens_in_two_ways() -> None:
    """So nobody chooses them: they are hashed from the training."""
    known = RSA_2048.generator(b"mine")
    chosen = [known, known**5 % RSA_2048.modulus]
    first, second = (5, 0), (0, 1)

    def commit(values: tuple[int, int]) -> int:
        return chosen[0] ** values[0] * chosen[1] ** values[1] % RSA_2048.modulus

    assert commit(first) == commit(second)
    vectors = map_commitments(IDENTITY, 1)
    assert vectors.commit(first, 0) != vectors.commit(second, 0)


def test_what_trainings_leave_in_a_process_is_bounded(world: ProofWorld) -> None:
    label = IDENTITY.to_bytes() + b"map|1"
    assert RSA_2048.generator(label) == RSA_2048.generator(label)
    assert RSA_2048.generator(label) is not RSA_2048.generator(label)
    for base in range(2, 22):
        blinding_powers(world.key, gmpy2.mpz(base))
    assert blinding_powers.cache_info().currsize <= 16, "some 4 MB each"


def test_what_hides_is_wider_than_the_group() -> None:
    assert RSA_2048.exponent_bits == 2048 + 128
    drawn = [CommittedVector.draw([5], [9], RSA_2048, STREAM).hiding for _ in range(20)]
    assert len(set(drawn)) == 20
    assert max(drawn).bit_length() > RSA_2048.exponent_bits - 20


def test_tables_hold_the_exponents_of_the_largest_batch() -> None:
    bounds = WitnessBounds.of([1], RSA_2048, 448, folded=1 << 20)
    largest = (bounds.hiding.highest << (CHALLENGE_BITS + 1)) << 20
    assert map_commitments(IDENTITY, 1).commit((0, 0), largest) == gmpy2.powmod(
        map_commitments(IDENTITY, 1).commit((0, 0), 1), largest, RSA_2048.modulus
    )


def test_so_do_the_tables_of_what_blinds(world: ProofWorld) -> None:
    bounds = WitnessBounds.of([1], RSA_2048, SHORT_EXPONENT_BITS, folded=1 << 20)
    largest = (bounds.exponent.highest << (CHALLENGE_BITS + 1)) << 20
    table = blinding_powers(world.key, world.owners[0].commitments.base)
    assert table.power(largest) == gmpy2.powmod(table.power(1), largest, world.key.n_squared)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_beyond_its_limit_is_not_committed_to(place: int, sign: int) -> None:
    limits = map_limits(2, 40, 128)
    assert limits == (1 << 40, 1 << 40, 1 << 128)
    values = [0, 0, 0]
    values[place] = sign * limits[place]
    assert CommittedVector.draw(values, limits, RSA_2048, STREAM).values == tuple(values)
    values[place] += sign
    with pytest.raises(MisuseError, match=f"value {place} .* fewer steps") as refused:
        CommittedVector.draw(values, limits, RSA_2048, STREAM)
    assert str(values[place]) not in str(refused.value)


def test_a_vector_of_another_length_is_not_committed_to() -> None:
    with pytest.raises(MisuseError, match="2 values; 3"):
        CommittedVector.draw([1, 2], gram_limits(1, 64), RSA_2048, STREAM)


def test_nothing_of_the_values_is_shown(world: ProofWorld) -> None:
    owner = world.owners[0]
    secrets = [str(one) for vector in (*owner.maps, owner.gram) for one in (*vector.values, vector.hiding)]
    told = repr(owner.maps) + repr(owner.gram) + str(owner)
    assert not [secret for secret in secrets if secret in told]


def test_the_digest_is_what_a_contract_would_compute(world: ProofWorld) -> None:
    shown, identity = world.owners[0].commitments, world.identity
    encoded = encode(
        ["uint256", "address", "uint256", "address", "bytes32", "uint256", "bytes", "bytes[]"],
        [
            identity.chain_id,
            identity.contract,
            identity.training,
            shown.owner,
            identity.key_id,
            shown.rows,
            int(shown.base).to_bytes(64, "big"),
            [int(one).to_bytes(256, "big") for one in (*shown.maps, shown.gram)],
        ],
    )
    assert shown.digest(identity, world.key) == keccak(encoded)


def test_the_digest_of_a_base_that_fills_no_whole_word() -> None:
    key = PublicKey((1 << 519) + 1)
    shown = OwnerCommitments("0x" + "01" * 20, 1, gmpy2.mpz(5), (gmpy2.mpz(6),), gmpy2.mpz(7))
    types = ["uint256", "address", "uint256", "address", "bytes32", "uint256", "bytes", "bytes[]"]
    elements = [one.to_bytes(256, "big") for one in (6, 7)]
    values = [*IDENTITY[:3], shown.owner, IDENTITY.key_id, 1, (5).to_bytes(65, "big"), elements]
    assert shown.digest(IDENTITY, key) == keccak(encode(types, values))


def test_whatever_is_altered_alters_the_digest(world: ProofWorld) -> None:
    shown, identity, key = world.owners[0].commitments, world.identity, world.key
    digests = [shown.digest(one, key) for one in (identity, *OTHERS)]
    changes = (
        replace(shown, owner="0x" + "ee" * 20),
        replace(shown, rows=shown.rows + 1),
        replace(shown, base=shown.base + 1),
        replace(shown, gram=shown.gram + 1),
        replace(shown, maps=shown.maps[::-1]),
        replace(shown, maps=shown.maps[:1]),
        replace(shown, maps=(*shown.maps, shown.gram)),
    )
    digests += [changed.digest(identity, key) for changed in changes]
    assert not [pair for pair in combinations(digests, 2) if pair[0] == pair[1]]


def test_honest_commitments_are_taken(world: ProofWorld) -> None:
    for owner in world.owners:
        owner.commitments.require(world.key, RSA_2048, world.parameters)


@pytest.mark.parametrize("field", ["rows", "base", "maps", "gram"])
def test_hostile_commitments_are_refused(world: ProofWorld, field: str) -> None:
    shown, n = world.owners[0].commitments, world.key.n
    beyond = {"rows": [LARGEST_ROWS + 1], "base": [n, n + shown.base, world.private.p, n - shown.base + n]}
    for bad in (*HOSTILE, 1 << 100_000, *beyond.get(field, [RSA_2048.modulus, RSA_2048.modulus + 2])):
        wrong = [bad, (), (*shown.maps, shown.gram), (bad, shown.maps[1])] if field == "maps" else [bad]
        for value in wrong:
            with pytest.raises(ProtocolViolation, match="bad_commitment"):
                replace(shown, **{field: value}).require(world.key, RSA_2048, world.parameters)


@pytest.mark.parametrize("owner", [None, 5, "", "0xzz", "1" * 40, "0x1", "0x" + "A" * 40])
def test_an_owner_that_is_no_address_is_refused(world: ProofWorld, owner: object) -> None:
    with pytest.raises(ProtocolViolation, match="bad_commitment"):
        replace(world.owners[0].commitments, owner=owner).require(world.key, RSA_2048, world.parameters)


def test_a_base_through_which_parities_show_is_refused(world: ProofWorld) -> None:
    shown = world.owners[0].commitments
    square = shown.base * shown.base % world.key.n
    for base in (square, -square % world.key.n, gmpy2.mpz(1)):
        with pytest.raises(ProtocolViolation, match="Jacobi symbol"):
            replace(shown, base=base).require(world.key, RSA_2048, world.parameters)


def test_a_key_of_another_training_is_refused(world: ProofWorld) -> None:
    with pytest.raises(MisuseError, match="the training's is 0x6b6b"):
        IDENTITY.require_key(world.key)
