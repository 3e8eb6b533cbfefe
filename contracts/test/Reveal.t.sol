// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract RevealTest is MarketplaceTest {
    function test_RevertWhen_TheTrainingIsOpen() external {
        uint256 training = open();
        join(training, 4);
        refuse(training, owner(0), wrongStatus(training, IMarketplace.Status.Open));
    }

    function test_RevertWhen_TheRolesAreDrawn() external {
        uint256 training = revealed(6, 1);
        vm.warp(revealUntil(training));
        market.draw(training);
        refuse(training, owner(0), wrongStatus(training, IMarketplace.Status.Running));
    }

    function test_RevertWhen_TheCallerHasNoSeat() external {
        uint256 training = revealed(5, 1);
        refuse(training, stranger, refusal(IMarketplace.Marketplace_NotParty.selector, training, stranger));
    }

    /// Before its block is there, a nonce would let the block's builder choose the draw.
    function test_RevertWhen_TheDrawBlockIsNotPast() external {
        uint256 training = drawing(4);
        refuse(training, owner(0), tooEarly(training, drawBlock(training)));
        vm.roll(drawBlock(training));
        refuse(training, owner(0), tooEarly(training, drawBlock(training)));
    }

    function test_RevertWhen_TheTimeToRevealIsOver() external {
        uint256 training = revealed(5, 1);
        vm.warp(revealUntil(training));
        refuse(training, owner(0), tooLate(training, revealUntil(training)));
    }

    function test_RevertWhen_TheNonceIsAnother() external {
        uint256 training = revealed(5, 1);
        vm.prank(owner(0));
        vm.expectRevert(refusal(IMarketplace.Marketplace_WrongNonce.selector, training, owner(0)));
        market.reveal(training, nonceOf(training, owner(1)));
    }

    /// The attack: whoever joins last copies another's digest, and reveals what that one has revealed.
    function test_RevertWhen_TheDigestWasCopied() external {
        uint256 training = open();
        join(training, 4);
        register(owner(4), IMarketplace.Role.DataOwner);
        bytes32 copied = nonceDigest(training, owner(0));
        (bytes memory byAggregator, bytes memory byBuyer) = admissions(training, owner(4));
        vm.prank(owner(4));
        market.join(training, commitmentOf(owner(4)), copied, byAggregator, byBuyer);
        close(training);
        vm.roll(drawBlock(training) + 1);
        vm.prank(owner(4));
        vm.expectRevert(refusal(IMarketplace.Marketplace_WrongNonce.selector, training, owner(4)));
        market.reveal(training, nonceOf(training, owner(0)));
    }

    function test_RevertWhen_TheNonceIsKnown() external {
        uint256 training = revealed(5, 1);
        refuse(training, owner(1), refusal(IMarketplace.Marketplace_AlreadyRevealed.selector, training, owner(1)));
    }

    function test_RevertWhen_TheHashWentBeforeAnybodyRevealed() external {
        uint256 training = drawing(4);
        uint64 fixedBlock = drawBlock(training);
        vm.roll(fixedBlock + 257);
        refuse(
            training,
            owner(0),
            abi.encodeWithSelector(IMarketplace.Marketplace_HashGone.selector, training, fixedBlock)
        );
    }

    function test_WhenTheOwnerIsTheFirst() external {
        uint256 training = drawing(4);
        uint64 fixedBlock = drawBlock(training);
        vm.roll(fixedBlock + 256);
        bytes32 nonce = nonceOf(training, owner(2));
        vm.expectEmit(address(market));
        emit IMarketplace.Revealed(training, owner(2), 2, nonce);
        revealAs(training, owner(2));
        expectReveals(training, blockhash(fixedBlock), 4);
        (, bytes32 known) = market.joinedWith(training, owner(2));
        vm.assertEq(known, nonce, "the nonce is public");
    }

    function test_WhenTheHashIsGoneSinceTheFirst() external {
        uint256 training = drawing(4);
        uint64 fixedBlock = drawBlock(training);
        vm.roll(fixedBlock + 1);
        bytes32 hash = blockhash(fixedBlock);
        revealAs(training, owner(1));
        vm.roll(fixedBlock + 50_000);
        vm.warp(revealUntil(training) - 1);
        revealAs(training, owner(3));
        expectReveals(training, hash, 10);
    }

    function expectReveals(uint256 training, bytes32 hash, uint256 mask) private view {
        (, bytes32 drawHash, uint256 known) = market.drawOf(training);
        vm.assertTrue(hash != 0, "a hash");
        vm.assertEq(drawHash, hash, "the hash of the draw block");
        vm.assertEq(known, mask, "who has revealed");
    }

    function refusal(bytes4 selector, uint256 training, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, training, account);
    }

    function refuse(uint256 training, address account, bytes memory expected) private {
        bytes32 nonce = nonceOf(training, account);
        vm.prank(account);
        vm.expectRevert(expected);
        market.reveal(training, nonce);
    }
}
