"""The exchange and its products against the same sums in plain integers, and errors against numpy on rows."""

from dataclasses import dataclass, replace

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.cipher import Ciphertext, Combination, PrivateKey, ShortExponentBlinder, combined
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.packing import Mask
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.proofs.validator import MetricProofs
from protocol.crypto.randomness import Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.gram import gram_triangle
from protocol.learning.moments import products as module
from protocol.learning.moments.exchange import (
    MINUS_ONE,
    MomentAnswer,
    MomentMask,
    answer_length,
    moment_answer,
    moment_request,
    read_answer,
    request_length,
    vector_count,
)
from protocol.learning.moments.products import Products, next_model, products
from protocol.learning.moments.widths import MomentWidths, SlotSet, Start, pairs
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE
from protocol.learning.statistic import triangular
from tests.support.product_count import ProductCount
from tests.support.proofs import private_key

WEIGHT_BITS = 6
STREAM = Randomness(b"m" * 32)
BLINDER_SEED = b"b" * 32


@dataclass
class Exchange:
    """Models of p weights, at the updates' scale, through the whole exchange."""

    private: PrivateKey
    models: list[list[int]]
    trainers: int
    start: Start
    public: list[int]
    widths: MomentWidths

    def __post_init__(self) -> None:
        key = self.private.public_key
        self.sets = self.widths.sets(self.trainers, self.start)
        vectors = [[self.private.encrypt(weight, STREAM) for weight in model] for model in self.models]
        count = vector_count(self.sets)
        assert count == len(vectors)
        self.mask = MomentMask.draw(key, count * self.widths.parameters, self.widths.request, STREAM)
        self.request = moment_request(key, vectors, self.widths, self.mask)
        assert len(self.request) == request_length(self.sets, self.widths)
        self.again = moment_request(key, vectors, self.widths, self.mask)
        self.answer = moment_answer(self.private, self.request, self.trainers, self.sets, self.widths, STREAM)
        self.masks = self.mask.digits(count, self.widths)

    def products(self, answer: MomentAnswer | None = None):
        key = self.private.public_key
        return products(
            key, answer or self.answer, self.masks, self.trainers, self.sets, self.widths, self.public
        )

    def expected(self, one: SlotSet, i: int, j: int) -> int:
        """Σ over the slots of the products of θ̃, by their definition."""
        tilde = [[*model, MINUS_ONE] for model in self.models]
        total = [sum(column) for column in zip(*tilde[: self.trainers], strict=True)]

        def symmetric(x: list[int], y: list[int]) -> int:
            return x[i] * y[j] + (x[j] * y[i] if i < j else 0)

        found = 0
        if one.public_start:
            start = [*self.public, MINUS_ONE]
            found += symmetric(start, start)
        for vector, own, cross in one.members:
            found += symmetric(tilde[vector], tilde[vector]) << (self.widths.products.slot_bits * own)
            if cross is not None:
                found += symmetric(tilde[vector], total) << (self.widths.products.slot_bits * cross)
        return found


def exchange_of(
    private: PrivateKey, trainers: int, parameters: int, start: Start, draw=None, *, spread: int = 100
) -> Exchange:
    widths = MomentWidths.fit(
        key_bits=private.public_key.bits,
        parameters=parameters,
        trainers=trainers,
        weights=1 << 10,
        weight_bits=WEIGHT_BITS,
        residual_bits=3,
    )
    bound = (1 << (UPDATE_SCALE + WEIGHT_BITS)) - 1
    draw = draw or (lambda: STREAM.below(2 * bound + 1) - bound)
    count = trainers + (start is Start.ENCRYPTED)
    models = [[draw() for _ in range(parameters)] for _ in range(count)]
    public = [draw() for _ in range(parameters)] if start is Start.PUBLIC else []
    return Exchange(private, models, trainers, start, public, widths)


def single(found: Products, place: int) -> Ciphertext:
    """One P_ij."""
    return found.combine([int(place == other) for other in range(found.size)])


def all_products(exchange: Exchange, answer: MomentAnswer | None = None) -> list[Ciphertext]:
    return [single(one, place) for one in exchange.products(answer) for place in range(one.size)]


