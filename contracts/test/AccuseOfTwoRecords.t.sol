// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {BondTest} from "./support/BondTest.sol";

/// Approves whatever it is asked.
contract Yes {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }
}

contract AccuseOfTwoRecordsTest is BondTest {
    uint256 private training;

    function setUp() public override {
        super.setUp();
        training = runningBonded(NATIVE, 5, 16);
    }

    function test_RevertWhen_TheRecordsAreTheSame() external {
        (IMarketplace.RoundRecord memory first,) = records();
        refuse(first, first, BUYER_KEY, noFault(training, buyer));
    }

    function test_RevertWhen_TheRecordsAreOfTwoRounds() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        second.round = 2;
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
    }

    function test_RevertWhen_TheRecordsAreOfTwoTrainings() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        second.trainingId = runningBonded(NATIVE, 5, 0);
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
        refuse(second, first, BUYER_KEY, noFault(second.trainingId, buyer));
    }

    /// What was signed where a reorganisation's other branch drew other roles, or gave the number to another training.
    function test_RevertWhen_ARecordNamesSeatsThatWereNotDrawn() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        (second.trainers, second.validators) = (first.validators, first.trainers);
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
        refuse(second, first, BUYER_KEY, noFault(training, buyer));
        (second.trainers, second.validators) = (first.trainers | 16, first.validators);
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
        (second.trainers, second.validators) = (first.trainers, first.validators | 32);
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
        (second.trainers, second.validators) = (0, first.validators);
        refuse(first, second, BUYER_KEY, noFault(training, buyer));
    }

    function test_RevertWhen_NobodyWasDrawnYet() external {
        uint256 drawing = drawingBonded(NATIVE, 4);
        IMarketplace.RoundRecord memory first = recordOf(drawing, 1, false, 3, 12);
        IMarketplace.RoundRecord memory second = recordOf(drawing, 1, true, 3, 12);
        refuse(first, second, BUYER_KEY, noFault(drawing, buyer));
        (first.trainers, first.validators, second.trainers, second.validators) = (0, 0, 0, 0);
        refuse(first, second, BUYER_KEY, noFault(drawing, buyer));
    }

    function test_RevertWhen_OneSignatureIsOfSomebodyElse() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        bytes memory own = signed(BUYER_KEY, market.hashRecord(first));
        bytes memory other = signed(AGGREGATOR_KEY, market.hashRecord(second));
        refuse(first, own, second, other, buyer, badSignature(buyer));
        refuse(second, other, first, own, buyer, badSignature(buyer));
        refuse(first, own, second, own, buyer, badSignature(buyer));
        refuse(first, own, second, "", buyer, badSignature(buyer));
        refuse(first, own, second, hex"00", buyer, badSignature(buyer));
    }

    function test_RevertWhen_OneSignatureIsForAnotherContract() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        IMarketplace other = newMarket();
        bytes memory own = signed(BUYER_KEY, market.hashRecord(first));
        refuse(first, own, second, signed(BUYER_KEY, other.hashRecord(second)), buyer, badSignature(buyer));
    }

    function test_RevertWhen_OneSignatureIsForAnotherChain() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        bytes memory own = signed(BUYER_KEY, market.hashRecord(first));
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        bytes memory elsewhere = signed(BUYER_KEY, market.hashRecord(second));
        vm.chainId(chain);
        refuse(first, own, second, elsewhere, buyer, badSignature(buyer));
    }

    /// Code can be made to say anything, and be exchanged: the attack is to have an owner's code say it.
    function test_RevertWhen_AWalletWouldSignAnything() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        vm.etch(owner(0), address(new Yes()).code);
        (bool approved,,) = market.checkSignatures(first, "any", new bytes[](0));
        vm.assertTrue(!approved, "the buyer has no code");
        refuse(first, "any", second, "any", owner(0), badSignature(owner(0)));
        vm.etch(buyer, address(new Yes()).code);
        (approved,,) = market.checkSignatures(first, "any", new bytes[](0));
        vm.assertTrue(approved, "as a wallet it would sign");
        refuse(first, "any", second, "any", buyer, badSignature(buyer));
    }

    function test_RevertWhen_NobodyGaveABond() external {
        training = running(4);
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        refuse(first, second, BUYER_KEY, noBond(training, buyer));
        refuse(first, second, ownerKey(0), noBond(training, owner(0)));
    }

    function test_RevertWhen_TheAccountHasNoPart() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        refuse(first, second, 0x57, noBond(training, stranger));
        refuse(first, second, ownerKey(4), noBond(training, owner(4)));
        refuse(first, second, ownerKey(5), noBond(training, owner(5)));
    }

    function test_RevertWhen_ABondWasLostToThisFaultAlready() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        accuse(first, second, BUYER_KEY);
        refuse(first, second, BUYER_KEY, noBond(training, buyer));
        refuse(second, first, BUYER_KEY, noBond(training, buyer));
        vm.assertEq(market.creditOf(NATIVE, charity), OWNER_BOND + uint256(BUYER_BOND), "once");
    }

    function test_RevertWhen_ABondIsHomeAlready() external {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        vm.warp(endsAt(training));
        market.cancel(training);
        vm.warp(market.bondUntil(training, buyer));
        release(training, buyer);
        refuse(first, second, BUYER_KEY, noBond(training, buyer));
    }

    function test_WhenAValidatorSignedTwo() external {
        (,, uint256 validators) = market.ownersOf(training);
        uint256 seat = validators & 1 == 1 ? 0 : validators & 2 == 2 ? 1 : validators & 4 == 4 ? 2 : 3;
        expectFault(ownerKey(seat), owner(seat), OWNER_BOND);
    }

    function test_WhenTheBuyerSignedTwo() external {
        expectFault(BUYER_KEY, buyer, BUYER_BOND);
    }

    function test_WhenTheAggregatorSignedTwo() external {
        expectFault(AGGREGATOR_KEY, aggregator, AGGREGATOR_BOND);
    }

    function test_WhenTheTrainingIsOverAndBondsAreThere() external {
        vm.warp(endsAt(training));
        market.cancel(training);
        vm.warp(market.bondUntil(training, buyer) + 365 days);
        expectFault(BUYER_KEY, buyer, BUYER_BOND);
    }

    /// The attack: a second record comes out as late as the first is paid for.
    function test_WhenItComesBetweenTheEndAndTheRelease() external {
        (IMarketplace.RoundRecord memory first,) = records();
        first.last = true;
        sendRecord(first);
        market.settle(training);
        vm.warp(market.bondUntil(training, buyer) - 1);
        refuseRelease(training, buyer, tooEarly(training, market.bondUntil(training, buyer)));
        expectFault(BUYER_KEY, buyer, BUYER_BOND);
    }

    // ---- pieces ----

    /// Of one round, by the seats that were drawn, with two models.
    function records()
        private
        view
        returns (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second)
    {
        (first, second) = (recordOf(training, 1, false), recordOf(training, 1, false));
        second.modelDigest = keccak256("another model");
    }

    function expectFault(uint256 key, address account, uint256 bond) private {
        (IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second) = records();
        uint256 before = market.totalBonds(NATIVE);
        expectForfeited(training, account, IMarketplace.Fault.TwoRecords, bond);
        accuse(first, second, key);
        vm.assertEq(market.totalBonds(NATIVE), before - bond, "the others' stay");
        assertForfeited(training, account, OWNER_BOND + bond); // one owner did not reveal
    }

    function accuse(IMarketplace.RoundRecord memory first, IMarketplace.RoundRecord memory second, uint256 key) private {
        bytes memory own = signed(key, market.hashRecord(first));
        bytes memory other = signed(key, market.hashRecord(second));
        vm.prank(stranger);
        market.accuseOfTwoRecords(first, own, second, other, vm.addr(key));
    }

    function refuse(
        IMarketplace.RoundRecord memory first,
        IMarketplace.RoundRecord memory second,
        uint256 key,
        bytes memory refusal
    ) private {
        bytes memory own = signed(key, market.hashRecord(first));
        refuse(first, own, second, signed(key, market.hashRecord(second)), vm.addr(key), refusal);
    }

    function refuse(
        IMarketplace.RoundRecord memory first,
        bytes memory own,
        IMarketplace.RoundRecord memory second,
        bytes memory other,
        address account,
        bytes memory refusal
    ) private {
        vm.prank(stranger);
        vm.expectRevert(refusal);
        market.accuseOfTwoRecords(first, own, second, other, account);
    }
}
