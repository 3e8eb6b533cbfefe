// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "./IMarketplace.sol";
import {Powers} from "./Powers.sol";

/// @title Whether a Paillier opening c = (1 + m·n)·rⁿ mod n² is true, a few bits of the exponent n at a time.
/// @notice Since EIP-7883 no transaction can afford rⁿ as a whole; an exponent of 32 bytes or fewer has no surcharge.
abstract contract Openings {
    /// Of the exponent, in a step: with a modulus of 4096 bits one still fits a transaction (EIP-7825).
    uint256 private constant STEP_BYTES = 16;
    uint256 private constant MOST_BYTES = 512;

    /// @notice Takes rⁿ so many steps further, and compares at the last one.
    /// @param opening see IMarketplace; reverts where its fields cannot be those of an opening
    /// @param power r^(the bits of n in the steps done), empty before the first
    /// @param done so many steps
    /// @param steps to take at most
    /// @return raised the power after them
    /// @return all how many steps there are
    /// @return isFalse whether the opening is shown to be false, which it is not before the last step
    function raise(IMarketplace.Opening calldata opening, bytes calldata power, uint256 done, uint256 steps)
        external
        view
        returns (bytes memory raised, uint256 all, bool isFalse)
    {
        uint256[] memory squared = _check(opening);
        all = opening.modulus.length / STEP_BYTES;
        uint256 until = steps < all - done ? done + steps : all;
        uint256[] memory reached = _raise(opening, squared, Powers.read(power, squared.length), done, until);
        return (abi.encodePacked(reached), all, until == all && _isFalse(opening, squared, reached));
    }

    function _check(IMarketplace.Opening calldata opening) private view returns (uint256[] memory squared) {
        uint256 length = opening.modulus.length;
        if (length == 0 || length > MOST_BYTES || length % 32 != 0 || uint8(opening.modulus[length - 1]) % 2 == 0) {
            revert IMarketplace.Marketplace_InvalidOpening("modulus");
        }
        uint256 words = length / 32;
        uint256[] memory modulus = Powers.read(opening.modulus, words);
        squared = Powers.square(modulus);
        if (!_isBelow(opening.ciphertext, squared)) revert IMarketplace.Marketplace_InvalidOpening("ciphertext");
        if (!_isBelow(opening.plaintext, modulus)) revert IMarketplace.Marketplace_InvalidOpening("plaintext");
        bool valid = _isBelow(opening.root, modulus)
            && !Powers.isEqual(Powers.read(opening.root, words), new uint256[](words));
        if (!valid) revert IMarketplace.Marketplace_InvalidOpening("root");
    }

    function _raise(
        IMarketplace.Opening calldata opening,
        uint256[] memory squared,
        uint256[] memory power,
        uint256 done,
        uint256 until
    ) private view returns (uint256[] memory) {
        uint256[] memory root = Powers.read(opening.root, squared.length);
        bytes memory shift = abi.encodePacked(bytes17(bytes1(0x01)));
        for (uint256 step = done; step < until; ++step) {
            bytes calldata bits = opening.modulus[STEP_BYTES * step:STEP_BYTES * (step + 1)];
            uint256[] memory factor = Powers.power(root, bits, squared);
            power = step == 0 ? factor : Powers.multiply(Powers.power(power, shift, squared), factor, squared);
        }
        return power;
    }

    function _isFalse(IMarketplace.Opening calldata opening, uint256[] memory squared, uint256[] memory power)
        private
        view
        returns (bool)
    {
        uint256 words = squared.length;
        uint256[] memory product =
            Powers.multiply(Powers.read(opening.plaintext, words), Powers.read(opening.modulus, words), squared);
        uint256[] memory expected = Powers.multiply(Powers.increase(product), power, squared);
        return !Powers.isEqual(expected, Powers.read(opening.ciphertext, words));
    }

    /// A number in as many bytes as the bound, and below it.
    function _isBelow(bytes calldata data, uint256[] memory bound) private pure returns (bool) {
        return data.length == 32 * bound.length && Powers.isBelow(Powers.read(data, bound.length), bound);
    }
}
