// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title The exact Shapley value of a round's T trainers, from q and c alone, in O(T).
/// @notice The same integers as contributions_fixed in protocol/learning/shapley.py. The coefficients depend on T
/// alone: they are computed once, × 2^104, each division rounding down; every value is divided once, toward zero.
/// Metrics below 2^128 and up to 256 trainers stay below 2^250, so nothing here can overflow.
library Shapley {
    uint256 private constant SCALE = 1 << 104;

    struct Coefficients {
        int256 own;
        int256 row;
        int256 rest;
        int256 outside;
    }

    function values(uint256 v0, uint256[] memory own, int256[] memory cross)
        internal
        pure
        returns (int256[] memory phi)
    {
        int256 trace;
        int256 total;
        for (uint256 i = 0; i < own.length; ++i) {
            trace += int256(own[i]);
            total += cross[i];
        }
        Coefficients memory factor = coefficients(own.length);
        int256 start = int256(v0 * SCALE);
        int256 divisor = int256(own.length * SCALE);
        phi = new int256[](own.length);
        for (uint256 i = 0; i < own.length; ++i) {
            int256 q = int256(own[i]);
            int256 row = cross[i] - q;
            int256 gained = factor.rest * (trace - q) + factor.outside * (total - trace - 2 * row);
            phi[i] = (start - factor.own * q - factor.row * row + gained) / divisor;
        }
    }

    /// How much q, its row, the other trainers' q and their cross terms weigh, over all sizes s of a coalition.
    function coefficients(uint256 count) internal pure returns (Coefficients memory) {
        uint256 own = SCALE;
        uint256 row;
        uint256 rest;
        uint256 outside;
        for (uint256 s = 1; s < count; ++s) {
            uint256 square = (s + 1) * (s + 1);
            own += SCALE / square;
            row += 2 * s * SCALE / square;
            rest += (2 * s + 1) * SCALE / (s * square);
            outside += (s - 1) * (2 * s + 1) * SCALE / (s * square);
        }
        uint256 pairs = count > 1 ? count - 1 : 1;
        uint256 triples = count > 2 ? pairs * (count - 2) : 1;
        return Coefficients(int256(own), int256(row / pairs), int256(rest / pairs), int256(outside / triples));
    }

    /// w_i = (best − left)⁺ · φ_i⁺ / Σφ⁺ of errors left: only ground never reached before is paid.
    function payWeights(uint256 best, uint256 left, int256[] memory phi)
        internal
        pure
        returns (uint256[] memory weights)
    {
        weights = new uint256[](phi.length);
        uint256 gain = best > left ? best - left : 0;
        uint256 total;
        for (uint256 i = 0; i < phi.length; ++i) {
            if (phi[i] > 0) total += uint256(phi[i]);
        }
        if (gain == 0 || total == 0) return weights;
        for (uint256 i = 0; i < phi.length; ++i) {
            // The product can pass 256 bits with metrics at their bound; the quotient never passes the gain.
            if (phi[i] > 0) weights[i] = Math.mulDiv(gain, uint256(phi[i]), total);
        }
    }

    /// Weights as shares of an error, × 1e18.
    function divide(uint256[] memory weights, uint256 first) internal pure {
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = Math.mulDiv(weights[i], 1e18, first);
        }
    }

    /// The first error times later/before of every round so far. A round's ratio is one set of validators' alone, so
    /// that rounds measured on other rows add up; as long as the set stays the same this is the error after the round.
    /// All three are below 2^128, so the product cannot overflow; before is not zero.
    function errorLeft(uint256 left, uint256 before, uint256 later) internal pure returns (uint256) {
        return left * later / before;
    }

    /// The share of the first error that is gone, between 0 and 1e18.
    function improvement(uint256 first, uint256 left) internal pure returns (uint256) {
        return left < first ? (first - left) * 1e18 / first : 0;
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
