// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMarketplace} from "../src/IMarketplace.sol";
import {MarketplaceTest} from "./support/MarketplaceTest.sol";
import {Burner, Wallet} from "./support/Wallets.sol";

contract AdmissionTest is MarketplaceTest {
    bytes32 private constant DIGEST = keccak256("nonce digest");

    uint256 private training;
    bytes private byAggregator;
    bytes private byBuyer;

    function setUp() public override {
        super.setUp();
        for (uint256 seat = 0; seat < 20; ++seat) register(owner(seat), IMarketplace.Role.DataOwner);
        training = open();
        (byAggregator, byBuyer) = admissions(training, owner(0));
    }

    function test_RevertWhen_TheAggregatorHasNotSigned() external {
        refuse(owner(0), "", byBuyer, aggregator);
        refuse(owner(0), signed(0x57, digestOf(owner(0))), byBuyer, aggregator);
    }

    function test_RevertWhen_TheBuyerHasNotSigned() external {
        refuse(owner(0), byAggregator, "", buyer);
        refuse(owner(0), byAggregator, signed(ownerKey(0), digestOf(owner(0))), buyer);
    }

    function test_RevertWhen_BothSignaturesAreExchanged() external {
        refuse(owner(0), byBuyer, byAggregator, aggregator);
    }

    function test_RevertWhen_TheAdmissionIsOfAnotherOwner() external {
        vm.prank(owner(1));
        vm.expectRevert(badSignature(aggregator));
        market.join(training, commitmentOf(owner(0)), DIGEST, byAggregator, byBuyer);
    }

    function test_RevertWhen_TheAdmissionIsOfAnotherCommitment() external {
        vm.prank(owner(0));
        vm.expectRevert(badSignature(aggregator));
        market.join(training, commitmentOf(owner(1)), DIGEST, byAggregator, byBuyer);
    }

    function test_RevertWhen_TheAdmissionIsOfAnotherTraining() external {
        training = open();
        refuse(owner(0), byAggregator, byBuyer, aggregator);
    }

    /// The attack: a reorganisation swaps two openings, and who joined one would sit in the other.
    function test_RevertWhen_AReorganisationPutAnotherTrainingUnderTheNumber() external {
        uint256 before = vm.snapshotState();
        uint256 wanted = open();
        (byAggregator, byBuyer) = admissions(wanted, owner(0));
        vm.revertToState(before);
        IMarketplace.Terms memory terms = defaultTerms();
        terms.requestHash = keccak256("another request");
        training = open(terms);
        vm.assertEq(training, wanted, "the same number");
        refuse(owner(0), byAggregator, byBuyer, aggregator);
    }

    function test_RevertWhen_TheAdmissionIsOfAnotherMarket() external {
        market = newMarket();
        register(buyer, IMarketplace.Role.ModelBuyer);
        register(aggregator, IMarketplace.Role.FederatedAggregator);
        register(owner(0), IMarketplace.Role.DataOwner);
        vm.assertEq(open(), training, "the same number");
        refuse(owner(0), byAggregator, byBuyer, aggregator);
    }

    /// The attack: four owners of the aggregator's own took the deposit, twenty filled all seats for 2.4 M gas, and
    /// the joining was closed in the same block.
    function test_RevertWhen_TheAggregatorFillsTheSeatsWithOwnersOfItsOwn() external {
        for (uint256 seat = 0; seat < 20; ++seat) {
            bytes memory own = signed(AGGREGATOR_KEY, digestOf(owner(seat)));
            refuse(owner(seat), own, own, buyer);
        }
        vm.prank(aggregator);
        vm.expectRevert(tooEarly(training, joinUntil(training)));
        market.close(training);
    }

    function test_RevertWhen_TheBuyerBurnsTheGasOfWhoJoins() external {
        vm.etch(buyer, address(new Burner()).code);
        uint256 before = gasleft();
        refuse(owner(0), byAggregator, "ok", buyer);
        vm.assertLe(before - gasleft(), 300_000, "gas");
    }

    function test_WhenTheTermsAskForTheBuyerAlone() external {
        training = openFor(IMarketplace.Admission.Buyer);
        (byAggregator, byBuyer) = admissions(training, owner(0));
        refuse(owner(0), byAggregator, byAggregator, buyer);
        take(owner(0), "", byBuyer);
    }

    function test_WhenTheTermsAskForTheAggregatorAlone() external {
        training = openFor(IMarketplace.Admission.Aggregator);
        (byAggregator, byBuyer) = admissions(training, owner(0));
        refuse(owner(0), byBuyer, byBuyer, aggregator);
        take(owner(0), byAggregator, "");
    }

    function test_WhenTheBuyerIsCodeThatAdmits() external {
        vm.etch(buyer, address(new Wallet()).code);
        Wallet(buyer).approve(digestOf(owner(0)));
        take(owner(0), byAggregator, "ok");
    }

    function test_WhenAnyOwnerAndCommitmentOfAnyTrainingAreAdmitted(bytes32 commitment, bytes32 other, uint256 number)
        external
    {
        vm.assume(commitment != other && commitment != 0 && other != 0);
        address admitted = owner(number % 20);
        address another = owner((number % 20 + 1) % 20);
        bytes32 digest = market.hashAdmission(training, admitted, commitment);
        (byAggregator, byBuyer) = (signed(AGGREGATOR_KEY, digest), signed(BUYER_KEY, digest));
        vm.prank(admitted);
        vm.expectRevert(badSignature(aggregator));
        market.join(training, other, DIGEST, byAggregator, byBuyer);
        vm.prank(another);
        vm.expectRevert(badSignature(aggregator));
        market.join(training, commitment, DIGEST, byAggregator, byBuyer);
        vm.prank(admitted);
        market.join(training, commitment, DIGEST, byAggregator, byBuyer);
        assertSeated(admitted);
    }

    // ---- pieces ----

    function openFor(IMarketplace.Admission admission) private returns (uint256) {
        IMarketplace.Terms memory terms = defaultTerms();
        terms.admission = admission;
        return open(terms);
    }

    function digestOf(address account) private view returns (bytes32) {
        return market.hashAdmission(training, account, commitmentOf(account));
    }

    function refuse(address account, bytes memory aggregators, bytes memory buyers, address missing) private {
        vm.prank(account);
        vm.expectRevert(badSignature(missing));
        market.join(training, commitmentOf(account), DIGEST, aggregators, buyers);
    }

    function take(address account, bytes memory aggregators, bytes memory buyers) private {
        vm.prank(account);
        market.join(training, commitmentOf(account), DIGEST, aggregators, buyers);
        assertSeated(account);
    }

    function assertSeated(address account) private view {
        (address[] memory seats,,) = market.ownersOf(training);
        vm.assertEq(seats.length, 1, "seats");
        vm.assertEq(seats[0], account, "seat");
    }
}
