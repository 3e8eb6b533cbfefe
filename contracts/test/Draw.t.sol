// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract DrawTest is MarketplaceTest {
    function test_RevertWhen_TheTrainingIsOpen() external {
        uint256 training = open();
        join(training, 4);
        refuse(training, wrongStatus(training, IMarketplace.Status.Open));
    }

    function test_RevertWhen_TheTrainingIsRunningAlready() external {
        uint256 training = running(4);
        refuse(training, wrongStatus(training, IMarketplace.Status.Running));
    }

    function test_RevertWhen_TheDrawBlockIsNotPast() external {
        uint256 training = drawing(4);
        refuse(training, tooEarly(training, drawBlock(training)));
        vm.roll(drawBlock(training));
        refuse(training, tooEarly(training, drawBlock(training)));
    }

    function test_RevertWhen_TheHashOfTheDrawBlockIsGone() external {
        uint256 training = drawing(4);
        vm.roll(drawBlock(training) + 257);
        refuse(
            training,
            abi.encodeWithSelector(IMarketplace.Marketplace_TooLate.selector, training, drawBlock(training))
        );
    }

    function test_WhenTheDrawBlockIsTheOldestKnown() external {
        uint256 training = drawing(4);
        vm.roll(drawBlock(training) + 256);
        market.draw(training);
        assertStatus(training, IMarketplace.Status.Running);
    }

    function test_WhenTheHashIsKnown() external {
        uint256 training = drawing(7);
        uint64 fixedBlock = drawBlock(training);
        vm.roll(fixedBlock + 1);
        vm.warp(block.timestamp + 60);
        uint256 validators = shuffled(keccak256(abi.encode(blockhash(fixedBlock), training)), 7);
        vm.expectEmit(address(market));
        emit IMarketplace.RolesDrawn(training, 127 ^ validators, validators);
        vm.prank(stranger);
        market.draw(training);
        assertStatus(training, IMarketplace.Status.Running);
    }

    /// The attack: each day that a stranger waited with the draw was a day more that the deposit lay locked.
    function test_WhenAStrangerDrawsLate() external {
        uint256 training = drawing(4);
        uint64 until = roundUntil(training);
        vm.roll(drawBlock(training) + 256);
        vm.warp(until - 1);
        vm.prank(stranger);
        market.draw(training);
        vm.assertEq(roundUntil(training), until, "the deadline is the close's");
    }

    function testFuzz_WhenAnyNumberOfOwnersIsDrawn(uint256 seed, bytes32 blockHash) external {
        uint256 owners = between(seed, 4, 256);
        // Joining costs more than the draw, so a quarter of the runs checks big trainings only.
        if (seed % 4 != 0) owners = between(seed, 4, 20);
        (uint256 trainers, uint256 validators) = drawWith(owners, blockHash);
        uint256 expected = (owners * 3 + 5) / 10;
        if (expected < 2) expected = 2;
        vm.assertEq(bits(validators), expected, "number of validators");
        vm.assertEq(trainers & validators, 0, "disjoint");
        uint256 everybody = owners == 256 ? type(uint256).max : (1 << owners) - 1;
        vm.assertEq(trainers | validators, everybody, "all owners have a role");
    }

    function test_WhenManyDrawsAreMade() external {
        uint256[10] memory drawn;
        uint256 training = drawing(10);
        vm.roll(drawBlock(training) + 1);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 1000; ++i) {
            vm.setBlockhash(drawBlock(training), keccak256(abi.encode(i)));
            market.draw(training);
            (,, uint256 validators) = market.ownersOf(training);
            for (uint256 seat = 0; seat < 10; ++seat) drawn[seat] += (validators >> seat) & 1;
            vm.revertToState(before);
        }
        // 3 of 10 in 1000 draws: 300 expected, standard deviation 14.5.
        for (uint256 seat = 0; seat < 10; ++seat) {
            vm.assertTrue(drawn[seat] > 230 && drawn[seat] < 370, "every seat about as often");
        }
    }

    function testFuzz_WhenTheSeedIsKnown(uint256 seed, bytes32 blockHash) external {
        uint256 owners = between(seed, 4, 40);
        (, uint256 validators) = drawWith(owners, blockHash);
        vm.assertEq(validators, shuffled(keccak256(abi.encode(blockHash, uint256(1))), owners), "the same shuffle");
    }

    function drawWith(uint256 owners, bytes32 blockHash) private returns (uint256 trainers, uint256 validators) {
        vm.assume(blockHash != 0);
        uint256 training = drawing(owners);
        vm.roll(drawBlock(training) + 1);
        vm.setBlockhash(drawBlock(training), blockHash);
        market.draw(training);
        (, trainers, validators) = market.ownersOf(training);
    }

    /// The shuffle as documented, written as exchanges inside one list of bytes.
    function shuffled(bytes32 seed, uint256 owners) private pure returns (uint256 validators) {
        bytes memory seats = new bytes(owners);
        for (uint256 i = 0; i < owners; ++i) seats[i] = bytes1(uint8(i));
        for (uint256 i = owners - 1; i >= 1; --i) {
            uint256 j = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            bytes1 kept = seats[i];
            seats[i] = seats[j];
            seats[j] = kept;
        }
        uint256 count = owners * 30 / 100 + (owners * 30 % 100 >= 50 ? 1 : 0);
        for (uint256 i = 0; i < (count < 2 ? 2 : count); ++i) validators |= 1 << uint8(seats[i]);
    }

    function refuse(uint256 training, bytes memory refusal) private {
        vm.expectRevert(refusal);
        market.draw(training);
    }
}
