"""Proof that both factors of a modulus are large, without showing them.

Statement: n = p·q with |p|, |q| < 2^(bits/2 + CHALLENGE_BITS + SLACK_BITS + 1), so that each is above
2^(bits/2 − 194). Protocol: P = g^p·h^μ and Q = g^q·h^ν commit to the factors; a proof of knowledge shows both
with bounded responses, and Q^p·h^ρ = g^n shows that they multiply to n (R. Canetti and others, "UC
non-interactive, proactive, threshold ECDSA", figure 28), made non-interactive by Fiat and Shamir.
Extraction: two accepted answers to one commitment with different challenges give p and q, unless their maker
can take roots modulo RSA-2048. The factors stay hidden statistically: masks are `SLACK_BITS` wider than what
they hide, and all of them are non-negative, so that no sign has to travel.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.commitment_group import RSA_2048
from protocol.crypto.elements import are_units
from protocol.crypto.paillier import PrivateKey, PublicKey
from protocol.crypto.randomness import Randomness

CHALLENGE_BITS = 128
SLACK_BITS = 64
NUMBERS = 11
"""How many numbers a proof has."""

_MODULUS, _HIDDEN = RSA_2048.modulus, RSA_2048.exponent_bits
_G, _H = RSA_2048.generator(b"factor"), RSA_2048.generator(b"hiding")
_WIDER = CHALLENGE_BITS + SLACK_BITS


@dataclass(frozen=True, slots=True)
class Commitments:
    """What a prover says first: the factors, their masks and the product's, each under a randomiser."""

    p: mpz
    q: mpz
    p_mask: mpz
    q_mask: mpz
    product_mask: mpz
    product_hiding: mpz

    def challenge(self, key: PublicKey) -> int:
        """Hashed from the modulus and everything that was said before."""
        parts = [b"deltaml factor sizes", key.to_bytes(), *(str(part).encode() for part in astuple(self))]
        return int.from_bytes(keccak(b"".join(map(keccak, parts)))[: CHALLENGE_BITS // 8], "big")


@dataclass(frozen=True, slots=True)
class _Masks:
    """What hides the factors: known to the key's holder alone, drawn from the key and never kept."""

    p: int = field(repr=False)
    q: int = field(repr=False)
    p_hiding: int = field(repr=False)
    q_hiding: int = field(repr=False)
    product: int = field(repr=False)


def prove_factor_sizes(private_key: PrivateKey) -> list[mpz]:
    """The proof's `NUMBERS` non-negative numbers; the same for a key each time.

    They are drawn from the key, so that one commitment never meets two challenges: that would give the
    factors away.
    """
    p, q, key = private_key.p, private_key.q, private_key.public_key
    stream = Randomness(keccak(b"deltaml factor masks" + private_key.to_bytes()))
    p_hiding, q_hiding = stream.bits(_HIDDEN), stream.bits(_HIDDEN)
    product_hiding = stream.bits(_HIDDEN + key.bits)
    half = key.bits // 2 + _WIDER
    masks = _Masks(
        stream.bits(half),
        stream.bits(half),
        stream.bits(_HIDDEN + _WIDER),
        stream.bits(_HIDDEN + _WIDER),
        stream.bits(_HIDDEN + key.bits + _WIDER),
    )
    committed_q = _commit(q, q_hiding)
    commitments = Commitments(
        _commit(p, p_hiding),
        committed_q,
        _commit(masks.p, masks.p_hiding),
        _commit(masks.q, masks.q_hiding),
        _power(committed_q, masks.p) * _power(_H, masks.product) % _MODULUS,
        mpz(product_hiding),
    )
    challenge = commitments.challenge(key)
    return [
        *astuple(commitments),
        mpz(masks.p + challenge * p),
        mpz(masks.q + challenge * q),
        mpz(masks.p_hiding + challenge * p_hiding),
        mpz(masks.q_hiding + challenge * q_hiding),
        mpz(masks.product + challenge * (product_hiding - q_hiding * p)),
    ]


def has_large_factors(key: PublicKey, proof: Sequence[mpz]) -> bool:
    """Whether the proof holds; whatever numbers it has, it takes no longer than an honest one."""
    if len(proof) != NUMBERS or not _in_range(key, proof):
        return False
    commitments = Commitments(*proof[:6])
    return equations_hold(key, commitments, proof[6:], commitments.challenge(key))


def equations_hold(key: PublicKey, commitments: Commitments, answers: Sequence[mpz], challenge: int) -> bool:
    """Whether five answers fit the commitments under a challenge: the interactive proof's check."""
    p_answer, q_answer, p_hiding, q_hiding, product = answers
    shown = (
        _commit(p_answer, p_hiding),
        _commit(q_answer, q_hiding),
        _power(commitments.q, p_answer) * _power(_H, product) % _MODULUS,
    )
    masks = (commitments.p_mask, commitments.q_mask, commitments.product_mask)
    committed = (commitments.p, commitments.q, _commit(key.n, commitments.product_hiding))
    return all(
        left == mask * _power(base, challenge) % _MODULUS
        for left, mask, base in zip(shown, masks, committed, strict=True)
    )


def _in_range(key: PublicKey, proof: Sequence[mpz]) -> bool:
    """Responses within their bounds: this is what says that the factors are large."""
    half = key.bits // 2 + _WIDER + 1
    hiding = _HIDDEN + _WIDER + 1
    widths = (_HIDDEN + key.bits, half, half, hiding, hiding, hiding + key.bits)
    elements, numbers = proof[:5], proof[5:]
    if not are_units(elements, _MODULUS):
        return False
    return all(0 <= number < mpz(1) << width for number, width in zip(numbers, widths, strict=True))


def _commit(value: int | mpz, hiding: int | mpz) -> mpz:
    return _power(_G, value) * _power(_H, hiding) % _MODULUS


def _power(base: mpz, exponent: int | mpz) -> mpz:
    return gmpy2.powmod(base, exponent, _MODULUS)
