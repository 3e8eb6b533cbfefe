"""Measured errors of encrypted models against numpy, and what each station sees of them."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_scalarmult_base
from numpy.typing import NDArray

from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.packing import add_mask, pack, pack_plain, unpack
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.learning.metric import (
    Metrics,
    ResidualState,
    _hkdf,
    combine,
    decode_metrics,
    encrypted_metrics,
    masked_residuals,
    noise_bound,
    products,
    zero_sum_masks,
)
from protocol.learning.plaintext import OwnerData, round_metrics
from protocol.learning.scales import (
    COEFFICIENT_SCALE,
    METRIC_SCALE,
    MODEL_SCALE,
    RESIDUAL_SCALE,
    UPDATE_SCALE,
)
from protocol.learning.widths import Widths

Matrix = NDArray[np.float64]
PARAMETERS = 3
TARGET_RANGE = Decimal(100)
BASE_PLACE = b"training 1, round 1, attempt 1"


@dataclass
class Validator:
    """One validator's data and X25519 pair."""

    address: str
    secret: bytes
    data: OwnerData

    @property
    def exchange_key(self) -> bytes:
        return crypto_scalarmult_base(self.secret)


def validator(index: int, seed: int) -> Validator:
    stream = np.random.default_rng([seed, index])
    rows = 20 + 13 * index
    whole = np.column_stack([stream.normal(size=(rows, 2)), np.ones(rows), stream.normal(size=rows) * 20])
    factor = np.asarray(np.linalg.qr(whole / np.sqrt(rows), mode="r"), dtype=np.float64)
    return Validator(f"0x{index:040x}", bytes([index + 1]) * 32, OwnerData(factor, rows))


def masks_of(
    key: PublicKey, member: Validator, members: list[Validator], place: bytes, count: int
) -> list[int]:
    others = {other.address: other.exchange_key for other in members if other is not member}
    return zero_sum_masks(
        key, own_address=member.address, secret=member.secret, others=others, place=place, count=count
    )


@dataclass
class Evaluation:
    """One round's evaluation of random models, every party in this process."""

    private_key: PrivateKey
    members: list[Validator]
    start: Matrix
    models: Matrix
    measure_start: bool
    noise: bool
    seed: int = 0

    def __post_init__(self) -> None:
        self.key = self.private_key.public_key
        self.rows = sum(member.data.rows for member in self.members)
        self.widths = Widths.fit(
            key_bits=self.key.bits,
            parameters=PARAMETERS,
            trainers=len(self.models),
            validators=len(self.members),
            weight_bits=10,
            residual_bits=12,
            rows=self.rows,
        )
        stream = self.stream("models")
        encrypt = self.private_key.encrypt
        self.encrypted = [[encrypt(x, stream) for x in encode(m, UPDATE_SCALE)] for m in self.models]
        self.encrypted_start = [encrypt(x, stream) for x in encode(self.start, MODEL_SCALE)]
        self.count = self.widths.metric_count(len(self.models), start=self.measure_start)

    def stream(self, label: str) -> Randomness:
        return Randomness(self.seed.to_bytes(32, "big")).child(label)

    def mask(self, member: Validator) -> tuple[list[mpz], ResidualState]:
        return masked_residuals(
            self.key,
            member.data.factor,
            self.encrypted,
            start=self.encrypted_start if self.measure_start else None,
            widths=self.widths,
            randomness=self.stream("residuals" + member.address),
        )

    def answer(self, packed: list[mpz]) -> tuple[list[mpz], list[mpz]]:
        return products(
            self.private_key,
            packed,
            models=len(self.models) + self.measure_start,
            start=self.measure_start,
            residuals=PARAMETERS + 1,
            widths=self.widths,
            randomness=self.stream("products"),
        )

    def metric_of(self, member: Validator) -> list[mpz]:
        packed, state = self.mask(member)
        own, cross = self.answer(packed)
        plaintexts = self.widths.opening.plaintexts(self.count)
        return encrypted_metrics(
            self.key,
            ResidualState.from_bytes(state.to_bytes(self.key)),
            own,
            cross,
            rows=member.data.rows,
            widths=self.widths,
            target_range=TARGET_RANGE,
            zero_sum=masks_of(self.key, member, self.members, BASE_PLACE, plaintexts),
            randomness=self.stream("metrics" + member.address),
            noise=self.noise,
        )

    def opened(self) -> list[int]:
        vectors = [self.metric_of(member) for member in self.members]
        product = combine(self.key, vectors, self.count, self.widths)
        return [int(self.private_key.decrypt(c)) for c in product]

    def decoded(self, plaintexts: list[int]) -> Metrics | None:
        return decode_metrics(
            plaintexts,
            widths=self.widths,
            trainers=len(self.models),
            rows=self.rows,
            start=self.measure_start,
        )

    def residuals(self, member: Validator) -> list[list[int]]:
        """Exact integer residuals of every measured model at the residual scale."""
        features, last = member.data.factor[:, :-1], encode(member.data.factor[:, -1], RESIDUAL_SCALE)
        rows, vectors = encode_matrix(features, COEFFICIENT_SCALE), []
        measured = [encode(model, UPDATE_SCALE) for model in self.models]
        if self.measure_start:
            fine = encode_matrix(features, 2 * COEFFICIENT_SCALE)
            vectors.append(affine(fine, encode(self.start, MODEL_SCALE), last))
        return vectors + [affine(rows, model, last) for model in measured]

    def exact(self) -> list[int]:
        """Σ over validators of m·(v₀, q, c) as integers at the metric scale."""
        totals = [0] * self.count
        for member in self.members:
            vectors = self.residuals(member)
            trained = vectors[int(self.measure_start) :]
            whole = [sum(column) for column in zip(*trained, strict=True)]
            values = [dot(r, r) for r in vectors] + [dot(r, whole) for r in trained]
            totals = [t + member.data.rows * v for t, v in zip(totals, values, strict=True)]
        return totals


