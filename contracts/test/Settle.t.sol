// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract SettleTest is EndedTest {
    function test_RevertWhen_TheTrainingIsNotRunning() external {
        refuse(9, wrongStatus(9, IMarketplace.Status.None));
        uint256 training = open();
        refuse(training, wrongStatus(training, IMarketplace.Status.Open));
        join(training, 4);
        close(training);
        refuse(training, wrongStatus(training, IMarketplace.Status.Drawing));
        drawAfter(training);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
        refuse(training, wrongStatus(training, IMarketplace.Status.Settled));
    }

    function test_RevertWhen_NoRoundIsRecorded() external {
        uint256 training = running(4);
        vm.warp(endsAt(training) + 1);
        refuse(training, tooEarly(training, endsAt(training)));
    }

    function test_RevertWhen_RoundsAreMissingBeforeTheDeadline() external {
        uint256 training = recorded(4, 3, false);
        vm.warp(endsAt(training) - 1);
        refuse(training, tooEarly(training, endsAt(training)));
    }

    /// The attack: the last round is signed in time, and its time is over before its transaction is mined: the buyer
    /// settled ahead of it, and owed nothing for it.
    function test_RevertWhen_TheBuyerSettlesAheadOfASignedRecord() external {
        uint256 training = recorded(4, 1, false);
        IMarketplace.RoundRecord memory record = recordOf(training, 2, true);
        vm.warp(roundUntil(training) + 1);
        bytes memory refusal = tooEarly(training, endsAt(training));
        vm.prank(buyer);
        refuse(training, refusal);
        bytes[] memory signatures = validatorSignatures(record);
        bytes memory signature = buyerSignature(record);
        vm.prank(owner(0));
        market.recordRound(record, signature, signatures);
        market.settle(training);
        vm.assertTrue(market.creditOf(NATIVE, aggregator) == DEPOSIT / 10, "every round is paid");
    }

    /// One round of four agreed, 100 → 50, contributions 35 and 15: improvement ½, fixed shares in full.
    function test_WhenTheLastRoundEndedEarly() external {
        uint256 training = running(4);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        (uint256 first, uint256 second) = pair(trainers);
        (uint256 third, uint256 fourth) = pair(validators);
        sendRecord(halved(training));
        vm.expectEmit(address(market));
        emit IMarketplace.Credited(training, aggregator, IMarketplace.Share.Aggregation, NATIVE, DEPOSIT / 10);
        vm.expectEmit(address(market));
        emit IMarketplace.Settled(training, 0.5e18, DEPOSIT * 675 / 1000, DEPOSIT * 325 / 1000);
        vm.prank(stranger);
        market.settle(training);

        assertStatus(training, IMarketplace.Status.Settled);
        assertCredit(aggregator, 1000);
        assertCredit(buyer, 3250);
        assertCredit(owner(first), 0);
        vm.assertEq(market.totalEscrow(NATIVE), DEPOSIT * 575 / 1000, "escrow");
        claimAll(training);
        assertCredit(owner(first), 2275 + 250);
        assertCredit(owner(second), 975 + 250);
        assertCredit(owner(third), 1000);
        assertCredit(owner(fourth), 1000);
        assertCredit(buyer, 3250);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
    }

    function test_WhenTimeRanOutAfterSomeRounds() external {
        uint256 training = recorded(4, 1, false);
        vm.warp(endsAt(training));
        vm.prank(stranger);
        market.settle(training);
        claimAll(training);
        (,, uint256 validators) = market.ownersOf(training);
        (uint256 third,) = pair(validators);
        assertCredit(owner(third), 250); // a quarter of 1000
        assertCredit(aggregator, 250);
        // Improvement a tenth: 650; participation, validation and aggregation a quarter of 3500.
        assertCredit(buyer, 10_000 - 650 - 875);
    }

    function test_WhenAValidatorAndATrainerWereLeftOutOfARound() external {
        uint256 training = running(10);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        sendRecord(recordOf(training, 1, true, lowest(trainers, 2), lowest(validators, 2)));
        market.settle(training);
        claimAll(training);
        for (uint256 seat = 0; seat < 10; ++seat) {
            bool took = ((lowest(trainers, 2) | lowest(validators, 2)) >> seat) & 1 == 1;
            vm.assertTrue(took == (market.creditOf(NATIVE, owner(seat)) > 0), "who took part is paid, nobody else");
        }
    }

    function test_WhenTheModelGotWorse() external {
        uint256 training = running(4);
        IMarketplace.RoundRecord memory record = halved(training);
        record.mseBefore = 40e18;
        sendRecord(record);
        vm.expectEmit(address(market));
        emit IMarketplace.Settled(training, 0, DEPOSIT * 35 / 100, DEPOSIT * 65 / 100);
        market.settle(training);
    }

    /// 100 → 90 → 145 → 60: the delivered model gained 40, and that is paid.
    function test_WhenTheModelWasWreckedAndMended() external {
        uint256 training = recorded(4, 1, false);
        sendRecord(step(training, 2, 90e18, 145e18, false));
        sendRecord(step(training, 3, 145e18, 60e18, true));
        vm.expectEmit(address(market));
        emit IMarketplace.Settled(training, 0.4e18, DEPOSIT * 61 / 100, DEPOSIT * 39 / 100);
        market.settle(training);
    }

    /// 100 → 90 → 540, and the first round's model is delivered: its gain is paid, whatever came after.
    function test_WhenAnEarlierRoundsModelIsDelivered() external {
        uint256 training = recorded(4, 1, false);
        IMarketplace.RoundRecord memory record = step(training, 2, 90e18, 540e18, true);
        record.deliveredDigest = keccak256(abi.encode("model", uint16(1)));
        sendRecord(record);
        vm.expectEmit(address(market));
        emit IMarketplace.Settled(training, 0.1e18, DEPOSIT * 415 / 1000, DEPOSIT * 585 / 1000);
        market.settle(training);
    }

    /// The attack: 100 → 80, then a validator joins on whose rows the same model errs ten times as much: 1000 → 825.
    /// The sum of the gains would have been all of the first error; what is gone of it is 34 %.
    function test_WhenAValidatorWithWorseRowsJoins() external {
        uint256 training = running(10);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        IMarketplace.RoundRecord memory record = step(training, 1, 100e18, 80e18, false);
        record.validators = lowest(validators, 2);
        sendRecord(record);
        record = step(training, 2, 1000e18, 825e18, true);
        vm.assertEq(record.trainers, trainers, "everybody else is there from the start");
        sendRecord(record);
        market.settle(training);
        claimAll(training);
        uint256 refund = DEPOSIT * 65 * 66 / 10_000;
        vm.assertLe(refund, market.creditOf(NATIVE, buyer), "no more than 34 % of the pot is paid");
        vm.assertLe(market.creditOf(NATIVE, buyer), refund + 100, "34 % of it, but for dust");
    }

    function test_WhenTheErrorAfterTheLastRoundIsZero() external {
        uint256 training = running(4);
        sendRecord(step(training, 1, 100e18, 0, true));
        market.settle(training);
        assertCredit(buyer, 0);
    }

    function test_WhenTheDepositIsInAToken() external {
        uint256 training = openIn(moody);
        join(training, 4);
        close(training);
        drawAfter(training);
        sendRecord(recordOf(training, 1, true));
        market.settle(training);
        claimAll(training);
        uint256 sum = market.creditOf(address(moody), buyer) + market.creditOf(address(moody), aggregator);
        for (uint256 seat = 0; seat < 4; ++seat) {
            sum += market.creditOf(address(moody), owner(seat));
            vm.assertEq(market.creditOf(NATIVE, owner(seat)), 0, "nothing in another token");
            vm.prank(owner(seat));
            market.withdraw(address(moody), address(0));
        }
        vm.assertEq(sum, DEPOSIT, "every unit of the deposit is credited, and no more");
        vm.assertEq(market.totalEscrow(address(moody)), 0, "escrow");
    }

    function testFuzz_WhenAnyTermsAndMetricsAreSettled(uint256 seed) external {
        uint256 training = open(anyTerms(seed));
        join(training, between(seed >> 8, 4, 12));
        close(training);
        drawAfter(training);
        uint16 rounds = uint16(between(seed >> 16, 1, 5));
        uint256 before = random(seed, 0) % 1e24 + 1;
        for (uint16 round = 1; round <= rounds; ++round) {
            uint256 reached = random(seed, round) % (before * 2 + 1);
            IMarketplace.RoundRecord memory record = step(training, round, before, reached, round == rounds);
            for (uint256 i = 0; i < record.own.length; ++i) record.own[i] = random(seed, 100 * round + i) % 1e24;
            sendRecord(record);
            (,,,,, before) = market.progressOf(training);
        }
        uint256 buyerBefore = market.creditOf(NATIVE, buyer);
        market.settle(training);
        uint256 sum = market.creditOf(NATIVE, aggregator) + market.creditOf(NATIVE, buyer) - buyerBefore;
        vm.assertEq(market.totalEscrow(NATIVE) + sum, DEPOSIT, "every wei is kept or credited");
        claimAll(training);
        sum = market.creditOf(NATIVE, aggregator) + market.creditOf(NATIVE, buyer) - buyerBefore;
        for (uint256 seat = 0; seat < 12; ++seat) sum += market.creditOf(NATIVE, owner(seat));
        vm.assertEq(sum, DEPOSIT, "every wei of the deposit is credited, and no more");
        vm.assertEq(market.totalEscrow(NATIVE), 0, "escrow");
    }

    // ---- pieces ----

    function anyTerms(uint256 seed) private view returns (IMarketplace.Terms memory terms) {
        terms = defaultTerms();
        terms.rounds = uint16(between(seed, 5, 10_000));
        terms.contributionBps = uint16(between(random(seed, 1), 0, 10_000));
        terms.participationBps = uint16(between(random(seed, 2), 0, 10_000 - terms.contributionBps));
        terms.validationBps =
            uint16(between(random(seed, 3), 0, 10_000 - terms.contributionBps - terms.participationBps));
        terms.aggregationBps =
            uint16(10_000 - terms.contributionBps - terms.participationBps - terms.validationBps);
    }

    function random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function refuse(uint256 training, bytes memory refusal) private {
        vm.expectRevert(refusal);
        market.settle(training);
    }
}
