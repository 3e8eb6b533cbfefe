// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract FoldsTest is EndedTest {
    uint16 private constant FOLDS = 3;
    uint16 private constant ROUNDS = 6;

    function test_RevertWhen_TheFoldsAreNoneOrMoreThanTen() external {
        refuseTerms(0, ROUNDS, 100, "folds");
        refuseTerms(11, 22, 100, "folds");
    }

    function test_RevertWhen_TheRoundsAreNoMultipleOfTheFolds() external {
        refuseTerms(FOLDS, ROUNDS + 1, 100, "folds");
    }

    function test_RevertWhen_AFoldCouldHaveFewerThanTwoOwners() external {
        refuseTerms(FOLDS, ROUNDS, 5, "minOwners");
    }

    function testFuzz_WhenAnyNumberOfOwnersIsDrawn(uint256 seed) external {
        uint256 owners = between(seed, 6, 40);
        uint256 training = runningFolds(owners);
        uint256 all = (1 << owners) - 1;
        uint256 validated;
        for (uint16 round = 1; round <= ROUNDS; ++round) {
            (, uint256 trainers, uint256 validators) = market.ownersOf(training);
            vm.assertEq(trainers ^ validators, all, "each in one role");
            if (round % 2 == 1) {
                vm.assertEq(validated & validators, 0, "nobody validates twice");
                vm.assertTrue(bits(validators) >= owners / FOLDS && bits(validators) <= owners / FOLDS + 1, "alike");
                validated |= validators;
            }
            sendRecord(inFold(training, round, 0.9e18));
        }
        vm.assertEq(validated, all, "everybody validates once");
    }

    function test_WhenAFoldIsOver() external {
        uint256 training = runningFolds(6);
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        sendRecord(inFold(training, 1, 0.9e18));
        (,, uint256 still) = market.ownersOf(training);
        vm.assertEq(still, validators, "the fold goes on");
        sendRecord(inFold(training, 2, 0.9e18));
        (,, uint256 next) = market.ownersOf(training);
        vm.assertEq(next & validators, 0, "others validate");
        IMarketplace.RoundRecord memory record = inFold(training, 3, 0.9e18);
        (record.trainers, record.validators) = (trainers, validators);
        refuseRecord(record, invalidMetrics(training, 3));
    }

    function test_WhenAFoldBegins() external {
        uint256 training = runningFolds(6);
        sendRecord(inFold(training, 1, 0.5e18));
        sendRecord(inFold(training, 2, 0.5e18));
        IMarketplace.RoundRecord memory record = inFold(training, 3, 0.5e18);
        record.deliveredDigest = keccak256(abi.encode("model", uint16(2)));
        refuseRecord(record, invalidMetrics(training, 3));
        record = inFold(training, 3, 0.5e18);
        record.mseBefore = 0;
        refuseRecord(record, invalidMetrics(training, 3));
        sendRecord(inFold(training, 3, 0.5e18));
        (,,,, uint256 firstMse, uint256 lastMse) = market.progressOf(training);
        vm.assertEq(firstMse, FIRST_MSE, "its own start");
        vm.assertEq(lastMse, FIRST_MSE / 2, "its own error");
    }

    /// Improvements .5, .2 and .2 of their own first errors: .3 in the mean.
    function test_WhenEveryFoldHasImproved() external {
        uint256 training = runningFolds(6);
        uint256[] memory share = new uint256[](6);
        for (uint16 round = 1; round <= ROUNDS; ++round) {
            uint256 left = round <= 2 ? 0.5e18 : 0.8e18;
            IMarketplace.RoundRecord memory record = inFold(training, round, left);
            for (uint256 seat = 0; seat < 6; ++seat) {
                if (round % 2 == 1 && (record.trainers >> seat) & 1 == 1) share[seat] += (1e18 - left) / 4;
            }
            sendRecord(record);
        }
        market.settle(training);
        claimAll(training);
        uint256 refund = market.creditOf(NATIVE, buyer) - DEPOSIT * 455 / 1000;
        vm.assertTrue(refund < 100, "all but three tenths of the pot is paid, and what divisions leave");
        for (uint256 seat = 0; seat < 6; ++seat) {
            // A third of 500 for each of two folds as one of four trainers, of 2000 as one of two validators
            uint256 fixedPay = DEPOSIT * 500 / 10_000 * 2 / 12 + DEPOSIT * 2000 / 10_000 / 6;
            uint256 expected = DEPOSIT * 6500 / 10_000 * share[seat] / 3e18 + fixedPay;
            uint256 credit = market.creditOf(NATIVE, owner(seat));
            vm.assertTrue(credit <= expected && expected - credit < 100, "its part of each fold's pot");
        }
        vm.assertEq(market.totalEscrow(NATIVE), 0, "nothing is left");
    }

    function test_WhenTimeRunsOutBetweenTwoFolds() external {
        uint256 training = runningFolds(6);
        sendRecord(inFold(training, 1, 0.4e18));
        sendRecord(inFold(training, 2, 0.4e18));
        vm.warp(endsAt(training));
        // .6 of one of three folds, and the fixed shares of two of six rounds
        uint256 paid = DEPOSIT * 1300 / 10_000 + DEPOSIT * 3500 / 10_000 / 3;
        (bool settled,) = address(market).call(abi.encodeCall(IMarketplace.settle, (training)));
        vm.assertTrue(settled, "anybody settles");
        claimAll(training);
        uint256 credited = DEPOSIT - market.creditOf(NATIVE, buyer);
        vm.assertTrue(credited <= paid && paid - credited < 100, "no more than was done");
    }

    /// The attack: a fold's first error is huge, so that its few steps outweigh all of the others' work.
    function test_WhenAModelWasWreckedAndMendedInAnotherFold() external {
        uint256 training = runningFolds(6);
        sendRecord(inFold(training, 1, 0.5e18));
        sendRecord(inFold(training, 2, 0.5e18));
        IMarketplace.RoundRecord memory record = inFold(training, 3, 0.5e18);
        record.mseBefore *= 1000;
        for (uint256 i = 0; i < record.own.length; ++i) {
            (record.own[i], record.cross[i]) = (record.own[i] * 1000, record.cross[i] * 1000);
        }
        sendRecord(record);
        uint256 total;
        for (uint256 seat = 0; seat < 6; ++seat) {
            (, uint256 weight) = market.contributionOf(training, owner(seat));
            total += weight;
        }
        vm.assertTrue(total <= 1e18 && 1e18 - total < 10, "a half of each one's first error");
    }

    function test_WhenTwoRecordsOfAnEarlierFoldAreShown() external {
        IMarketplace.Terms memory terms = foldTerms();
        (terms.buyerBond, terms.forfeitTo) = (1 ether, address(0xc0ffee));
        vm.prank(buyer);
        uint256 training = market.open{value: DEPOSIT + 1 ether}(terms, DEPOSIT);
        fill(training, 6);
        IMarketplace.RoundRecord memory first = inFold(training, 1, 0.5e18);
        IMarketplace.RoundRecord memory second = inFold(training, 1, 0.4e18);
        sendRecord(first);
        sendRecord(inFold(training, 2, 0.5e18));
        bytes memory one = buyerSignature(first);
        bytes memory other = buyerSignature(second);
        second.round = 3;
        bytes memory elsewhere = buyerSignature(second);
        first.round = 3;
        bytes memory refusal = abi.encodeWithSelector(IMarketplace.Marketplace_NoFault.selector, training, buyer);
        bytes memory moved = buyerSignature(first);
        vm.expectRevert(refusal);
        market.accuseOfTwoRecords(first, moved, second, elsewhere, buyer);
        (first.round, second.round) = (1, 1);
        market.accuseOfTwoRecords(first, one, second, other, buyer);
        vm.assertEq(market.bondOf(training, buyer), 0, "lost");
    }

    // ---- pieces ----

    function foldTerms() private view returns (IMarketplace.Terms memory terms) {
        terms = defaultTerms();
        (terms.folds, terms.rounds, terms.minOwners, terms.maxOwners) = (FOLDS, ROUNDS, 6, 40);
    }

    function runningFolds(uint256 owners) private returns (uint256 training) {
        training = open(foldTerms());
        fill(training, owners);
    }

    function fill(uint256 training, uint256 owners) private {
        join(training, owners);
        close(training);
        drawAfter(training);
    }

    function refuseTerms(uint16 folds, uint16 rounds, uint16 minOwners, bytes32 field) private {
        IMarketplace.Terms memory terms = defaultTerms();
        (terms.folds, terms.rounds, terms.minOwners) = (folds, rounds, minOwners);
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IMarketplace.Marketplace_InvalidTerms.selector, field));
        market.open{value: DEPOSIT}(terms, DEPOSIT);
    }

    /// Of a fold's two rounds the first takes the error to a part of its start (× 1e18), alike by all, the second nowhere.
    function inFold(uint256 training, uint16 round, uint256 left)
        private
        view
        returns (IMarketplace.RoundRecord memory record)
    {
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        record = recordOf(training, round, round == ROUNDS, trainers, validators);
        uint256 after_ = FIRST_MSE * left / 1e18;
        record.mseBefore = round % 2 == 1 ? FIRST_MSE : after_;
        for (uint256 i = 0; i < record.own.length; ++i) {
            record.own[i] = after_;
            record.cross[i] = int256(after_ * record.own.length);
        }
    }
}