def affine(rows: list[list[int]], model: list[int], last: list[int]) -> list[int]:
    return [dot(row, model) - y for row, y in zip(rows, last, strict=True)]


def dot(left: list[int], right: list[int]) -> int:
    return sum(a * b for a, b in zip(left, right, strict=True))


def evaluation(
    private_key: PrivateKey,
    *,
    validators: int = 2,
    trainers: int = 3,
    measure_start: bool = True,
    noise: bool = False,
    seed: int = 0,
) -> Evaluation:
    stream = np.random.default_rng(seed)
    members = [validator(index, seed) for index in range(validators)]
    start, models = stream.normal(size=PARAMETERS), stream.normal(size=(trainers, PARAMETERS)) * 10
    return Evaluation(private_key, members, start, models, measure_start, noise, seed)


CASES = [(2, 2, True), (2, 3, False), (3, 4, True), (4, 2, False)]


@pytest.mark.parametrize(("validators", "trainers", "measure_start"), CASES)
def test_without_noise_the_opened_integers_are_exact(
    wide_private_key: PrivateKey, validators: int, trainers: int, measure_start: bool
) -> None:
    case = evaluation(wide_private_key, validators=validators, trainers=trainers, measure_start=measure_start)
    layout = case.widths.opening
    slots = unpack(case.opened(), case.count, layout)
    assert [slot - layout.offset for slot in slots] == case.exact()


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize(("validators", "trainers", "measure_start"), CASES)
def test_the_published_numbers_are_those_of_numpy(
    wide_private_key: PrivateKey, validators: int, trainers: int, measure_start: bool, noise: bool
) -> None:
    case = evaluation(
        wide_private_key, validators=validators, trainers=trainers, measure_start=measure_start, noise=noise
    )
    metrics = case.decoded(case.opened())
    expected = round_metrics([member.data for member in case.members], case.start, case.models)
    assert metrics is not None
    # The noise adds up to (target range)²·2⁻²⁴ to every number.
    limit = float(TARGET_RANGE) ** 2 * 2.0**-24 if noise else 1e-9 * expected.start
    numbers = [*metrics.own, *metrics.cross]
    wanted = [*expected.own, *expected.cross]
    assert (metrics.start is not None) == measure_start
    if metrics.start is not None:
        numbers.append(metrics.start)
        wanted.append(expected.start)
    deviations = np.array(numbers) / 1e18 - wanted
    assert np.all(deviations > -1e-9 * expected.start)
    assert np.all(deviations < limit + 1e-9 * expected.start)
    if noise:
        assert np.any(deviations > limit / 100)


