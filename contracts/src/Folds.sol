// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title Who validates: a part of the owners throughout, or each of several folds in its turn.
abstract contract Folds {
    /// @notice The validators of a round, as a mask, of a Fisher–Yates shuffle of the n seats in another.
    /// @param mask the seats, two for each fold at least
    /// @param seed what the shuffle follows from
    /// @param folds with one the first max(2, 0.3·n rounded half up) seats validate; with K of them fold k has those from
    /// k·n/K on up to the next one's, so that each seat validates in one fold
    /// @param rounds of all folds together
    /// @param round from 1; others count as the first or the last one
    function validatorsOf(uint256 mask, bytes32 seed, uint256 folds, uint256 rounds, uint256 round)
        external
        pure
        returns (uint256 validators)
    {
        uint256[] memory order = _shuffled(mask, seed);
        uint256 owners = order.length;
        uint256 fold = round == 0 ? 0 : (round - 1) / (rounds / folds);
        if (fold >= folds) fold = folds - 1;
        uint256 until = folds == 1 ? (3 * owners + 5) / 10 : (fold + 1) * owners / folds;
        if (until < 2) until = 2;
        for (uint256 i = fold * owners / folds; i < until; ++i) {
            validators |= 1 << order[i];
        }
    }

    function _shuffled(uint256 mask, bytes32 seed) private pure returns (uint256[] memory order) {
        uint256[] memory seats = new uint256[](256);
        uint256 owners;
        for (uint256 seat = 0; seat < 256; ++seat) {
            if ((mask >> seat) & 1 == 1) seats[owners++] = seat;
        }
        order = new uint256[](owners);
        for (uint256 i = 0; i < owners; ++i) {
            order[i] = seats[i];
        }
        for (uint256 i = owners - 1; i > 0; --i) {
            uint256 j = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }
}
