// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract RecordRoundTest is EndedTest {
    function test_RevertWhen_TheTrainingIsNotRunning() external {
        IMarketplace.RoundRecord memory record = recordOf(1, 1, false, 3, 12);
        refuseRecord(record, wrongStatus(1, IMarketplace.Status.None));
        uint256 training = open();
        refuseRecord(record, wrongStatus(training, IMarketplace.Status.Open));
        join(training, 4);
        close(training);
        refuseRecord(record, wrongStatus(training, IMarketplace.Status.Drawing));
        drawAfter(training);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
        refuseRecord(recordOf(training, 2, true), wrongStatus(training, IMarketplace.Status.Settled));
    }

    function test_RevertWhen_SomebodyElseComesInTheFirstHalfOfTheRound() external {
        uint256 training = running(4);
        IMarketplace.RoundRecord memory record = recordOf(training, 1, false);
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        uint64 half = roundUntil(training) - ROUND_SECONDS / 2;
        vm.warp(half - 1);
        vm.prank(buyer);
        vm.expectRevert(tooEarly(training, half));
        market.recordRound(record, signature, signatures);
    }

    function test_RevertWhen_TheSameRecordIsRecordedAlready() external {
        uint256 training = recorded(4, 2, false);
        IMarketplace.RoundRecord memory record = recordOf(training, 2, false);
        refuseRecord(record, alreadyRecorded(record));
        record = recordOf(training, 1, false);
        refuseRecord(record, alreadyRecorded(record));
    }

    function test_RevertWhen_AnotherRecordOfTheRoundIsRecordedAlready() external {
        uint256 training = recorded(4, 1, false);
        bytes memory refusal = alreadyRecorded(recordOf(training, 1, false));
        IMarketplace.RoundRecord memory record = recordOf(training, 1, false);
        record.modelDigest = keccak256("another model");
        record.deliveredDigest = record.modelDigest;
        refuseRecord(record, refusal);
    }

    function test_RevertWhen_ARoundIsLeftOut() external {
        uint256 training = recorded(4, 1, false);
        refuseRecord(recordOf(training, 3, false), unexpected(training, 3, 2));
    }

    function test_RevertWhen_TheRoundIsZero() external {
        uint256 training = running(4);
        refuseRecord(recordOf(training, 0, false), unexpected(training, 0, 1));
    }

    function test_RevertWhen_TheLastRoundIsRecorded() external {
        uint256 training = recorded(4, 2, true);
        refuseRecord(recordOf(training, 3, true), unexpected(training, 3, 0));
        refuseRecord(recordOf(training, 0, true), unexpected(training, 0, 0));
    }

    /// Two trainers by hand: φ₁ = (v₀ − q₁)/2 + (q₂ − after)/2.
    function test_WhenTheFirstRoundIsValid() external {
        uint256 training = running(4);
        IMarketplace.RoundRecord memory record = twoTrainers(training);
        int256[] memory shapley = new int256[](2);
        (shapley[0], shapley[1]) = (35e18, 15e18);
        uint256[] memory weights = new uint256[](2);
        (weights[0], weights[1]) = (35e18, 15e18);
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        vm.warp(block.timestamp + 30);
        vm.expectEmit(address(market));
        emit IMarketplace.RoundRecorded(training, 1, record, 50e18, shapley, weights);
        vm.prank(aggregator);
        market.recordRound(record, signature, signatures);

        (,, uint64 until, uint16 rounds, uint256 first, uint256 last) = market.progressOf(training);
        vm.assertEq(until, block.timestamp + ROUND_SECONDS, "the next deadline");
        vm.assertEq(rounds, 1, "recorded");
        vm.assertEq(first, 100e18, "first error");
        vm.assertEq(last, 50e18, "last error");
        assertContribution(training, 0, 35e18, 35e18);
        assertContribution(training, 1, 15e18, 15e18);
    }

    function test_WhenSomebodyElseComesInTheSecondHalfOfTheRound() external {
        uint256 training = running(4);
        IMarketplace.RoundRecord memory record = recordOf(training, 1, false);
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        vm.warp(roundUntil(training) - ROUND_SECONDS / 2);
        vm.prank(stranger);
        market.recordRound(record, signature, signatures);
        (,,, uint16 rounds,,) = market.progressOf(training);
        vm.assertEq(rounds, 1, "recorded");
    }

    /// The error goes 100 → 50 → 90 → 40: paid are 50 and 10, never the 40 lost and won back.
    function test_WhenMoreGroundWasReachedBefore() external {
        uint256 training = running(4);
        sendRecord(twoTrainers(training));
        sendRecord(equalTrainers(training, 2, 50e18, 90e18));
        assertContribution(training, 0, 15e18, 35e18);
        sendRecord(equalTrainers(training, 3, 90e18, 40e18));
        assertContribution(training, 0, 40e18, 40e18);
        assertContribution(training, 1, 20e18, 20e18);
    }

    function test_WhenOtherValidatorsMeasure() external {
        uint256 training = running(10);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        sendRecord(recordOf(training, 1, false));
        IMarketplace.RoundRecord memory record = recordOf(training, 2, false, trainers, lowest(validators, 2));
        record.mseBefore = 95e18;
        sendRecord(record);
        record = recordOf(training, 3, true);
        record.mseBefore = 84e18;
        sendRecord(record);
        market.settle(training);
        claimAll(training);
        // Left: 90/100 of the first error, of that 80/95, of that 70/84.
        uint256 gained = DEPOSIT - DEPOSIT * 9 * 80 * 70 / (10 * 95 * 84);
        vm.assertEq(creditedContribution(training), rounded(gained * 65 / 100), "the product of what each set measured");
    }

    function test_WhenEverySeatIsTaken() external {
        uint256 training = running(256);
        IMarketplace.RoundRecord memory record = recordOf(training, 1, false);
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        vm.prank(aggregator);
        market.recordRound{gas: 15_000_000}(record, signature, signatures);
        vm.assertEq(signatures.length, 77, "validators");
    }

    // ---- pieces ----

    function twoTrainers(uint256 training) private view returns (IMarketplace.RoundRecord memory record) {
        record = recordOf(training, 1, false);
        record.mseBefore = 100e18;
        (record.own[0], record.own[1]) = (60e18, 80e18);
        (record.cross[0], record.cross[1]) = (90e18, 110e18);
    }

    function equalTrainers(uint256 training, uint16 round, uint256 mseBefore, uint256 mseAfter)
        private
        view
        returns (IMarketplace.RoundRecord memory record)
    {
        record = recordOf(training, round, false);
        record.mseBefore = mseBefore;
        (record.own[0], record.own[1]) = (mseAfter, mseAfter);
        (record.cross[0], record.cross[1]) = (int256(2 * mseAfter), int256(2 * mseAfter));
    }

    function assertContribution(uint256 training, uint256 index, int256 shapley, uint256 weight) private view {
        (, uint256 trainers,) = market.ownersOf(training);
        for (; index > 0; --index) trainers &= trainers - 1;
        for (uint256 seat = 0; seat < 256; ++seat) {
            if ((trainers >> seat) & 1 == 0) continue;
            (int256 got, uint256 gotWeight) = market.contributionOf(training, owner(seat));
            vm.assertEq(got, shapley, "shapley");
            vm.assertEq(gotWeight, weight, "pay weight");
            return;
        }
    }

    /// What the trainers have beyond participation, up to a wei of rounding each, rounded to whole thousands.
    function creditedContribution(uint256 training) private view returns (uint256 sum) {
        (, uint256 trainers,) = market.ownersOf(training);
        for (uint256 seat = 0; seat < 10; ++seat) {
            if ((trainers >> seat) & 1 == 1) sum += market.creditOf(NATIVE, owner(seat));
        }
        sum = rounded(sum - DEPOSIT * 5 / 100);
    }

    function rounded(uint256 amount) private pure returns (uint256) {
        return (amount + 500) / 1000 * 1000;
    }

    function alreadyRecorded(IMarketplace.RoundRecord memory record) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_RoundAlreadyRecorded.selector,
            record.trainingId,
            record.round,
            market.hashRecord(record)
        );
    }

    function unexpected(uint256 training, uint16 round, uint16 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IMarketplace.Marketplace_UnexpectedRound.selector, training, round, expected
        );
    }
}