def test_the_noise_is_fresh_and_below_its_bound(wide_private_key: PrivateKey) -> None:
    quiet = evaluation(wide_private_key)
    layout, exact = quiet.widths.opening, quiet.exact()
    bound = sum(noise_bound(member.data.rows, TARGET_RANGE) for member in quiet.members)
    added = set()
    for seed in range(3):
        noisy = evaluation(wide_private_key, noise=True)
        noisy.seed = seed
        slots = unpack(noisy.opened(), noisy.count, layout)
        for slot, value in zip(slots, exact, strict=True):
            assert 0 <= slot - layout.offset - value < bound
            added.add(slot - layout.offset - value)
    assert len(added) == 3 * quiet.count
    assert max(added) > bound // 3


@pytest.mark.parametrize("rows", [1, 89])
@pytest.mark.parametrize("width", ["0.5", "321", "1e9"])
def test_the_noise_bound_is_a_fixed_part_of_the_range(rows: int, width: str) -> None:
    expected = rows * float(width) ** 2 / 2.0**24
    assert noise_bound(rows, Decimal(width)) / 2.0**METRIC_SCALE == pytest.approx(expected, rel=1e-12)


def test_the_noise_never_vanishes() -> None:
    assert noise_bound(1, Decimal("1e-300")) == 1


# What the buyer sees


@pytest.mark.parametrize("scale", [1, 1 << 300])
def test_the_buyer_sees_residuals_under_rho_alone(wide_private_key: PrivateKey, scale: int) -> None:
    case = evaluation(wide_private_key)
    # A model far out of range must not push its residuals above their masks.
    case.encrypted[0] = [pow(c, scale, case.key.n_squared) for c in case.encrypted[0]]
    member = case.members[0]
    packed, state = case.mask(member)
    plain = [[case.key.signed(case.private_key.decrypt(c)) for c in vector] for vector in state.residuals]
    flat = [entry + case.widths.residual.offset for vector in plain for entry in vector]
    for ciphertext, rho, chunk in zip(
        packed, state.mask.rhos, case.widths.residual.chunks(len(flat)), strict=True
    ):
        hidden = pack_plain(flat[chunk], case.widths.residual) + rho
        assert case.private_key.decrypt(ciphertext) == hidden % case.key.n


def test_masks_are_fresh_in_every_evaluation(wide_private_key: PrivateKey) -> None:
    case = evaluation(wide_private_key)
    states = []
    for seed in range(5):
        case.seed = seed
        states.append(case.mask(case.members[0]))
    assert len({rho for _, state in states for rho in state.mask.rhos}) == sum(
        len(state.mask.rhos) for _, state in states
    )


def test_residuals_leave_under_fresh_nth_powers(wide_private_key: PrivateKey) -> None:
    case = evaluation(wide_private_key)
    packed, state = case.mask(case.members[0])
    flat = [entry for vector in state.residuals for entry in vector]
    bare = add_mask(case.key, pack(case.key, flat, case.widths.residual), state.mask)
    for sent, unblinded in zip(packed, bare, strict=True):
        assert sent != unblinded
        assert case.private_key.decrypt(sent) == case.private_key.decrypt(unblinded)