@settings(max_examples=3, deadline=None)
@given(st.data())
@pytest.mark.parametrize("start", Start)
def test_squares_are_the_same_sum_in_fewer_products(
    wide_private_key: PrivateKey, start: Start, data: st.DataObject
) -> None:
    trainers, parameters = data.draw(st.integers(2, 3)), data.draw(st.integers(1, 3))
    exchange = exchange_of(wide_private_key, trainers, parameters, start)
    coefficient = st.one_of(st.integers(0, 1), st.integers(0, (1 << 64) - 1))
    beta = data.draw(st.lists(coefficient, min_size=parameters + 1, max_size=parameters + 1))
    squares = [beta[i] * beta[j] for i, j in pairs(parameters + 1)]
    for rows_from in (0, parameters + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "ROWS_FROM", rows_from)
            for one in exchange.products():
                assert combined(one.key, one.combination_of_squares(beta)) == one.combine(squares)
                assert combined(one.key, one.combination_once(squares)) == one.combine(squares)


@pytest.mark.parametrize("parameters", [11, 21])
def test_squares_take_fewer_products_than_any_exponents(
    monkeypatch: pytest.MonkeyPatch, wide_private_key: PrivateKey, parameters: int
) -> None:
    count, beta = ProductCount(), [STREAM.bits(64) for _ in range(parameters + 1)]
    count.install(monkeypatch)
    one = exchange_of(wide_private_key, 2, parameters, Start.UNMEASURED).products()[0]
    squares = [beta[i] * beta[j] for i, j in pairs(parameters + 1)]

    def taken(parts: list[Combination]) -> int:
        before = count.total
        combined(one.key, parts)
        return count.total - before

    one.combine(squares)  # from here on the tables are there
    before = count.total
    squared = one.combination_of_squares(beta)
    made = count.total - before
    assert made + taken(squared) < 0.9 * taken([one.combination(squares)])


def check_products(exchange: Exchange) -> None:
    key, decrypt = exchange.private.public_key, exchange.private.decrypt
    places = pairs(exchange.widths.parameters + 1)
    for one, found in zip(exchange.sets, exchange.products(), strict=True):
        assert found.size == len(places)
        for index, (i, j) in enumerate(places):
            expected = exchange.expected(one, i, j)
            assert decrypt(single(found, index)) == expected % key.n, (i, j)
        assert single(found, found.size - 1) == key.lift(exchange.expected(one, *places[-1]))
        values = [STREAM.bits(80) - (1 << 79) for _ in places]
        total = sum(a * exchange.expected(one, *place) for a, place in zip(values, places, strict=True))
        assert decrypt(found.combine(values)) == total % key.n


@settings(max_examples=8)
@given(st.data())
def test_products_are_those_of_the_models(wide_private_key: PrivateKey, data: st.DataObject) -> None:
    """1024 bits hold one trainer's products a set: every set but one's trainer is outside."""
    bound = (1 << (UPDATE_SCALE + WEIGHT_BITS)) - 1
    weight = st.one_of(st.sampled_from((-bound, 0, bound)), st.integers(-bound, bound))
    exchange = exchange_of(
        wide_private_key,
        data.draw(st.integers(2, 3)),
        data.draw(st.integers(1, 2)),
        data.draw(st.sampled_from(Start)),
        lambda: data.draw(weight),
    )
    check_products(exchange)


@pytest.mark.parametrize("start", Start)
def test_one_set_holds_all_of_a_small_round(start: Start) -> None:
    exchange = exchange_of(private_key(2048), 2, 2, start)
    assert len(exchange.sets) == 1
    assert exchange.answer.sets[0].rest == []
    check_products(exchange)


def test_the_next_model_is_the_mean_to_one_unit(wide_private_key: PrivateKey) -> None:
    exchange = exchange_of(wide_private_key, 3, 2, Start.UNMEASURED)
    key = wide_private_key.public_key
    blinder = ShortExponentBlinder(key, BLINDER_SEED)
    made = next_model(key, exchange.answer, exchange.masks, 3, blinder, STREAM)
    for ciphertext, column in zip(made, zip(*exchange.models, strict=True), strict=True):
        got = key.signed(wide_private_key.decrypt(ciphertext))
        assert abs(got * (3 << COEFFICIENT_SCALE) - sum(column)) < 3 << COEFFICIENT_SCALE
    assert MODEL_SCALE + COEFFICIENT_SCALE == UPDATE_SCALE


