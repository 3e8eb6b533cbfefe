"""Any other next model than the mean of the local ones is found out, whoever makes it, in whatever order."""

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.ring.commitments import Commitments, RingCommitment, nonce_digest, statement_digest
from protocol.crypto.ring.context import Maker
from protocol.errors import MisuseError, ProtocolViolation
from protocol.learning.checked_openings.next_model import (
    NextModelWidths,
    checked_numbers,
)
from protocol.learning.checked_openings.ranges import range_bits
from protocol.learning.checked_openings.sums import (
    COEFFICIENT_BITS,
    DECIDED_BITS,
    MASK_BITS,
    VECTORS,
    SumWidths,
    draw_coefficients,
    random_sums,
)
from protocol.learning.moments.exchange import MomentMask, moment_answer, moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.moments.widths import MomentWidths, Start
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE, UPDATE_SCALE
from tests.support.proofs import private_key
from tests.support.ring import CHECKERS, STREAM, Ring, encrypted

P, TRAINERS, BITS, WEIGHT_BITS = 2, 3, 512, 6
DIVISOR = TRAINERS << COEFFICIENT_SCALE
WIDTHS = NextModelWidths.fit(BITS, P, WEIGHT_BITS)
FACTOR = WIDTHS.factor(TRAINERS)


def accepted_deviation(parameters: int) -> int:
    """How far, in units of the model's scale, a weight may be off unnoticed: by less than 8p·2^40.

    F·T·2^g times that is more than 2^(b+21) for sums of b bits: it passes with little more than 2^-20, and
    twice as much with 2^-39.
    """
    return 8 * parameters << MASK_BITS


