// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../../src/IMarketplace.sol";
import {Powers} from "../../src/Powers.sol";
import {BondTest} from "./BondTest.sol";

/// Openings that are true by rⁿ in one call and (1 + n)^m = 1 + m·n, which the contract computes neither of.
abstract contract OpeningTest is BondTest {
    /// Of a modulus of so many words, not of two primes: what is checked holds for every odd one.
    function trueOpening(uint256 training, uint256 seed, uint256 words)
        internal
        view
        returns (IMarketplace.Opening memory opening)
    {
        uint256[] memory modulus = residue(seed, words);
        modulus[0] |= 1 << 255;
        modulus[words - 1] |= 1;
        opening.trainingId = training;
        opening.round = 1;
        opening.modulus = abi.encodePacked(modulus);
        opening.plaintext = abi.encodePacked(residue(seed ^ 1 << 255, words));
        opening.root = abi.encodePacked(residue(seed ^ 1 << 254, words));
        opening.ciphertext = abi.encodePacked(ciphertextOf(opening));
    }

    function ciphertextOf(IMarketplace.Opening memory opening) internal view returns (uint256[] memory) {
        uint256[] memory modulus = numberOf(opening.modulus);
        uint256[] memory squared = Powers.square(modulus);
        uint256[] memory lifted = Powers.power(Powers.increase(modulus), opening.plaintext, squared);
        uint256[] memory blinding = Powers.power(numberOf(opening.root), opening.modulus, squared);
        return Powers.multiply(lifted, blinding, squared);
    }

    /// Below every number of as many words with the highest bit set.
    function residue(uint256 seed, uint256 words) internal pure returns (uint256[] memory number) {
        number = new uint256[](words);
        for (uint256 i = 0; i < words; ++i) number[i] = uint256(keccak256(abi.encode(seed, i)));
        number[0] >>= 1;
    }

    function numberOf(bytes memory data) internal pure returns (uint256[] memory number) {
        number = new uint256[](data.length / 32);
        for (uint256 i = 0; i < number.length; ++i) {
            uint256 word;
            assembly {
                word := mload(add(add(data, 0x20), mul(0x20, i)))
            }
            number[i] = word;
        }
    }

    /// r^(the highest 128·done bits of n), as whoever goes on computes it for itself.
    function powerAfter(IMarketplace.Opening memory opening, uint256 done) internal view returns (bytes memory) {
        bytes memory high = new bytes(16 * done);
        for (uint256 i = 0; i < high.length; ++i) high[i] = opening.modulus[i];
        uint256[] memory squared = Powers.square(numberOf(opening.modulus));
        return abi.encodePacked(Powers.power(numberOf(opening.root), high, squared));
    }

    /// Changes the lowest bit.
    function spoil(bytes memory data) internal pure {
        data[data.length - 1] ^= 0x01;
    }

    function openingSignature(IMarketplace.Opening memory opening) internal view returns (bytes memory) {
        return signed(BUYER_KEY, market.hashOpening(opening));
    }

    function accuse(IMarketplace.Opening memory opening, bytes memory power, uint256 steps) internal returns (uint256) {
        bytes memory signature = openingSignature(opening);
        vm.prank(stranger);
        return market.accuseOfFalseOpening(opening, signature, power, steps);
    }

    function refuseOpening(IMarketplace.Opening memory opening, bytes memory power, uint256 steps, bytes memory refusal)
        internal
    {
        refuseOpening(opening, openingSignature(opening), power, steps, refusal);
    }

    function refuseOpening(
        IMarketplace.Opening memory opening,
        bytes memory signature,
        bytes memory power,
        uint256 steps,
        bytes memory refusal
    ) internal {
        vm.prank(stranger);
        vm.expectRevert(refusal);
        market.accuseOfFalseOpening(opening, signature, power, steps);
    }
}
