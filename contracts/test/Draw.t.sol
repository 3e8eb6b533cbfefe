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

    function test_RevertWhen_OwnersMayStillReveal() external {
        uint256 training = revealed(5, 1);
        vm.warp(revealUntil(training) - 1);
        refuse(training, tooEarly(training, revealUntil(training)));
    }

    function test_RevertWhen_TooFewRevealed() external {
        uint256 training = revealed(5, 3);
        vm.warp(revealUntil(training));
        refuse(
            training,
            abi.encodeWithSelector(IMarketplace.Marketplace_TooFewRevealed.selector, training, 3, uint16(4))
        );
    }

    function test_WhenAllHaveRevealed() external {
        uint256 training = revealed(7, 0);
        vm.warp(block.timestamp + 60);
        uint256 validators = shuffled(training, blockhash(drawBlock(training)), 127);
        vm.expectEmit(address(market));
        emit IMarketplace.RolesDrawn(training, 127 ^ validators, validators);
        vm.prank(stranger);
        market.draw(training);
        assertStatus(training, IMarketplace.Status.Running);
    }

    function test_WhenTheTimeToRevealIsOver() external {
        uint256 training = revealed(8, 2 + 16);
        vm.warp(revealUntil(training));
        vm.prank(stranger);
        market.draw(training);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        vm.assertEq(trainers | validators, 255 - 2 - 16, "who did not reveal has lost its seat");
        vm.assertEq(bits(validators), 2, "three in ten of those who revealed");
    }

    function test_WhenTheHashOfTheDrawBlockIsGone() external {
        uint256 training = revealed(6, 0);
        uint256 validators = shuffled(training, blockhash(drawBlock(training)), 63);
        vm.roll(block.number + 100_000);
        market.draw(training);
        (,, uint256 drawn) = market.ownersOf(training);
        vm.assertEq(drawn, validators, "it was stored with the first reveal");
    }

    /// The attack: each day that a stranger waited with the draw was a day more that the deposit lay locked.
    function test_WhenAStrangerDrawsLate() external {
        uint256 training = revealed(4, 0);
        uint64 until = roundUntil(training);
        vm.warp(until - 1);
        vm.prank(stranger);
        market.draw(training);
        vm.assertEq(roundUntil(training), until, "the deadline is the close's");
    }

    /// The attack: of 16 owners five are the builder's of the draw block. It tries headers until the hash draws its
    /// five, and knows its own nonces, but not one other: what it chose is not what is drawn.
    function test_WhenABlockBuilderHoldsSeats() external {
        uint256 own = 31;
        uint256 wins;
        for (uint256 game = 0; game < 20; ++game) {
            uint256 training = drawing(16);
            vm.roll(drawBlock(training) + 1);
            (bytes32 header, uint256 most) = this.bestHeader(training, own);
            vm.assertTrue(most >= 4, "as far as it knows most of the validators are its own");
            vm.setBlockhash(drawBlock(training), header);
            revealAll(training, 0);
            market.draw(training);
            (,, uint256 validators) = market.ownersOf(training);
            wins += bits(validators & own);
        }
        // Of 20 draws of 5 in 16: 31 of 100 by chance, standard deviation 4.
        vm.assertTrue(wins < 45, "its seats are drawn by chance");
    }

    /// What is left: the last to reveal sees two draws and has its choice of them, one of which costs it its seat.
    function test_WhenTheLastRevealerWithholds() external {
        uint256 training = revealed(8, 128);
        bytes32 hash = blockhash(drawBlock(training));
        uint256 before = vm.snapshotState();
        revealAs(training, owner(7));
        market.draw(training);
        (,, uint256 withIt) = market.ownersOf(training);
        vm.assertEq(withIt, shuffled(training, hash, 255), "with its nonce");
        vm.revertToState(before);
        vm.warp(revealUntil(training));
        market.draw(training);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        vm.assertEq(validators, shuffled(training, hash, 127), "without its nonce");
        vm.assertEq((trainers | validators) & 128, 0, "and without itself");
    }

    function testFuzz_WhenAnyNumberOfOwnersIsDrawn(uint256 seed, uint256 silent) external {
        uint256 owners = between(seed, 4, 256);
        // Joining costs more than the draw, so a quarter of the runs checks big trainings only.
        if (seed % 4 != 0) owners = between(seed, 4, 20);
        uint256 everybody = owners == 256 ? type(uint256).max : (1 << owners) - 1;
        uint256 left = everybody & ~silent;
        if (bits(left) < 4) left = everybody;
        uint256 training = revealed(owners, ~left);
        vm.warp(revealUntil(training));
        market.draw(training);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        uint256 expected = (bits(left) * 3 + 5) / 10;
        if (expected < 2) expected = 2;
        vm.assertEq(bits(validators), expected, "number of validators");
        vm.assertEq(trainers & validators, 0, "disjoint");
        vm.assertEq(trainers | validators, left, "all who revealed have a role, and nobody else");
    }

    function test_WhenManyDrawsAreMade() external {
        uint256[10] memory drawn;
        uint256 training = drawing(10);
        vm.roll(drawBlock(training) + 1);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 1000; ++i) {
            vm.setBlockhash(drawBlock(training), keccak256(abi.encode(i)));
            revealAll(training, 0);
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
        vm.assume(blockHash != 0);
        uint256 owners = between(seed, 4, 40);
        uint256 training = drawing(owners);
        vm.roll(drawBlock(training) + 1);
        vm.setBlockhash(drawBlock(training), blockHash);
        revealAll(training, 0);
        market.draw(training);
        (,, uint256 validators) = market.ownersOf(training);
        vm.assertEq(validators, shuffled(training, blockHash, (1 << owners) - 1), "the same shuffle");
    }

    /// Of 313 hashes that a builder can choose from, the one that draws most of its seats if others' nonces are zero.
    /// External, so that the memory of each search is its own.
    function bestHeader(uint256 training, uint256 own) external pure returns (bytes32 header, uint256 most) {
        bytes memory nonces = noncesOf(training, own, 65_535);
        for (uint256 i = 0; i < 313; ++i) {
            bytes32 tried = keccak256(abi.encode("header", training, i));
            uint256 count = bits(shuffled(seedOf(training, tried, nonces), 65_535) & own);
            if (count > most) (header, most) = (tried, count);
        }
    }

    function shuffled(uint256 training, bytes32 hash, uint256 mask) private pure returns (uint256) {
        return shuffled(seedOf(training, hash, noncesOf(training, mask, mask)), mask);
    }

    /// The seed as documented.
    function seedOf(uint256 training, bytes32 hash, bytes memory nonces) private pure returns (bytes32) {
        return keccak256(bytes.concat(nonces, hash, bytes32(training)));
    }

    /// The nonces in the order of the seats; those of seats that are not `known` are taken for zero.
    function noncesOf(uint256 training, uint256 known, uint256 mask) private pure returns (bytes memory nonces) {
        for (uint256 seat = 0; mask >> seat != 0; ++seat) {
            if ((mask >> seat) & 1 == 0) continue;
            bytes32 nonce = (known >> seat) & 1 == 1 ? nonceOf(training, owner(seat)) : bytes32(0);
            nonces = bytes.concat(nonces, nonce);
        }
    }

    /// The shuffle as documented, written as exchanges inside one list of bytes.
    function shuffled(bytes32 seed, uint256 mask) private pure returns (uint256 validators) {
        bytes memory seats;
        for (uint256 seat = 0; mask >> seat != 0; ++seat) {
            if ((mask >> seat) & 1 == 1) seats = bytes.concat(seats, bytes1(uint8(seat)));
        }
        uint256 owners = seats.length;
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
