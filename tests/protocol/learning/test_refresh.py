"""The refresh against exact averages, and what its middle station sees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.packing import pack_plain
from protocol.crypto.paillier import PrivateKey
from protocol.crypto.randomness import Randomness
from protocol.learning.refresh import mask_updates, refresh_model, unmask_model
from protocol.learning.scales import UPDATE_SCALE
from protocol.learning.widths import Widths

WEIGHT_BITS = 8
LIMIT = 1 << (UPDATE_SCALE + WEIGHT_BITS)


def widths_for(private_key: PrivateKey, parameters: int, trainers: int) -> Widths:
    return Widths.fit(
        key_bits=private_key.public_key.bits,
        parameters=parameters,
        trainers=trainers,
        validators=2,
        weight_bits=WEIGHT_BITS,
        residual_bits=8,
        rows=100,
    )


@st.composite
def updates(draw: st.DrawFn) -> list[list[int]]:
    parameters = draw(st.integers(1, 5))
    entry = st.one_of(st.sampled_from([-LIMIT, LIMIT, 0, -1, 1]), st.integers(-LIMIT, LIMIT))
    update = st.lists(entry, min_size=parameters, max_size=parameters)
    return draw(st.lists(update, min_size=2, max_size=5))


@settings(max_examples=60)
@given(values=updates(), seed=st.binary(min_size=32, max_size=32))
def test_the_new_model_is_the_average_to_one_unit(
    private_key: PrivateKey, values: list[list[int]], seed: bytes
) -> None:
    key, stream = private_key.public_key, Randomness(seed)
    widths = widths_for(private_key, len(values[0]), len(values))
    encrypted = [[private_key.encrypt(x, stream) for x in update] for update in values]
    masked, mask = mask_updates(key, encrypted, widths, stream)
    divisor = widths.divisor(len(values))
    refreshed = refresh_model(private_key, masked, len(values[0]), divisor, widths, stream)
    blinder = ShortExponentBlinder(key, bytes(32))
    model = unmask_model(key, refreshed, mask, divisor, widths, blinder, stream)
    for ciphertext, column in zip(model, zip(*values, strict=True), strict=True):
        # Average and model in units of 2^-64: the update scale's further 2^40 is in the divisor.
        floor = sum(column) // divisor
        assert key.signed(private_key.decrypt(ciphertext)) in {floor, floor + 1}


@pytest.mark.parametrize("oversized", [3, LIMIT << 200])
def test_the_buyer_sees_the_sum_under_rho_alone(private_key: PrivateKey, oversized: int) -> None:
    key, stream = private_key.public_key, Randomness(bytes(32))
    widths = widths_for(private_key, 2, 2)
    encrypted = [[private_key.encrypt(x, stream) for x in (oversized, 4)] for _ in range(2)]
    masked, mask = mask_updates(key, encrypted, widths, stream)
    offset = widths.refresh.offset
    packed = pack_plain([2 * oversized + offset, 8 + offset], widths.refresh)
    assert private_key.decrypt(masked[0]) == (packed + mask.rhos[0]) % key.n


def test_masks_and_randomisers_are_fresh(private_key: PrivateKey) -> None:
    key = private_key.public_key
    widths = widths_for(private_key, 2, 2)
    encrypted = [[key.lift(x) for x in (1, 2)] for _ in range(2)]
    runs = [mask_updates(key, encrypted, widths, Randomness(bytes([i]) * 32)) for i in range(10)]
    assert len({mask.rhos for _, mask in runs}) == 10
    assert len({masked[0] for masked, _ in runs}) == 10
    # The mask alone would be lift(packed + ρ): recognisable without a key, hence the n-th power on top.
    assert all(masked[0] % key.n != 1 for masked, _ in runs)
    blinders = [ShortExponentBlinder(key, bytes(32))] * 2
    _, mask = runs[0]
    refreshed = [key.lift(5), key.lift(6)]
    models = [
        unmask_model(key, refreshed, mask, widths.divisor(2), widths, blinder, Randomness(bytes([i]) * 32))
        for i, blinder in enumerate(blinders)
    ]
    assert not set(models[0]) & set(models[1])
