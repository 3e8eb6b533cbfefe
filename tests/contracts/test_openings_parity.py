"""Openings in Solidity and in Python: one verdict on true and on false ones, in one call and in steps."""

import secrets
from dataclasses import replace

import gmpy2
import pytest

from protocol.crypto.opening import Opening, open_ciphertext, verify_openings
from protocol.crypto.paillier import PublicKey, generate_private_key
from protocol.crypto.randomness import Randomness
from services.chain.rpc.http import HttpRpc
from tests.support.chain.compiled import called

STEP_BITS = 128


@pytest.mark.parametrize("bits", [256, 512, 1024])
async def test_solidity_and_python_agree_on_openings(roomy_anvil_url, forge_output, bits):
    private_key, randomness = generate_private_key(bits), Randomness(secrets.token_bytes(32))
    key, compiled = private_key.public_key, forge_output("Checks.sol", "Checks")
    async with HttpRpc(roomy_anvil_url) as rpc:
        for plaintext in (0, 1, key.n - 1, randomness.bits(bits - 1)):
            ciphertext = private_key.encrypt(plaintext, randomness)
            opening = open_ciphertext(private_key, ciphertext)
            for shown in _versions(opening, key):
                expected = verify_openings(key, [ciphertext], [shown], randomness)
                arguments = [_encoded(key, ciphertext, shown), b"", 0, 2**255]
                _, steps, is_false = await called(rpc, compiled, "raise", arguments)
                assert (steps, is_false) == (bits // STEP_BITS, not expected)


async def test_solidity_and_python_raise_the_root_to_the_same_power_step_by_step(
    roomy_anvil_url, forge_output
):
    private_key, randomness = generate_private_key(512), Randomness(secrets.token_bytes(32))
    key, compiled = private_key.public_key, forge_output("Checks.sol", "Checks")
    ciphertext = private_key.encrypt(7, randomness)
    opening = open_ciphertext(private_key, ciphertext)
    power = b""
    async with HttpRpc(roomy_anvil_url) as rpc:
        for done in range(4):
            arguments = [_encoded(key, ciphertext, opening), power, done, 1]
            power, _, is_false = await called(rpc, compiled, "raise", arguments)
            exponent = key.n >> STEP_BITS * (3 - done)
            assert int.from_bytes(power) == gmpy2.powmod(opening.root, exponent, key.n_squared)
            assert not is_false


def _versions(opening: Opening, key: PublicKey) -> list[Opening]:
    """The opening, and three that are false."""
    return [
        opening,
        replace(opening, plaintext=(opening.plaintext + 1) % key.n),
        replace(opening, plaintext=opening.root),
        replace(opening, root=opening.root ^ 1 or 2),
    ]


def _encoded(key: PublicKey, ciphertext: int, opening: Opening) -> tuple:
    size = key.bits // 8
    widths = (size, 2 * size, size, size)
    numbers = (key.n, ciphertext, opening.plaintext, opening.root)
    return 1, 1, *(int(number).to_bytes(width) for number, width in zip(numbers, widths, strict=True))
