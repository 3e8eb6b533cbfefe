// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract ClaimTest is EndedTest {
    function test_RevertWhen_TheTrainingIsNotOver() external {
        refuse(9, owner(0), wrongStatus(9, IMarketplace.Status.None));
        uint256 training = open();
        join(training, 4);
        refuse(training, owner(0), wrongStatus(training, IMarketplace.Status.Open));
        close(training);
        refuse(training, owner(0), wrongStatus(training, IMarketplace.Status.Drawing));
        drawAfter(training);
        sendRecord(recordOf(training, 1, true));
        refuse(training, owner(0), wrongStatus(training, IMarketplace.Status.Running));
    }

    function test_RevertWhen_TheAccountHasNoSeat() external {
        uint256 training = settled(recorded(4, 1, true));
        address[3] memory others = [buyer, aggregator, stranger];
        for (uint256 i = 0; i < 3; ++i) refuse(training, others[i], notParty(training, others[i]));
    }

    function test_RevertWhen_TheOwnerHasClaimed() external {
        uint256 training = settled(recorded(4, 1, true));
        for (uint256 seat = 0; seat < 4; ++seat) {
            uint256 amount = claimAs(training, owner(seat));
            refuse(training, owner(seat), nothingToClaim(training, owner(seat)));
            vm.assertEq(market.creditOf(NATIVE, owner(seat)), amount, "credited once");
        }
        training = abandoned(4);
        claimAs(training, owner(0));
        refuse(training, owner(0), nothingToClaim(training, owner(0)));
    }

    function test_RevertWhen_TheOwnerTookPartInNoRound() external {
        uint256 training = running(10);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        (uint256 two, uint256 quorum) = (lowest(trainers, 2), lowest(validators, 2));
        sendRecord(recordOf(training, 1, true, two, quorum));
        settled(training);
        for (uint256 seat = 0; seat < 10; ++seat) {
            if (((two | quorum) >> seat) & 1 == 1) claimAs(training, owner(seat));
            else refuse(training, owner(seat), nothingToClaim(training, owner(seat)));
        }
        vm.assertEq(market.totalEscrow(NATIVE), 0, "nothing was kept for those");
    }

    function test_RevertWhen_TheOwnerWasNotDrawn() external {
        uint256 training = revealed(7, 4);
        vm.warp(revealUntil(training));
        market.draw(training);
        vm.warp(endsAt(training));
        market.cancel(training);
        refuse(training, owner(2), nothingToClaim(training, owner(2)));
        vm.assertEq(market.claimableOf(training, owner(2)), 0, "nothing");
    }

    function test_RevertWhen_TheTrainingWasCancelledBeforeTheDraw() external {
        uint256 training = drawing(4);
        vm.warp(endsAt(training));
        market.cancel(training);
        refuse(training, owner(0), nothingToClaim(training, owner(0)));
    }

    /// Half of the error is gone, of which the first trainer contributed 35 of 50.
    function test_WhenATrainerClaims() external {
        uint256 training = running(4);
        (, uint256 trainers,) = market.ownersOf(training);
        (uint256 first,) = pair(trainers);
        sendRecord(halved(training));
        vm.assertEq(market.claimableOf(training, owner(first)), 0, "not before the end");
        settled(training);
        uint256 expected = DEPOSIT * 2525 / 10_000;
        vm.assertEq(market.claimableOf(training, owner(first)), expected, "claimable");
        expectCredit(training, owner(first), IMarketplace.Share.Contribution, DEPOSIT * 2275 / 10_000);
        expectCredit(training, owner(first), IMarketplace.Share.Participation, DEPOSIT * 250 / 10_000);
        vm.assertEq(claimAs(training, owner(first)), expected, "returned");
        assertCredit(owner(first), 2525);
        vm.assertEq(market.claimableOf(training, owner(first)), 0, "nothing is left");
    }

    function test_WhenAValidatorClaims() external {
        uint256 training = settled(recorded(4, 4, true));
        (,, uint256 validators) = market.ownersOf(training);
        (uint256 first,) = pair(validators);
        expectCredit(training, owner(first), IMarketplace.Share.Validation, DEPOSIT / 10);
        claimAs(training, owner(first));
        assertCredit(owner(first), 1000);
    }

    function test_WhenAnOwnerClaimsWhatLeavingCosts() external {
        uint256 training = abandoned(4);
        expectCredit(training, owner(3), IMarketplace.Share.Abandonment, DEPOSIT / 200);
        claimAs(training, owner(3));
        assertCredit(owner(3), 50);
        vm.assertEq(market.totalEscrow(NATIVE), 3 * DEPOSIT / 200, "the others'");
    }

    function test_WhenAnOwnerClaimsLongAfter() external {
        uint256 training = settled(recorded(4, 1, true));
        uint256 amount = market.claimableOf(training, owner(0));
        vm.warp(vm.getBlockTimestamp() + 3650 days);
        vm.assertEq(claimAs(training, owner(0)), amount, "no deadline");
    }

    function test_WhenSomeHaveClaimedAndOthersNot() external {
        uint256 training = settled(recorded(4, 1, true));
        uint256 owed;
        for (uint256 seat = 0; seat < 4; ++seat) {
            owed = 0;
            claimAs(training, owner(seat));
            for (uint256 other = seat + 1; other < 4; ++other) owed += market.claimableOf(training, owner(other));
            vm.assertLe(owed, market.totalEscrow(NATIVE), "what they are owed is there");
            vm.assertLe(market.totalEscrow(NATIVE), owed + 1, "and no more than that, and dust");
        }
    }

    /// Three trainers of which one trained one round only; seven rotations of the seats.
    function testFuzz_WhenTheOwnersClaimInAnyOrder(uint256 seed) external {
        uint256 training = running(10);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        sendRecord(recordOf(training, 1, false, lowest(trainers, 2), validators));
        IMarketplace.RoundRecord memory record = recordOf(training, 2, true, lowest(trainers, 3), validators);
        for (uint256 i = 0; i < 3; ++i) record.own[i] = between(seed >> 40 * i, 1e18, 99e18);
        sendRecord(record);
        settled(training);
        uint256 refund = market.creditOf(NATIVE, buyer);
        uint256[10] memory owed;
        for (uint256 seat = 0; seat < 10; ++seat) owed[seat] = market.claimableOf(training, owner(seat));
        for (uint256 i = 0; i < 10; ++i) {
            uint256 seat = (i * 3 + seed % 10) % 10;
            if (owed[seat] > 0) vm.assertEq(claimAs(training, owner(seat)), owed[seat], "the same in any order");
        }
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
        vm.assertLe(market.creditOf(NATIVE, buyer) - refund, 2, "below a unit a trainer");
    }

    /// One unit for two trainers, who get nothing for taking part: it is the buyer's once both have claimed.
    function test_WhenAWeightIsBelowOneUnitOfThePot() external {
        IMarketplace.Terms memory terms = defaultTerms();
        (terms.contributionBps, terms.participationBps) = (7000, 0);
        uint256 deposit = 10_240_000;
        vm.prank(buyer);
        uint256 training = market.open{value: deposit}(terms, deposit);
        join(training, 4);
        close(training);
        drawAfter(training);
        sendRecord(step(training, 1, 100e18, 100e18 - 2e13, true));
        settled(training);
        uint256 validation = deposit * 2000 / 10_000;
        vm.assertEq(market.totalEscrow(NATIVE), validation + 1, "kept");
        (, uint256 trainers,) = market.ownersOf(training);
        (uint256 first, uint256 second) = pair(trainers);
        vm.assertEq(market.claimableOf(training, owner(first)), 0, "less than a unit");
        vm.assertEq(claimAs(training, owner(first)), 0, "and it counts as claimed");
        refuse(training, owner(first), nothingToClaim(training, owner(first)));
        uint256 refund = market.creditOf(NATIVE, buyer);
        claimAll(training, second);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
        vm.assertEq(market.creditOf(NATIVE, buyer), refund + 1, "dust");
    }

    /// A second training, of the same owners, still runs; a third waits for its claims.
    function test_WhenOtherTrainingsHoldEscrow() external {
        uint256 training = settled(recorded(4, 1, true));
        recorded(4, 1, false);
        uint256 third = abandoned(4);
        claimAll(training);
        refuse(training, owner(0), nothingToClaim(training, owner(0)));
        vm.assertEq(market.totalEscrow(NATIVE), DEPOSIT + DEPOSIT * ABANDON_BPS / 10_000, "theirs is untouched");
        claimAll(third);
        vm.assertEq(market.totalEscrow(NATIVE), DEPOSIT, "escrow");
    }

    // ---- pieces ----

    function settled(uint256 training) private returns (uint256) {
        market.settle(training);
        return training;
    }

    function abandoned(uint256 owners) private returns (uint256 training) {
        training = running(owners);
        vm.warp(endsAt(training));
        market.cancel(training);
    }

    /// All that have not claimed, from one seat on.
    function claimAll(uint256 training, uint256 first) private {
        (,, uint256 validators) = market.ownersOf(training);
        claimAs(training, owner(first));
        for (uint256 seat = 0; seat < 4; ++seat) {
            if ((validators >> seat) & 1 == 1) claimAs(training, owner(seat));
        }
    }

    function expectCredit(uint256 training, address account, IMarketplace.Share share, uint256 amount) private {
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, account, share, NATIVE, amount);
    }

    function nothingToClaim(uint256 training, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarketplace.Marketplace_NothingToClaim.selector, training, account);
    }

    function refuse(uint256 training, address account, bytes memory refusal) private {
        vm.prank(account);
        vm.expectRevert(refusal);
        market.claim(training);
    }
}