def test_metrics_leave_under_fresh_nth_powers(wide_private_key: PrivateKey) -> None:
    # Without noise and with the same products, only the blinding depends on the randomness.
    case = evaluation(wide_private_key)
    _, state = case.mask(case.members[0])
    own, cross = [mpz(1)] * 4, [mpz(1)] * 3
    zero_sum = masks_of(
        case.key, case.members[0], case.members, BASE_PLACE, case.widths.opening.plaintexts(case.count)
    )
    sent = [
        encrypted_metrics(
            case.key,
            state,
            own,
            cross,
            rows=20,
            widths=case.widths,
            target_range=TARGET_RANGE,
            zero_sum=zero_sum,
            randomness=Randomness(bytes([seed]) * 32),
            noise=False,
        )
        for seed in range(2)
    ]
    assert not set(sent[0]) & set(sent[1])
    decrypted = [[case.private_key.decrypt(c) for c in vector] for vector in sent]
    assert decrypted[0] == decrypted[1]


def test_known_models_do_not_give_the_buyer_the_data(wide_private_key: PrivateKey) -> None:
    # Residuals in clear gave back every row by least squares. Here the same regression is fed with all that
    # the buyer decrypts for forty models it knows, and with the true residuals to show that it works.
    case = evaluation(wide_private_key, trainers=40, measure_start=False)
    member, layout = case.members[0], case.widths.residual
    packed, _ = case.mask(member)
    size = (PARAMETERS + 1) * 40
    seen = unpack([int(case.private_key.decrypt(c)) for c in packed], size, layout)
    known = np.column_stack([case.models, -np.ones(40)])

    def regression(entries: list[int], centre: int) -> Matrix:
        values = np.array([(entry - centre) / 2**RESIDUAL_SCALE for entry in entries])
        weights, *_ = np.linalg.lstsq(known, values.reshape(40, PARAMETERS + 1), rcond=None)
        return np.asarray(weights.T, dtype=np.float64)

    clear = [entry for vector in case.residuals(member) for entry in vector]
    np.testing.assert_allclose(regression(clear, 0), member.data.factor, atol=1e-9)
    error = np.abs(regression(seen, 1 << (layout.slot_bits - 1)) - member.data.factor)
    assert error.min() > 1e6 * np.abs(member.data.factor).max()


def test_products_are_those_of_what_the_buyer_sees(wide_private_key: PrivateKey) -> None:
    case = evaluation(wide_private_key)
    packed, _ = case.mask(case.members[0])
    own, cross = case.answer(packed)
    size = PARAMETERS + 1
    flat = unpack([int(case.private_key.decrypt(c)) for c in packed], 4 * size, case.widths.residual)
    vectors = [flat[i * size : (i + 1) * size] for i in range(4)]
    total = [sum(column) for column in zip(*vectors[1:], strict=True)]
    n = case.key.n
    assert [case.private_key.decrypt(c) for c in own] == [dot(u, u) % n for u in vectors]
    assert [case.private_key.decrypt(c) for c in cross] == [dot(u, total) % n for u in vectors[1:]]


# One validator's numbers


@pytest.mark.parametrize("validators", [2, 3])
def test_fewer_than_all_validators_decode_to_noise(wide_private_key: PrivateKey, validators: int) -> None:
    case = evaluation(wide_private_key, validators=validators)
    vectors = [case.metric_of(member) for member in case.members]
    for left_out in range(validators):
        some = vectors[:left_out] + vectors[left_out + 1 :]
        product = combine(case.key, some, case.count, case.widths)
        assert case.decoded([int(case.private_key.decrypt(c)) for c in product]) is None


@given(members=st.integers(2, 6), count=st.integers(1, 3), place=st.binary(max_size=40))
@settings(max_examples=30)
def test_zero_sum_masks_cancel_over_all_members(
    wide_key: PublicKey, members: int, count: int, place: bytes
) -> None:
    validators = [validator(index, 0) for index in range(members)]
    masks = [masks_of(wide_key, member, validators, place, count) for member in validators]
    assert [sum(column) % wide_key.n for column in zip(*masks, strict=True)] == [0] * count
    flat = [mask for row in masks for mask in row]
    assert len(set(flat)) == len(flat)
    assert all(0 < mask < wide_key.n for mask in flat)


