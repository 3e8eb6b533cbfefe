"""How much of an opening's check the contract is asked for in one transaction."""

from protocol.accusations import SignedOpening

_MOST_GAS = 12_000_000
"""Of the precompile's; no transaction may have more than 2²⁴ gas in all (EIP-7825)."""

_SQUARINGS = 16 * 8 + 16 * 8 + 3
"""Multiplications of a step: of the root by 128 bits, of the power so far by 2¹²⁸, and of the two."""

_WORD = 8


def steps_in_a_call(opening: SignedOpening) -> int:
    """As many steps as a transaction can afford, one at least."""
    return max(1, _MOST_GAS // gas_of_step(opening))


def gas_of_step(opening: SignedOpening) -> int:
    """What the precompile alone takes for a step, at the price of EIP-7883."""
    words = len(opening.ciphertext) // _WORD
    return _SQUARINGS * 2 * words * words
