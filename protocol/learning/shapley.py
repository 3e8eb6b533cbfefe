"""The exact Shapley value of a round at the cost of T evaluations, in floats and in the contract's integers.

The game: v(S) = −MSE(mean of the local models in S), v(∅) = −v₀. The MSE of a mean of models is a quadratic
form in K = (⟨r_s, r_t⟩), so averaging it over all coalitions of a size needs only the diagonal q and the row
sums c of K. With row_i = c_i − q_i, D_i = Σq − q_i and O_i = Σc − Σq − 2·row_i:

    T·φ_i = v₀ − Σ_{s<T} (q_i + 2p_s·row_i + p_s·D_i + h_s·O_i)/(s+1)² + Σ_{1≤s<T} (p_s·D_i + h_s·O_i)/s²

where p_s = s/(T−1) and h_s = s(s−1)/((T−1)(T−2)), zero where the denominator is. Gathered by q, row, D and O,
the sums over s are four coefficients; in them 1/s² − 1/(s+1)² = (2s+1)/(s(s+1))².
"""

from collections.abc import Sequence

_SCALE = 1 << 104


def contributions(v0: float, own: Sequence[float], cross: Sequence[float]) -> list[float]:
    """φ of each of T trainers; they add up to v₀ − Σc/T²."""
    count, trace, total = len(own), sum(own), sum(cross)
    result: list[float] = []
    for q, c in zip(own, cross, strict=True):
        row, rest = c - q, trace - q
        outside = total - trace - 2 * row
        phi = v0
        for s in range(count):
            p = s / (count - 1) if count > 1 else 0.0
            h = s * (s - 1) / ((count - 1) * (count - 2)) if count > 2 else 0.0
            phi -= (q + 2 * p * row + p * rest + h * outside) / (s + 1) ** 2
            if s:
                phi += (p * rest + h * outside) / s**2
        result.append(phi / count)
    return result


def contributions_fixed(v0: int, own: Sequence[int], cross: Sequence[int]) -> list[int]:
    """φ in the contract's integers (× 1e18), bit for bit as `Shapley.sol` computes them.

    Metrics are below 2^128, as the contract demands; each φ is within T units of the exact rational value
    while they are below 2^100, and within T·2^-100 of their size above.
    """
    count, trace, total = len(own), sum(own), sum(cross)
    of_own, of_row, of_rest, of_outside = _coefficients_fixed(count)
    result: list[int] = []
    for q, c in zip(own, cross, strict=True):
        row = c - q
        gained = of_rest * (trace - q) + of_outside * (total - trace - 2 * row)
        result.append(truncated(v0 * _SCALE - of_own * q - of_row * row + gained, count * _SCALE))
    return result


def _coefficients_fixed(count: int) -> tuple[int, int, int, int]:
    """The sums over s of the formula above, × 2^104: they depend on T alone, so O(T) serves all trainers."""
    own, row, rest, outside = _SCALE, 0, 0, 0
    for s in range(1, count):
        square = (s + 1) ** 2
        own += _SCALE // square
        row += 2 * s * _SCALE // square
        rest += (2 * s + 1) * _SCALE // (s * square)
        outside += (s - 1) * (2 * s + 1) * _SCALE // (s * square)
    pairs = max(count - 1, 1)
    return own, row // pairs, rest // pairs, outside // (pairs * max(count - 2, 1))


def mse_after_fixed(cross: Sequence[int], trainers: int) -> int:
    """The error of the average, Σc/T², rounding toward zero (× 1e18)."""
    return truncated(sum(cross), trainers**2)


def truncated(numerator: int, denominator: int) -> int:
    """Division rounding toward zero, as Solidity's."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient
