// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {Powers} from "../src/Powers.sol";
import {OpeningTest} from "./support/OpeningTest.sol";

/// Large numbers against the chain's own arithmetic and against laws of powers.
contract PowersTest is OpeningTest {
    function testFuzz_WhenNumbersOfOneWordAreMultiplied(uint256 a, uint256 b, uint256 modulus) external view {
        modulus |= 1;
        (a, b) = (a % modulus, b % modulus);
        uint256[] memory product = Powers.multiply(one(a), one(b), one(modulus));
        vm.assertEq(product[0], mulmod(a, b, modulus), "product");
    }

    function testFuzz_WhenPowersOfOneBaseAreMultiplied(uint256 seed) external view {
        uint256 words = 1 + seed % 5;
        uint256[] memory modulus = residue(seed, words);
        modulus[words - 1] |= 1;
        uint256[] memory base = residue(seed >> 1, words);
        (uint128 x, uint128 y) = (uint128(seed >> 8), uint128(seed >> 100));
        uint256[] memory product = Powers.multiply(
            Powers.power(base, abi.encodePacked(x), modulus), Powers.power(base, abi.encodePacked(y), modulus), modulus
        );
        bytes memory sum = abi.encodePacked(uint256(x) + y);
        vm.assertTrue(Powers.isEqual(product, Powers.power(base, sum, modulus)), "exponents add up");
    }

    function testFuzz_WhenANumberIsSquaredAsAWhole(uint256 a) external view {
        uint256[] memory square = Powers.square(one(a));
        uint256 most = type(uint256).max;
        unchecked {
            vm.assertEq(square[1], a * a, "the lower word");
            // a² modulo 2^256 − 1 is the sum of both words.
            vm.assertEq(addmod(square[0], square[1], most), mulmod(a, a, most), "and the higher one");
        }
    }

    function test_WhenNumbersAtTheBoundsAreMultiplied() external view {
        uint256[] memory modulus = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) modulus[i] = type(uint256).max;
        uint256[] memory minusOne = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) minusOne[i] = modulus[i];
        minusOne[2] -= 1;
        uint256[] memory unit = new uint256[](3);
        unit[2] = 1;
        uint256[] memory zero = new uint256[](3);
        vm.assertTrue(Powers.isEqual(Powers.multiply(minusOne, minusOne, modulus), unit), "(-1)(-1) = 1");
        vm.assertTrue(Powers.isEqual(Powers.multiply(unit, minusOne, modulus), minusOne), "1(-1) = -1");
        vm.assertTrue(Powers.isEqual(Powers.multiply(minusOne, zero, modulus), zero), "(-1)0 = 0");
        vm.assertTrue(Powers.isEqual(Powers.increase(minusOne), modulus), "-1 + 1");
        vm.assertTrue(Powers.isBelow(minusOne, modulus) && !Powers.isBelow(modulus, minusOne), "below");
        vm.assertTrue(!Powers.isBelow(unit, unit) && Powers.isBelow(zero, unit), "not below itself");
    }

    function test_WhenBytesAreRead() external view {
        uint256[] memory number = this.read(abi.encodePacked(uint256(7), uint256(9)), 3);
        vm.assertEq(number.length, 3, "words");
        vm.assertTrue(number[0] == 0 && number[1] == 7 && number[2] == 9, "in order");
    }

    function test_RevertWhen_TheGasIsTooLittleForAPower() external {
        bytes memory exponent = new bytes(64);
        exponent[0] = 0xff;
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_PowerFailed.selector));
        this.raise{gas: 300_000}(residue(1, 16), exponent);
    }

    // ---- pieces ----

    function read(bytes calldata data, uint256 words) external pure returns (uint256[] memory) {
        return Powers.read(data, words);
    }

    function raise(uint256[] memory number, bytes memory exponent) external view returns (uint256[] memory) {
        return Powers.power(number, exponent, number);
    }

    function one(uint256 word) private pure returns (uint256[] memory number) {
        number = new uint256[](1);
        number[0] = word;
    }
}