def test_who_is_shown_the_masks_makes_the_same_request(wide_private_key: PrivateKey) -> None:
    exchange = exchange_of(wide_private_key, 2, 2, Start.UNMEASURED)
    assert exchange.request == exchange.again
    rhos = exchange.mask.mask.rhos
    other = replace(exchange.mask, mask=Mask((rhos[0] + 1, *rhos[1:])))
    key = wide_private_key.public_key
    vectors = [[key.lift(weight) for weight in model] for model in exchange.models]
    assert moment_request(key, vectors, exchange.widths, exchange.mask) != moment_request(
        key, vectors, exchange.widths, other
    )


def test_masks_leave_room_for_values_of_either_sign_and_are_not_shown(wide_private_key: PrivateKey) -> None:
    key = wide_private_key.public_key
    layout = exchange_of(wide_private_key, 2, 1, Start.UNMEASURED).widths.request
    mask = MomentMask.draw(key, 40, layout, STREAM)
    margin, whole = 1 << (layout.slot_bits - 64), 1 << layout.slot_bits
    for rho, chunk in zip(mask.mask.rhos, layout.chunks(40), strict=True):
        count = chunk.stop - chunk.start
        assert rho < key.n - (1 << (layout.slot_bits * count))
        digits = [rho >> (layout.slot_bits * i) & (whole - 1) for i in range(count)]
        assert all(margin <= digit < whole - margin for digit in digits)
    assert all(str(secret) not in repr(mask) for secret in (*mask.mask.rhos, *mask.roots))
    assert all(gmpy2.gcd(root, key.n) == 1 for root in mask.roots)


def test_a_mask_of_the_same_request_with_other_digits_is_refused(
    wide_private_key: PrivateKey,
) -> None:
    """Shown ρ + n in place of ρ, everybody would find the key holder's products wrong."""
    exchange = exchange_of(wide_private_key, 2, 2, Start.UNMEASURED)
    key, layout = wide_private_key.public_key, exchange.widths.request
    exchange.mask.require(key, 4, layout)
    shown = replace(exchange.mask, mask=Mask(tuple(rho + int(key.n) for rho in exchange.mask.mask.rhos)))
    vectors = [[wide_private_key.encrypt(weight, STREAM) for weight in model] for model in exchange.models]
    requests = [moment_request(key, vectors, exchange.widths, mask) for mask in (exchange.mask, shown)]
    assert requests[0] == requests[1]
    honest = all_products(exchange)
    exchange.masks = shown.digits(2, exchange.widths)
    assert all_products(exchange) != honest
    with pytest.raises(ProtocolViolation, match="bad_mask"):
        shown.require(key, 4, layout)


def test_masks_that_nobody_draws_are_refused(wide_private_key: PrivateKey) -> None:
    exchange = exchange_of(wide_private_key, 2, 2, Start.UNMEASURED)
    key, layout, mask = wide_private_key.public_key, exchange.widths.request, exchange.mask
    rhos, roots, slot = mask.mask.rhos, mask.roots, layout.slot_bits
    edges = [(1 << slot) - 1, ((1 << 64) - 1) << (slot - 64), (1 << (slot - 64)) - 1]
    low = rhos[0] >> slot << slot
    wrong = [(low + edge, *rhos[1:]) for edge in edges]
    wrong += [(bad, *rhos[1:]) for bad in (None, "1", 1.5, True, -rhos[0], 0, int(key.n), 1 << 90_000)]
    masks = [replace(mask, mask=Mask(one)) for one in (*wrong, rhos[:-1], (*rhos, rhos[0]), None, list(rhos))]
    bad_roots = (None, (), roots[:-1], (*roots, roots[0]), (0, *roots[1:]), (wide_private_key.p, *roots[1:]))
    masks += [replace(mask, roots=bad) for bad in bad_roots]
    for one in masks:
        with pytest.raises(ProtocolViolation, match="bad_mask"):
            one.require(key, 4, layout)
    for edge in (1 << (slot - 64), (((1 << 64) - 1) << (slot - 64)) - 1):
        replace(mask, mask=Mask((low + edge, *rhos[1:]))).require(key, 4, layout)


