// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {EndedTest} from "./support/EndedTest.sol";

contract RecordMetricsTest is EndedTest {
    uint256 private constant BOUND = 1 << 128;

    uint256 private training;
    IMarketplace.RoundRecord private base;

    function setUp() public override {
        super.setUp();
        training = running(10);
        base = recordOf(training, 1, false);
    }

    function test_RevertWhen_TheFirstErrorIsZero() external {
        base.mseBefore = 0;
        refuse();
    }

    function test_RevertWhen_TheErrorBeforeIsAtTheBound() external {
        base.mseBefore = BOUND;
        refuse();
    }

    function test_RevertWhen_AnOwnMetricIsAtTheBound() external {
        base.own[6] = BOUND;
        refuse();
    }

    function test_RevertWhen_ACrossMetricIsAtTheBound() external {
        base.cross[6] = int256(BOUND);
        refuse();
    }

    function test_RevertWhen_ACrossMetricIsAtTheNegativeBound() external {
        (base.cross[0], base.cross[6]) = (int256(BOUND - 1), -int256(BOUND));
        refuse();
    }

    function test_RevertWhen_TheErrorAfterIsNegative() external {
        base.cross[0] = -int256(FIRST_MSE * 100);
        refuse();
    }

    function test_RevertWhen_OwnMetricsAreMissing() external {
        base.own.pop();
        refuse();
    }

    function test_RevertWhen_ThereAreTooManyCrossMetrics() external {
        base.cross.push(1);
        refuse();
    }

    function test_RevertWhen_FewerThanTwoTrainersTookPart() external {
        base = recordOf(training, 1, false, lowest(base.trainers, 1), base.validators);
        refuse();
    }

    function test_RevertWhen_AValidatorIsListedAsTrainer() external {
        base = recordOf(training, 1, false, base.trainers | lowest(base.validators, 1), base.validators);
        refuse();
    }

    function test_RevertWhen_ASeatThatNobodyHasIsListed() external {
        base = recordOf(training, 1, false, base.trainers | 1 << 10, base.validators);
        refuse();
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        base = recordOf(training, 1, false, trainers, validators | 1 << 10);
        refuse();
    }

    function test_RevertWhen_ASingleValidatorMeasured() external {
        base.validators = lowest(base.validators, 1);
        refuseRecord(base, tooFewSignatures(training, 1, 2));
    }

    function test_RevertWhen_TheAgreedLastRoundDoesNotSaySo() external {
        for (uint16 round = 1; round < 4; ++round) sendRecord(recordOf(training, round, false));
        base = recordOf(training, 4, false);
        refuse();
        base.last = true;
        sendRecord(base);
    }

    function test_RevertWhen_TheSameValidatorsChangeTheErrorBefore() external {
        sendRecord(base);
        base = recordOf(training, 2, false);
        base.mseBefore += 1;
        refuse();
        base.mseBefore -= 2;
        refuse();
    }

    function test_RevertWhen_ThePreviousRoundWasPerfect() external {
        for (uint256 i = 0; i < base.cross.length; ++i) base.cross[i] = 0;
        sendRecord(base);
        base = recordOf(training, 2, true);
        base.mseBefore = 0;
        refuse();
        base = byOthers(90e18);
        refuse();
    }

    /// The attack: other validators find no error to begin with, and the whole gain so far was refunded.
    function test_RevertWhen_OtherValidatorsMeasureNoErrorBefore() external {
        sendRecord(base);
        base = byOthers(0);
        refuse();
    }

    function test_RevertWhen_TheFirstRoundDeliversAnotherModel() external {
        base.deliveredDigest = keccak256("another model");
        refuse();
    }

    function test_RevertWhen_TheErrorsMultiplyBeyondTheBound() external {
        sendRecord(base);
        base = byOthers(1);
        base.cross[0] = int256(BOUND / 64);
        refuse();
    }

    /// Metrics at their widest, so that the products in the contract are too.
    function testFuzz_WhenAnyMetricsBelowTheBoundAreSigned(uint256 seed, bool extreme) external {
        int256 total;
        for (uint256 i = 0; i < base.own.length; ++i) {
            base.own[i] = random(seed, i) % BOUND;
            base.cross[i] = int256(random(seed, 100 + i) % BOUND);
            if (extreme) base.own[i] = base.own[i] % 2 == 0 ? 0 : BOUND - 1;
            if (extreme) base.cross[i] = base.cross[i] % 2 == 0 ? -int256(BOUND - 1) : int256(BOUND - 1);
            total += base.cross[i];
        }
        if (total < 0) {
            for (uint256 i = 0; i < base.cross.length; ++i) base.cross[i] = -base.cross[i];
        }
        base.mseBefore = extreme ? BOUND - 1 : random(seed, 1000) % (BOUND - 1) + 1;
        base.last = true;
        sendRecord(base);
        market.settle(training);
        claimAll(training);
        vm.assertEq(market.totalEscrow(NATIVE), 0, "settled");
    }

    /// A second round that two of the three validators measure.
    function byOthers(uint256 mseBefore) private view returns (IMarketplace.RoundRecord memory record) {
        (, uint256 trainers, uint256 validators) = market.ownersOf(training);
        record = recordOf(training, 2, true, trainers, lowest(validators, 2));
        record.mseBefore = mseBefore;
    }

    function random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function refuse() private {
        refuseRecord(base, invalidMetrics(training, base.round));
    }
}
