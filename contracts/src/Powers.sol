// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "./IMarketplace.sol";

/// @title Arithmetic modulo large odd numbers, by the modexp precompile (EIP-198) as far as it goes.
/// @notice Numbers are words of 256 bits, the highest first; those of one call have equally many, 32 at most (EIP-7823).
library Powers {
    uint256 private constant MODEXP = 5;

    /// The number that big-endian bytes, a multiple of 32, stand for, as so many words: those missing are zero.
    function read(bytes calldata data, uint256 words) internal pure returns (uint256[] memory number) {
        number = new uint256[](words);
        uint256 given = data.length / 32;
        for (uint256 i = 0; i < given; ++i) {
            number[words - given + i] = uint256(bytes32(data[32 * i:]));
        }
    }

    /// base^exponent mod modulus, or a revert: too little gas must show nothing about the result.
    function power(uint256[] memory base, bytes memory exponent, uint256[] memory modulus)
        internal
        view
        returns (uint256[] memory result)
    {
        uint256 length = 32 * modulus.length;
        bytes memory input = abi.encodePacked(32 * base.length, exponent.length, length, base, exponent, modulus);
        result = new uint256[](modulus.length);
        bool succeeded;
        assembly ("memory-safe") {
            succeeded := staticcall(gas(), MODEXP, add(input, 0x20), mload(input), add(result, 0x20), length)
            succeeded := and(succeeded, eq(returndatasize(), length))
        }
        if (!succeeded) revert IMarketplace.Marketplace_PowerFailed();
    }

    /// n², in twice as many words: modulo the largest number that fits, which it is below.
    function square(uint256[] memory number) internal view returns (uint256[] memory) {
        uint256[] memory largest = new uint256[](2 * number.length);
        for (uint256 i = 0; i < largest.length; ++i) {
            largest[i] = type(uint256).max;
        }
        return _squareModulo(number, largest);
    }

    /// a·b modulo an odd number that both are below: ((a + b)² − (a − b)²)/4.
    function multiply(uint256[] memory a, uint256[] memory b, uint256[] memory modulus)
        internal
        view
        returns (uint256[] memory)
    {
        (uint256[] memory sum, uint256 carry) = _add(a, b);
        (uint256[] memory reduced, uint256 borrow) = _subtract(sum, modulus);
        if (carry == 1 || borrow == 0) sum = reduced;
        uint256[] memory difference = _subtractModulo(a, b, modulus);
        uint256[] memory squares =
            _subtractModulo(_squareModulo(sum, modulus), _squareModulo(difference, modulus), modulus);
        return _halve(_halve(squares, modulus), modulus);
    }

    function increase(uint256[] memory number) internal pure returns (uint256[] memory increased) {
        uint256[] memory one = new uint256[](number.length);
        one[one.length - 1] = 1;
        (increased,) = _add(number, one);
    }

    function isBelow(uint256[] memory a, uint256[] memory b) internal pure returns (bool) {
        (, uint256 borrow) = _subtract(a, b);
        return borrow == 1;
    }

    function isEqual(uint256[] memory a, uint256[] memory b) internal pure returns (bool) {
        return keccak256(abi.encodePacked(a)) == keccak256(abi.encodePacked(b));
    }

    function _squareModulo(uint256[] memory number, uint256[] memory modulus) private view returns (uint256[] memory) {
        return power(number, hex"02", modulus);
    }

    function _subtractModulo(uint256[] memory a, uint256[] memory b, uint256[] memory modulus)
        private
        pure
        returns (uint256[] memory difference)
    {
        uint256 borrow;
        (difference, borrow) = _subtract(a, b);
        if (borrow == 1) (difference,) = _add(difference, modulus);
    }

    /// Half of a number, or of its sum with the odd modulus, whichever is even.
    function _halve(uint256[] memory number, uint256[] memory modulus) private pure returns (uint256[] memory half) {
        uint256 carry;
        half = number;
        if (number[number.length - 1] & 1 == 1) (half, carry) = _add(number, modulus);
        for (uint256 i = 0; i < half.length; ++i) {
            uint256 word = half[i];
            half[i] = (carry << 255) | (word >> 1);
            carry = word & 1;
        }
    }

    function _add(uint256[] memory a, uint256[] memory b)
        private
        pure
        returns (uint256[] memory sum, uint256 carry)
    {
        sum = new uint256[](a.length);
        unchecked {
            for (uint256 i = a.length; i > 0; --i) {
                uint256 partialSum = a[i - 1] + b[i - 1];
                uint256 word = partialSum + carry;
                carry = partialSum < a[i - 1] || word < partialSum ? 1 : 0;
                sum[i - 1] = word;
            }
        }
    }

    function _subtract(uint256[] memory a, uint256[] memory b)
        private
        pure
        returns (uint256[] memory difference, uint256 borrow)
    {
        difference = new uint256[](a.length);
        unchecked {
            for (uint256 i = a.length; i > 0; --i) {
                uint256 word = a[i - 1] - b[i - 1];
                difference[i - 1] = word - borrow;
                borrow = a[i - 1] < b[i - 1] || word < borrow ? 1 : 0;
            }
        }
    }
}