def test_masks_are_shown_neither_by_products_nor_by_the_proofs_over_them(
    wide_private_key: PrivateKey,
) -> None:
    exchange = exchange_of(wide_private_key, 2, 2, Start.UNMEASURED)
    key, found = wide_private_key.public_key, exchange.products()
    identity = TrainingIdentity(1, "0x" + "c0" * 20, 3, key.key_id)
    proofs = MetricProofs(key, identity, Occasion(1, 0, 1), 2, found, ENTRY_SCALE)
    masks = [str(int(one)) for row in exchange.masks for one in row]
    assert len(masks) == 4
    assert not [mask for mask in masks for told in (repr(found), repr(proofs), str(found[0])) if mask in told]


def test_an_answer_survives_its_list_and_another_length_is_refused(wide_private_key: PrivateKey) -> None:
    for start in Start:
        exchange = exchange_of(wide_private_key, 2, 2, start)
        flat = exchange.answer.flat()
        assert len(flat) == answer_length(exchange.sets, 2)
        assert read_answer(flat, exchange.sets, 2) == exchange.answer
        for wrong in (flat[:-1], [*flat, flat[0]], []):
            with pytest.raises(ProtocolViolation, match="wrong_count"):
                read_answer(wrong, exchange.sets, 2)


def test_an_answer_that_is_wrong_anywhere_changes_a_product(wide_private_key: PrivateKey) -> None:
    """Nothing of an answer goes unused: what a projection of the products compares is all of it."""
    exchange = exchange_of(wide_private_key, 2, 2, Start.UNMEASURED)
    key, flat = wide_private_key.public_key, exchange.answer.flat()
    honest = all_products(exchange)
    for place in range(len(flat) - 2):
        wrong = [*flat[:place], flat[place] * key.lift(1) % key.n_squared, *flat[place + 1 :]]
        assert all_products(exchange, read_answer(wrong, exchange.sets, 2)) != honest


def test_whatever_the_products_depend_on_is_hashed(wide_private_key: PrivateKey) -> None:
    exchange = exchange_of(wide_private_key, 2, 1, Start.PUBLIC)
    key, (first, *_) = wide_private_key.public_key, exchange.products()
    seen = [first.to_parts()]
    answer, other = first.answer, key.lift(5)
    for changed in (
        replace(first, answer=answer._replace(products=[other, *answer.products[1:]])),
        replace(first, answer=answer._replace(singles=[[other]])),
        replace(first, answer=answer._replace(rest=[other])),
        replace(first, masks=[[5], first.masks[1]]),
        replace(first, masks=[first.masks[0], [5]]),
        replace(first, start=[5]),
        replace(first, trainers=1),
    ):
        assert changed.to_parts() not in seen
        seen.append(changed.to_parts())


@pytest.mark.parametrize("start", [Start.PUBLIC, Start.ENCRYPTED])
def test_errors_are_those_that_numpy_finds_on_the_rows(start: Start) -> None:
    private, rng = private_key(2048), np.random.default_rng(7)
    key, p, trainers = private.public_key, 3, 3
    exchange = exchange_of(private, trainers, p, start, lambda: int(rng.normal() * 2.0**UPDATE_SCALE))
    rows = [rng.uniform(-1, 1, (m, p + 1)) for m in (40, 25)]
    grams = [
        [len(one) * entry for entry in gram_triangle(triangular(one) / np.sqrt(len(one)))] for one in rows
    ]
    opened: list[int] = []
    for one, found in zip(exchange.sets, exchange.products(), strict=True):
        total = key.add(*(found.combine(gram) for gram in grams), key.lift(exchange.widths.offset(one)))
        *values, above = exchange.widths.values(one, int(private.decrypt(total)))
        assert above == 0
        opened += values
    weights = np.array(exchange.models + ([exchange.public] if start is Start.PUBLIC else []), dtype=object)
    weights = (weights / 2**UPDATE_SCALE).astype(float)
    table = np.vstack(rows)
    residuals = table[:, :p] @ weights.T - table[:, p:]
    local, first = residuals[:, :trainers], residuals[:, trainers]
    expected = [first @ first]
    for t in range(trainers):
        expected += [local[:, t] @ local[:, t], local[:, t] @ local.sum(axis=1)]
    got = [value / 2 ** (2 * UPDATE_SCALE + ENTRY_SCALE) for value in opened]
    assert got == pytest.approx(expected, rel=1e-9)
