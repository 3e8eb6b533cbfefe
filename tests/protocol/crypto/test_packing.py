"""Packed values under a mask over the whole plaintext."""

from collections import Counter

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.packing import Mask, SlotLayout, add_mask, pack, pack_blinded, pack_plain, unpack
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, WidthError

STREAM = Randomness(bytes(32))
CARRY_BITS = 64


def layout_for(key: PublicKey, value_bits: int) -> SlotLayout:
    return SlotLayout.fit(key.bits, value_bits + 1 + CARRY_BITS, 1 << value_bits, CARRY_BITS)


@st.composite
def packed_values(draw: st.DrawFn) -> tuple[int, list[int]]:
    value_bits = draw(st.integers(1, 383))
    bound = 1 << value_bits
    value = st.one_of(st.sampled_from([-bound, bound - 1, 0, -1]), st.integers(-bound, bound - 1))
    return value_bits, draw(st.lists(value, min_size=1, max_size=9))


@given(packed_values(), st.binary(min_size=32, max_size=32))
def test_values_come_back_from_under_their_masks(
    private_key: PrivateKey, case: tuple[int, list[int]], seed: bytes
) -> None:
    value_bits, values = case
    key = private_key.public_key
    layout = layout_for(key, value_bits)
    ciphertexts = [private_key.encrypt(value, STREAM) for value in values]
    mask = Mask.draw(key, layout.plaintexts(len(values)), Randomness(seed))
    masked = add_mask(key, pack(key, ciphertexts, layout), mask)
    seen = unpack([int(private_key.decrypt(c)) for c in masked], len(values), layout)
    digits = mask.digits(len(values), layout)
    assert [u - d for u, d in zip(seen, digits, strict=True)] == values


@given(packed_values())
def test_without_mask_the_slots_hold_value_and_offset(
    private_key: PrivateKey, case: tuple[int, list[int]]
) -> None:
    value_bits, values = case
    key = private_key.public_key
    layout = layout_for(key, value_bits)
    packed = pack(key, [private_key.encrypt(value, STREAM) for value in values], layout)
    plaintexts = [int(private_key.decrypt(c)) for c in packed]
    for plaintext, chunk in zip(plaintexts, layout.chunks(len(values)), strict=True):
        members = [value + layout.offset for value in values[chunk]]
        assert plaintext == pack_plain(members, layout)
        assert plaintext.bit_length() <= key.bits - CARRY_BITS
    assert unpack(plaintexts, len(values), layout) == [value + layout.offset for value in values]


@given(st.lists(st.integers(0, (1 << 70) - 1), max_size=20), st.integers(1, 7))
def test_plain_packing_is_undone(values: list[int], per_plaintext: int) -> None:
    layout = SlotLayout(70, 0, per_plaintext)
    chunks = layout.chunks(len(values))
    assert layout.plaintexts(len(values)) == len(chunks)
    assert unpack([pack_plain(values[c], layout) for c in chunks], len(values), layout) == values


def test_the_masked_plaintext_is_the_value_plus_rho(private_key: PrivateKey) -> None:
    # ρ is added to the whole plaintext modulo n: also a value far above its slot stays hidden.
    key = private_key.public_key
    layout = layout_for(key, 60)
    oversized = 1 << 400
    packed = pack(key, [private_key.encrypt(oversized, STREAM)], layout)
    mask = Mask.draw(key, 1, STREAM)
    (masked,) = add_mask(key, packed, mask)
    assert private_key.decrypt(masked) == (oversized + layout.offset + mask.rhos[0]) % key.n


def test_masks_are_uniform_over_all_plaintexts() -> None:
    # With every ρ in 0 … n − 1 equally likely, what the key's holder sees does not depend on the value.
    key = PublicKey(35)
    counts = Counter(Mask.draw(key, 1, STREAM).rhos[0] for _ in range(7000))
    assert set(counts) == set(range(35))
    assert sum((counts[rho] - 200) ** 2 / 200 for rho in range(35)) < 78  # 0.99998 quantile, 34 degrees


def test_masks_reach_the_top_of_a_real_key(key: PublicKey) -> None:
    rhos = Mask.draw(key, 400, STREAM).rhos
    assert max(rhos) > key.n * 95 // 100
    assert min(rhos) < key.n * 5 // 100
    assert len(set(rhos)) == 400


def test_mask_digits_are_those_of_rho_plus_the_offset() -> None:
    layout = SlotLayout(8, 3, 2)
    assert Mask((0x1234, 0xABCDEF)).digits(3, layout) == [0x34 + 3, 0x12 + 3, 0xEF + 3]


def test_repr_hides_the_masks(key: PublicKey) -> None:
    mask = Mask.draw(key, 2, STREAM)
    assert repr(mask) == "Mask()"


@pytest.mark.parametrize(("slot_bits", "fits"), [(448, 1), (224, 2), (225, 1), (149, 3)])
def test_as_many_slots_as_the_spare_bits_leave(slot_bits: int, fits: int) -> None:
    assert SlotLayout.fit(512, slot_bits, 0, 64).per_plaintext == fits


def test_a_value_wider_than_the_key_is_refused_with_the_numbers() -> None:
    with pytest.raises(WidthError, match=r"449 bits and 64 spare ones, but the key has 512.*longer key"):
        SlotLayout.fit(512, 449, 0, 64)


def test_a_mask_for_another_number_of_plaintexts_is_refused(key: PublicKey) -> None:
    with pytest.raises(MisuseError, match="1 masks for 2 plaintexts"):
        add_mask(key, [mpz(1), mpz(1)], Mask((5,)))


def test_the_first_value_lies_lowest(private_key: PrivateKey) -> None:
    layout = SlotLayout(100, 0, 4)
    ciphertexts = [private_key.encrypt(value, STREAM) for value in (1, 2, 3)]
    (packed,) = pack(private_key.public_key, ciphertexts, layout)
    assert private_key.decrypt(packed) == 1 + (2 << 100) + (3 << 200)


def test_packing_and_blinding_in_one_chain_makes_the_same_bytes(private_key: PrivateKey) -> None:
    key, stream = private_key.public_key, Randomness(b"b" * 32)
    layout = SlotLayout(40, 7, 4)
    ciphertexts = [private_key.encrypt(value, stream) for value in range(10)]
    mask, roots = Mask.draw(key, 3, stream), [stream.unit(key.n) for _ in range(3)]
    apart = add_mask(key, pack(key, ciphertexts, layout), mask)
    blinded = [
        one * gmpy2.powmod(root, key.n, key.n_squared) % key.n_squared
        for one, root in zip(apart, roots, strict=True)
    ]
    assert pack_blinded(key, ciphertexts, layout, mask, roots) == blinded