def models(scale: int = UPDATE_SCALE) -> tuple[list[list[int]], list[int]]:
    """Local models, and the next one as the exchange makes it: two divisions, both rounded down."""
    local = [[STREAM.bits(scale + 1) - (1 << scale) for _ in range(P)] for _ in range(TRAINERS)]
    masks = [STREAM.bits(UPDATE_SCALE + 70) for _ in range(P)]
    sums = [sum(column) for column in zip(*local, strict=True)]
    mean = [(a + mu) // DIVISOR - mu // DIVISOR for a, mu in zip(sums, masks, strict=True)]
    return local, mean


def ring_over(local: list[list[int]], model: list[int], **others) -> Ring:
    private = private_key(BITS)
    updates = [encrypted(private, one) for one in local]
    vector = checked_numbers(private.public_key, encrypted(private, model), updates, WIDTHS)
    return Ring(private, [vector], WIDTHS.sums, **others)


@given(st.lists(st.lists(st.integers(-(1 << 110), 1 << 110), min_size=P, max_size=P), min_size=2, max_size=3))
@settings(max_examples=10)
def test_the_checked_numbers_are_those_of_plain_integers(
    private_key: PrivateKey, local: list[list[int]]
) -> None:
    key, model = private_key.public_key, [5, -(1 << 64)]
    updates = [encrypted(private_key, one) for one in local]
    found = checked_numbers(key, encrypted(private_key, model), updates, WIDTHS)
    sums = [sum(column) for column in zip(*local, strict=True)]
    factor = (1 << WIDTHS.number_bits) // (len(local) << 40)
    expected = [factor * ((len(local) << 40) * x - one) for x, one in zip(model, sums, strict=True)]
    assert [key.signed(private_key.decrypt(one)) for one in found] == [*expected, *model]


def test_the_checked_numbers_are_the_same_ciphertexts_as_of_one_product_each(private_key: PrivateKey) -> None:
    key, local = private_key.public_key, [[3, -5], [1 << 90, 7], [-2, 1 << 100]]
    updates, model = [encrypted(private_key, one) for one in local], encrypted(private_key, [5, -(1 << 64)])
    factor = WIDTHS.factor(3)
    row = [3 * factor << 40, -factor, -factor, -factor]
    naive = [
        rows_of_powers([weight, *column], [row], key.n_squared)[0]
        for weight, *column in zip(model, *updates, strict=True)
    ]
    assert checked_numbers(key, model, updates, WIDTHS) == [*naive, *model]


@pytest.mark.parametrize(("parameters", "trainers"), [(1, 2), (2, 3), (11, 3), (31, 8), (64, 64), (101, 20)])
@pytest.mark.parametrize("weight_bits", [1, 6, 24])
def test_widths_hold_what_is_honest_and_the_accepted_deviation_is_beyond(
    parameters: int, trainers: int, weight_bits: int
) -> None:
    widths = NextModelWidths.fit(3072, parameters, weight_bits)
    bits = widths.sums.value_bits
    largest = 1 << widths.number_bits
    assert widths.factor(trainers) * (trainers << COEFFICIENT_SCALE) <= largest
    assert 2 * parameters * largest << COEFFICIENT_BITS <= 1 << bits
    # The mean of what range openings let pass, and one unit for each of two roundings.
    assert (1 << (range_bits(parameters, weight_bits) + DECIDED_BITS - COEFFICIENT_SCALE)) + 2 < largest
    rounded = trainers << COEFFICIENT_SCALE
    beyond = widths.factor(trainers) * (accepted_deviation(parameters) * rounded - rounded)
    assert beyond > (1 << (bits + 21)) + (1 << (bits - 17))
    assert accepted_deviation(parameters) / 2**MODEL_SCALE == 8 * parameters * 2.0 ** (
        MASK_BITS - MODEL_SCALE
    )


def test_the_mean_passes() -> None:
    for scale in (1, UPDATE_SCALE, UPDATE_SCALE + WEIGHT_BITS):
        assert ring_over(*models(scale)).verdicts() == [[], []]


def exchanged(private: PrivateKey, updates: list, *, lie: int = 0) -> list[mpz]:
    """The next model out of an exchange; the key's holder adds a lie to its first quotient."""
    key = private.public_key
    widths = MomentWidths.fit(
        key_bits=key.bits,
        parameters=P,
        trainers=TRAINERS,
        weights=1,
        weight_bits=WEIGHT_BITS,
        residual_bits=1,
    )
    sets, mask = (
        widths.sets(TRAINERS, Start.UNMEASURED),
        MomentMask.draw(key, TRAINERS * P, widths.request, STREAM),
    )
    request = moment_request(key, updates, widths, mask)
    answer = moment_answer(private, request, TRAINERS, sets, widths, STREAM)
    first, *others = answer.quotients
    answer = answer._replace(quotients=[key.add(first, key.lift(lie)), *others])
    blinder = ShortExponentBlinder(key, b"b" * 32)
    return next_model(key, answer, mask.digits(TRAINERS, widths), TRAINERS, blinder, STREAM)


def test_the_model_of_an_exchange_passes_and_that_of_a_false_answer_does_not() -> None:
    private, widths = private_key(1024), NextModelWidths.fit(1024, P, WEIGHT_BITS)
    key, (local, _) = private.public_key, models()
    updates = [encrypted(private, one) for one in local]
    for lie, expected in ((0, [[], []]), (1 << MODEL_SCALE, [[0], [0]])):
        numbers = checked_numbers(key, exchanged(private, updates, lie=lie), updates, widths)
        assert Ring(private, [numbers], widths.sums).verdicts() == expected


def test_twice_the_accepted_deviation_is_found_out_by_both_checkers() -> None:
    local, model = models()
    for place, sign in ((0, 1), (1, -1)):
        moved = list(model)
        moved[place] += sign * 2 * accepted_deviation(P)
        assert ring_over(local, moved).verdicts() == [[0], [0]]


def other_models(local: list[list[int]], model: list[int]):
    yield [5 << MODEL_SCALE, model[1]]
    yield [model[0] + (1 << WIDTHS.sums.layout.slot_bits), model[1]]
    yield [model[0], model[1] + int(private_key(BITS).public_key.n) // 5]
    yield [2 * one for one in model]
    yield local[0]


def test_any_other_model_is_found_out() -> None:
    local, model = models()
    for other in other_models(local, model):
        assert ring_over(local, other).verdicts() == [[0], [0]]


@pytest.mark.parametrize("step", [0, 1, 5 << 40])
def test_a_quotient_modulo_n_is_found_out_and_passes_where_only_differences_are_checked(step: int) -> None:
    """T·2^g·x̃′ = Σ θ + step modulo n, without a remainder, and x̃′ as long as n."""
    private, (local, model) = private_key(BITS), models()
    sums = [sum(column) for column in zip(*local, strict=True)]
    inverse = gmpy2.invert(DIVISOR, private.public_key.n)
    quotient = int((sums[0] + step) * inverse % private.public_key.n)
    other = [quotient, model[1]]
    ring = ring_over(local, other)
    assert ring.verdicts() == [[0], [0]]
    differences = Ring(private, [ring.vectors[0][:P]], WIDTHS.sums)
    assert differences.verdicts() == [[], []]
    assert quotient.bit_length() > BITS - 40


def cancelling(ring: Ring, rows, moved: int) -> tuple:
    """A share that takes out, under known vectors, what a weight's lie puts into the sums."""
    key, lie = ring.key, [FACTOR * moved * DIVISOR, 0, moved, 0]
    own = ring.own[Maker.AGGREGATOR].share.ciphertexts
    sums = random_sums(key, [key.lift(-one) for one in lie], rows, ring.widths)
    nothing = random_sums(key, [key.lift(0) for _ in lie], rows, ring.widths)
    offsets = [key.multiply(one, -1) for one in nothing]
    return tuple(key.add(*three) for three in zip(own, sums, offsets, strict=True))


LIE = 5 << MODEL_SCALE


def late_ring(unchecked: frozenset[Maker]) -> Ring:
    """The aggregator commits when the vectors are known, to a mask that hides its lie."""
    local, model = models()
    ring = ring_over(local, [model[0] + LIE, model[1]], unchecked=unchecked)
    ring.coefficients = draw_coefficients(STREAM, 2 * P)
    ring.forged[Maker.AGGREGATOR] = cancelling(ring, ring.coefficients, LIE)
    return ring


def test_a_mask_that_cancels_a_lie_is_not_the_one_committed_to() -> None:
    """The aggregator commits to an honest mask, waits for the nonces, and replaces it."""
    local, model = models()
    ring = ring_over(local, [model[0] + LIE, model[1]])
    ring.coefficients = ring.draw()
    ring.forged[Maker.AGGREGATOR] = cancelling(ring, ring.coefficients, LIE)
    with pytest.raises(ProtocolViolation) as refusal:
        _ = ring.product
    assert str(refusal.value) == "bad_share: the aggregator's is not the one committed to"


def test_a_mask_made_last_does_not_follow_from_its_seed_and_cancels_a_lie_where_none_is_shown() -> None:
    assert late_ring(frozenset()).refused() == "bad_share: the aggregator's seed makes other ciphertexts"
    assert late_ring(frozenset({Maker.FIRST_CHECKER})).verdicts() == [[], []]


def fitted_vector(rows, widths: SumWidths) -> list[int]:
    """Multiples of a whole slot that make nothing under the last coefficients of either plaintext."""
    (a, b, c), (d, e, f) = (rows[chunk.stop - 1] for chunk in widths.layout.chunks(VECTORS))
    return [one << widths.layout.slot_bits for one in (b * f - c * e, c * d - a * f, a * e - b * d)]


def test_a_vector_that_fits_the_coefficients_must_be_committed_to_before_they_are_known() -> None:
    private, widths = private_key(1024), SumWidths.fit(1024, 30)
    assert widths.plaintexts == 2
    rows = Ring(private, [encrypted(private, (0, 0, 0))], widths).draw()
    fitted = [encrypted(private, fitted_vector(rows, widths))]
    known = Ring(private, fitted, widths, coefficients=rows)
    assert known.verdicts() == [[], []]
    assert Ring(private, fitted, widths).verdicts() == [[0], [0]]
    # No nonce is shown before all have committed to the opening of the same.
    signed = dict(zip(Maker, known.commitments.all, strict=True))
    other = statement_digest(known.key, encrypted(private, (0, 0, 0)))
    signed[Maker.AGGREGATOR] = signed[Maker.AGGREGATOR]._replace(statement=other)
    with pytest.raises(ProtocolViolation) as refusal:
        Commitments.collect(known.context, Maker.FIRST_CHECKER, signed)
    assert str(refusal.value) == "bad_ring_commitment: the aggregator would open something else"


def test_a_nonce_that_is_chosen_last_steers_the_vectors_only_without_its_commitment() -> None:
    """Of 200 nonces one makes the first coefficient small; the one that was committed to is what counts."""
    private = private_key(BITS)
    ring = Ring(private, [encrypted(private, (0, 0))], WIDTHS.sums)
    nonces: dict[Maker, object] = {
        maker: ring.commitments.show_nonce(maker, ring.nonces[maker]) for maker in CHECKERS
    }
    smallest = 1 << COEFFICIENT_BITS
    for trial in range(200):
        nonce = trial.to_bytes(32, "big")
        chosen = {**nonces, Maker.SECOND_CHECKER: nonce}
        with pytest.raises(ProtocolViolation) as refusal:
            ring.commitments.chance(chosen)
        assert str(refusal.value) == "bad_nonce: the second checker's nonce is not the one committed to"
        smallest = min(smallest, steered(ring, chosen))
    assert smallest < 1 << (COEFFICIENT_BITS - 4)


def steered(ring: Ring, chosen: dict[Maker, object]) -> int:
    """The first coefficient, had the commitment been made to fit the nonce."""
    nonce = chosen[Maker.SECOND_CHECKER]
    assert isinstance(nonce, bytes)
    fitting: RingCommitment = ring.commitments.all[Maker.SECOND_CHECKER]._replace(
        nonce=nonce_digest(ring.context, Maker.SECOND_CHECKER, nonce)
    )
    free = Commitments(ring.context, (*ring.commitments.all[:2], fitting))
    return draw_coefficients(free.chance(chosen), P)[0][0]


def test_a_nonce_is_shown_once_and_only_the_one_committed_to() -> None:
    private = private_key(BITS)
    ring, other = (Ring(private, [encrypted(private, (0, 0))], WIDTHS.sums) for _ in range(2))
    with pytest.raises(
        MisuseError, match="this nonce is not committed to; show the one whose digest was signed"
    ):
        ring.commitments.show_nonce(Maker.FIRST_CHECKER, other.nonces[Maker.FIRST_CHECKER])
    assert len(ring.draw()) == VECTORS
    with pytest.raises(MisuseError, match="used already"):
        ring.draw()
