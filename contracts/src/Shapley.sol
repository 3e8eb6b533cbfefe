// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title The exact Shapley value of a round's trainers, from q and c alone, in O(T²) additions and divisions.
/// @notice The same integers as contributions_fixed in protocol/learning/shapley.py: int256 × 1e18, one division per
/// term rounding toward zero, terms in the order of s, the sum divided by T last.
library Shapley {
    function values(uint256 v0, uint256[] memory own, int256[] memory cross)
        internal
        pure
        returns (int256[] memory phi)
    {
        int256 count = int256(own.length);
        int256 trace;
        int256 total;
        for (uint256 i = 0; i < own.length; ++i) {
            trace += int256(own[i]);
            total += cross[i];
        }
        int256 triples = count > 2 ? count - 2 : int256(1);
        int256 denominator = (count > 1 ? count - 1 : int256(1)) * triples;
        phi = new int256[](own.length);
        for (uint256 i = 0; i < own.length; ++i) {
            int256 q = int256(own[i]);
            int256 row = cross[i] - q;
            int256 rest = trace - q;
            int256 outside = total - trace - 2 * row;
            int256 value = int256(v0);
            for (int256 s = 0; s < count; ++s) {
                int256 p = s * triples;
                int256 common = p * rest + s * (s - 1) * outside;
                value -= (q * denominator + 2 * p * row + common) / (denominator * (s + 1) * (s + 1));
                if (s > 0) value += common / (denominator * s * s);
            }
            phi[i] = value / count;
        }
    }

    /// w_i = (best − reached)⁺ · φ_i⁺ / Σφ⁺: only ground never reached before is paid.
    function payWeights(uint256 best, uint256 reached, int256[] memory phi)
        internal
        pure
        returns (uint256[] memory weights)
    {
        weights = new uint256[](phi.length);
        uint256 gain = best > reached ? best - reached : 0;
        uint256 total;
        for (uint256 i = 0; i < phi.length; ++i) {
            if (phi[i] > 0) total += uint256(phi[i]);
        }
        if (total == 0) return weights;
        for (uint256 i = 0; i < phi.length; ++i) {
            if (phi[i] > 0) weights[i] = gain * uint256(phi[i]) / total;
        }
    }

    /// The error of the average, Σc/T².
    function mseAfter(int256[] memory cross) internal pure returns (int256) {
        int256 total;
        for (uint256 i = 0; i < cross.length; ++i) {
            total += cross[i];
        }
        int256 count = int256(cross.length);
        return total / (count * count);
    }
}