def test_zero_sum_masks_depend_on_place_partner_and_secret(wide_key: PublicKey) -> None:
    first, second, third = (validator(index, 0) for index in range(3))
    stranger = Validator(first.address, b"s" * 32, first.data)
    masks = [
        masks_of(wide_key, first, [first, second], b"round 1", 2),
        masks_of(wide_key, first, [first, second], b"round 2", 2),
        masks_of(wide_key, first, [first, third], b"round 1", 2),
        masks_of(wide_key, first, [first, second, third], b"round 1", 2),
        masks_of(wide_key, stranger, [stranger, second], b"round 1", 2),
    ]
    assert len({mask for row in masks for mask in row}) == 10


def test_a_copied_key_makes_no_masks_of_a_third_vanish(wide_key: PublicKey) -> None:
    lower, middle, upper = (validator(index, 0) for index in range(3))
    others = {lower.address: upper.exchange_key, upper.address: upper.exchange_key}
    masks = zero_sum_masks(
        wide_key, own_address=middle.address, secret=middle.secret, others=others, place=b"", count=2
    )
    assert all(masks)


def test_zero_sum_masks_reach_over_all_of_n() -> None:
    # At a tiny modulus every residue must occur: 128 bits more than n leave no bias to see.
    key = PublicKey(35)
    pair = [validator(index, 0) for index in range(2)]
    masks = masks_of(key, pair[0], pair, b"", 7000)
    counts = [masks.count(residue) for residue in range(35)]
    assert sum((count - 200) ** 2 / 200 for count in counts) < 78  # 0.99998 quantile, 34 degrees


def test_key_derivation_is_rfc_5869() -> None:
    # RFC 5869, appendix A.3: SHA-256 with empty salt and info.
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert _hkdf(b"\x0b" * 22, b"", 42).hex() == expected


# Implausible openings


def plausible_slots(case: Evaluation) -> list[int]:
    return [case.widths.opening.offset + value for value in case.exact()]


def packed_slots(case: Evaluation, slots: list[int]) -> list[int]:
    layout = case.widths.opening
    return [pack_plain(slots[chunk], layout) for chunk in layout.chunks(case.count)]


@pytest.mark.parametrize("place", range(7))
def test_the_ends_of_a_slot_s_range(wide_private_key: PrivateKey, place: int) -> None:
    case = evaluation(wide_private_key)
    offset = case.widths.opening.offset
    for value, plausible in ((1, True), (2 * offset - 1, True), (0, False), (2 * offset, False)):
        slots = plausible_slots(case)
        slots[place] = value
        assert (case.decoded(packed_slots(case, slots)) is not None) == plausible


def test_any_bit_above_the_last_slot_is_implausible(wide_private_key: PrivateKey) -> None:
    case = evaluation(wide_private_key)
    layout = case.widths.opening
    plaintexts = packed_slots(case, plausible_slots(case))
    assert case.decoded(plaintexts) is not None
    for index, chunk in enumerate(layout.chunks(case.count)):
        top = layout.slot_bits * (chunk.stop - chunk.start)
        for bit in (top, top + 1, case.key.bits - 1):
            changed = list(plaintexts)
            changed[index] |= 1 << bit
            assert case.decoded(changed) is None


def test_a_model_far_out_of_range_is_implausible(wide_private_key: PrivateKey) -> None:
    # Values chosen to spell data out in the free bits of an opened number are never shown.
    case = evaluation(wide_private_key)
    case.encrypted[1] = [pow(c, 1 << 150, case.key.n_squared) for c in case.encrypted[1]]
    assert case.decoded(case.opened()) is None


def test_what_a_validator_keeps_survives_its_bytes(wide_private_key: PrivateKey) -> None:
    case = evaluation(wide_private_key)
    _, state = case.mask(case.members[0])
    copy = ResidualState.from_bytes(state.to_bytes(case.key))
    assert copy == state
    assert str(state.mask.rhos[0]) not in repr(state)
