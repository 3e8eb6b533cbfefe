// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";

contract CancelTest is MarketplaceTest {
    function test_RevertWhen_TheTrainingDoesNotExist() external {
        refuse(9, buyer, wrongStatus(9, IMarketplace.Status.None));
    }

    function test_RevertWhen_SomebodyElseCancelsWhileOwnersMayJoin() external {
        uint256 training = open();
        vm.warp(joinUntil(training) - 1);
        refuse(training, aggregator, notParty(training, aggregator));
        refuse(training, stranger, notParty(training, stranger));
    }

    function test_RevertWhen_SomebodyElseCancelsWithEnoughOwners() external {
        uint256 training = open();
        join(training, 4);
        vm.warp(joinUntil(training) + 1);
        refuse(training, aggregator, notParty(training, aggregator));
    }

    function test_RevertWhen_TheBuyerCancelsAfterJoiningClosed() external {
        uint256 training = drawing(4);
        refuse(training, buyer, tooEarly(training, endsAt(training)));
    }

    function test_RevertWhen_OwnersMayStillReveal() external {
        uint256 training = revealed(5, 3);
        vm.warp(revealUntil(training) - 1);
        refuse(training, buyer, tooEarly(training, endsAt(training)));
        revealAs(training, owner(0));
        vm.warp(revealUntil(training));
        refuse(training, buyer, tooEarly(training, endsAt(training)));
    }

    function test_RevertWhen_TheFirstRoundIsNotLate() external {
        uint256 training = running(4);
        vm.warp(endsAt(training) - 1);
        refuse(training, buyer, tooEarly(training, endsAt(training)));
    }

    function test_RevertWhen_ARoundIsRecorded() external {
        uint256 training = recorded(4, 1, false);
        vm.warp(endsAt(training) + 1);
        refuse(training, buyer, wrongStatus(training, IMarketplace.Status.Running));
    }

    function test_RevertWhen_TheTrainingIsOver() external {
        uint256 training = recorded(4, 1, true);
        market.settle(training);
        refuse(training, buyer, wrongStatus(training, IMarketplace.Status.Settled));
        training = open();
        vm.prank(buyer);
        market.cancel(training);
        refuse(training, buyer, wrongStatus(training, IMarketplace.Status.Cancelled));
    }

    function test_WhenTheBuyerCancelsWhileOpen() external {
        uint256 training = open();
        join(training, 5);
        expectCancelled(training, buyer);
    }

    function test_WhenAnyoneCancelsWithTooFewOwners() external {
        uint256 training = open();
        join(training, 3);
        vm.warp(joinUntil(training));
        expectCancelled(training, stranger);
    }

    function test_WhenTooFewRevealed() external {
        uint256 training = revealed(5, 3);
        vm.warp(revealUntil(training));
        expectCancelled(training, stranger);
    }

    function test_WhenNobodyDrewInTime() external {
        uint256 training = revealed(4, 0);
        vm.warp(endsAt(training));
        expectCancelled(training, stranger);
    }

    function test_WhenNoRoundWasRecordedInTime() external {
        uint256 training = running(4);
        vm.warp(endsAt(training));
        expectCancelled(training, stranger);
    }

    function expectCancelled(uint256 training, address account) private {
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, buyer, IMarketplace.Share.Refund, NATIVE, DEPOSIT);
        vm.expectEmit(address(market));
        emit IMarketplace.Cancelled(training, DEPOSIT);
        vm.prank(account);
        market.cancel(training);
        assertStatus(training, IMarketplace.Status.Cancelled);
        vm.assertEq(market.creditOf(NATIVE, buyer), DEPOSIT, "refund");
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
    }

    function notParty(uint256 training, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NotParty.selector, training, account);
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.cancel(training);
    }
}
