// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract CancelTest is EndedTest {
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

    /// The attack: a buyer sees the first errors, stays silent, and had all of its deposit back.
    function test_WhenTheBuyerLeavesOnceRolesAreDrawn() external {
        uint256 training = revealed(7, 4);
        vm.warp(revealUntil(training));
        market.draw(training);
        vm.warp(endsAt(training));
        uint256 each = DEPOSIT * ABANDON_BPS / 10_000 / 6;
        expectCancelled(training, buyer, DEPOSIT - 6 * each);
        for (uint256 seat = 0; seat < 7; ++seat) {
            vm.assertEq(market.creditOf(NATIVE, owner(seat)), 0, "nothing before they claim");
        }
        claimAll(training);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
        for (uint256 seat = 0; seat < 7; ++seat) {
            vm.assertEq(market.creditOf(NATIVE, owner(seat)), seat == 2 ? 0 : each, "those who revealed, equally");
        }
        vm.assertEq(market.creditOf(NATIVE, aggregator), 0, "and nobody else");
    }

    function test_WhenLeavingIsFree() external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.abandonBps = 0;
        uint256 training = open(terms);
        join(training, 4);
        close(training);
        drawAfter(training);
        vm.warp(endsAt(training));
        expectCancelled(training, stranger);
    }

    /// The last wei of a division is the buyer's.
    function testFuzz_WhenAnyDepositIsAbandoned(uint256 seed, uint128 deposit) external {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.abandonBps = uint16(between(seed, 0, 1000));
        uint256 owners = between(seed >> 16, 4, 12);
        uint256 amount = 10_240_000 + uint256(deposit) % 1e27;
        vm.deal(buyer, amount);
        vm.prank(buyer);
        uint256 training = market.open{value: amount}(terms, amount);
        join(training, owners);
        close(training);
        drawAfter(training);
        vm.warp(endsAt(training));
        market.cancel(training);
        claimAll(training);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
        uint256 paid;
        for (uint256 seat = 0; seat < owners; ++seat) paid += market.creditOf(NATIVE, owner(seat));
        vm.assertEq(paid + market.creditOf(NATIVE, buyer), amount, "every wei is somebody's");
        vm.assertLe(paid, amount * terms.abandonBps / 10_000, "no more than the terms say");
        vm.assertLe(amount * terms.abandonBps / 10_000 - paid, owners, "and no less, but for the division");
    }

    function expectCancelled(uint256 training, address account) private {
        expectCancelled(training, account, DEPOSIT);
    }

    function expectCancelled(uint256 training, address account, uint256 refund) private {
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, buyer, IMarketplace.Share.Refund, NATIVE, refund);
        vm.expectEmit(address(market));
        emit IMarketplace.Cancelled(training, refund);
        vm.prank(account);
        market.cancel(training);
        assertStatus(training, IMarketplace.Status.Cancelled);
        vm.assertEq(market.creditOf(NATIVE, buyer), refund, "refund");
        vm.assertEq(market.totalEscrow(NATIVE), DEPOSIT - refund, "escrow");
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.cancel(training);
    }
}
